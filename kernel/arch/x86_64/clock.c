/* Time: the time-stamp counter and the local APIC's timer, both measured once against the PIT. */
#include "x86_64.h"

#include "kernel.h"

#define PIT_HZ          1193182ul
#define PIT_CHANNEL_2   0x42
#define PIT_COMMAND     0x43
#define PIT_GATE        0x61
#define CALIBRATION_PIT 11932 /* 10 ms */

static u64 tsc_hz, tsc_start;
static u64 apic_hz;

u64 arch_timestamp(void) {
    u32 low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (u64)high << 32 | low;
}

u64 arch_timestamp_hz(void) { return tsc_hz; }

u64 arch_clock_ns(void) {
    u64 ticks = arch_timestamp() - tsc_start;
    return ticks / tsc_hz * 1000000000ul + ticks % tsc_hz * 1000000000ul / tsc_hz;
}

struct sample {
    u64 tsc, uncertainty;
    u32 apic;
    u16 pit;
};

static u16 read_pit(void) {
    port_write_8(PIT_COMMAND, 0x80); /* latch channel 2 */
    u8 low = port_read_8(PIT_CHANNEL_2);
    return (u16)(low | port_read_8(PIT_CHANNEL_2) << 8);
}

/* The tightest of a few tries: a host that takes the CPU away in between must not count. */
static struct sample take_sample(void) {
    struct sample best = { .uncertainty = ~0ul };
    for (unsigned attempt = 0; attempt < 5; attempt++) {
        u64 before = arch_timestamp();
        struct sample sample = { .pit = read_pit(), .apic = apic_timer_count() };
        u64 after = arch_timestamp();
        sample.uncertainty = after - before;
        sample.tsc = before + sample.uncertainty / 2;
        if (sample.uncertainty < best.uncertainty) best = sample;
    }
    return best;
}

void clock_calibrate(void) {
    port_write_8(PIT_GATE, (u8)((port_read_8(PIT_GATE) & ~2) | 1)); /* speaker off, gate open */
    port_write_8(PIT_COMMAND, 0xb0);                                /* channel 2, both bytes, mode 0 */
    port_write_8(PIT_CHANNEL_2, 0xff);
    port_write_8(PIT_CHANNEL_2, 0xff);
    apic_timer_set(~0u, false);
    struct sample start = take_sample();
    while ((u16)(start.pit - read_pit()) < CALIBRATION_PIT) arch_relax();
    struct sample end = take_sample();
    u64 pit = (u16)(start.pit - end.pit);
    tsc_hz = (end.tsc - start.tsc) * PIT_HZ / pit;
    apic_hz = (u64)(start.apic - end.apic) * PIT_HZ / pit;
    tsc_start = start.tsc;
    if (tsc_hz == 0 || apic_hz == 0) panic("timers do not count");
}

void arch_timer_start(u64 period_ns) { apic_timer_set((u32)(apic_hz * period_ns / 1000000000ul), true); }

/* The CMOS clock */

static u8 read_cmos(u8 index) {
    port_write_8(0x70, index);
    return port_read_8(0x71);
}

static u64 days_since_1970(u64 year, u64 month, u64 day) {
    /* Years from March: the leap day comes last. */
    u64 shifted = month > 2 ? year : year - 1, from_march = month > 2 ? month - 3 : month + 9;
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + (from_march * 153 + 2) / 5 + day - 1 - 719468;
}

u64 arch_wall_clock_seconds(void) {
    static const u8 registers[6] = { 0, 2, 4, 7, 8, 9 }; /* second minute hour day month year */
    u64 value[6];
    while ((read_cmos(0x0a) & 0x80) != 0) arch_relax(); /* an update is under way */
    bool binary = (read_cmos(0x0b) & 4) != 0;
    for (unsigned index = 0; index < 6; index++) {
        u8 raw = read_cmos(registers[index]);
        value[index] = binary ? raw : (raw >> 4) * 10u + (raw & 15);
    }
    return ((days_since_1970(2000 + value[5], value[4], value[3]) * 24 + value[2]) * 60 + value[1]) * 60 + value[0];
}

u64 arch_entropy(void) {
    static u64 state;
    u64 value = state + arch_timestamp() * 0x9e3779b97f4a7c15ul;
    value = (value ^ value >> 33) * 0xff51afd7ed558ccdul;
    return state = value ^ value >> 29;
}
