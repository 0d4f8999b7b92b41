/* Time: the virtual counter and its timer, one for each CPU. */
#include "aarch64.h"

#include "scheduler.h"

static u64 periods[MAX_CPUS]; /* in counter ticks */

u64 arch_timestamp(void) {
    u64 value;
    __asm__ volatile("isb\nmrs %0, cntvct_el0" : "=r"(value)::"memory"); /* not read ahead of what came before */
    return value;
}

u64 arch_timestamp_hz(void) { return read_register(cntfrq_el0); }

u64 arch_clock_ns(void) {
    u64 ticks = arch_timestamp(), hz = arch_timestamp_hz();
    return ticks / hz * 1000000000ul + ticks % hz * 1000000000ul / hz;
}

void arch_timer_start(u64 period_ns) {
    u64 period = periods[arch_cpu_id()] = arch_timestamp_hz() * period_ns / 1000000000ul;
    write_register(cntv_cval_el0, arch_timestamp() + period);
    write_register(cntv_ctl_el0, 1);
    __asm__ volatile("isb");
}

/* The next tick is one period after the last, not after now; a CPU that was stopped for long skips what it missed. */
void timer_interrupt(bool from_user) {
    u64 period = periods[arch_cpu_id()];
    u64 next = read_register(cntv_cval_el0) + period;
    u64 now = arch_timestamp();
    if (next <= now) next = now + period;
    write_register(cntv_cval_el0, next);
    __asm__ volatile("isb");
    timer_tick(from_user);
}

u64 arch_wall_clock_seconds(void) { return device_read(RTC_BASE, 0); } /* PL031 data register */

u64 arch_entropy(void) {
    u64 value = machine.seed + arch_timestamp() * 0x9e3779b97f4a7c15ul;
    value = (value ^ value >> 33) * 0xff51afd7ed558ccdul;
    return machine.seed = value ^ value >> 29;
}
