/* Clocks and sleeping. */
#include "clock.h"

#include "kernel.h"
#include "private.h"
#include "process.h"
#include "scheduler.h"
#include "syscall.h"

enum {
    CLOCK_REALTIME,
    CLOCK_MONOTONIC,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_THREAD_CPUTIME_ID,
    CLOCK_MONOTONIC_RAW,
    CLOCK_REALTIME_COARSE,
    CLOCK_MONOTONIC_COARSE,
    CLOCK_BOOTTIME,
};

static u64 realtime_offset_ns;

void clock_init(void) { realtime_offset_ns = arch_wall_clock_seconds() * NS_PER_SECOND - arch_clock_ns(); }
u64 clock_realtime_ns(void) { return realtime_offset_ns + arch_clock_ns(); }

static int read_clock(u64 clock, u64 *ns) {
    const struct process_private *private = current_process()->private;
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: *ns = clock_realtime_ns(); return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME: *ns = arch_clock_ns(); return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID: *ns = (private->user_ticks + private->system_ticks) * TICK_NS; return 0;
    default: return -EINVAL;
    }
}

static int write_time(vaddr to, u64 ns) {
    struct time_value value = { (i64)(ns / NS_PER_SECOND), (i64)(ns % NS_PER_SECOND) };
    return copy_to_user(to, &value, sizeof(value));
}

SYSCALL(clock_gettime) {
    u64 ns;
    if (read_clock(argument[0], &ns) != 0) return -EINVAL;
    return write_time(argument[1], ns);
}

SYSCALL(clock_getres) {
    u64 now;
    if (read_clock(argument[0], &now) != 0) return -EINVAL;
    bool coarse = argument[0] == CLOCK_REALTIME_COARSE || argument[0] == CLOCK_MONOTONIC_COARSE;
    u64 ns = coarse || argument[0] == CLOCK_PROCESS_CPUTIME_ID || argument[0] == CLOCK_THREAD_CPUTIME_ID ? TICK_NS : 1;
    return argument[1] == 0 ? 0 : write_time(argument[1], ns);
}

SYSCALL(gettimeofday) {
    u64 ns = clock_realtime_ns();
    struct time_value value = { (i64)(ns / NS_PER_SECOND), (i64)(ns % NS_PER_SECOND / 1000) };
    if (argument[0] != 0 && copy_to_user(argument[0], &value, sizeof(value)) != 0) return -EFAULT;
    u64 no_zone = 0;
    return argument[1] != 0 ? copy_to_user(argument[1], &no_zone, sizeof(no_zone)) : 0;
}

/* A stop and a continuation start a sleep again without having changed when it ends. */
static i64 sleep_for(u64 deadline_ns, vaddr remaining) {
    struct process_private *private = current_process()->private;
    if (private->sleep_deadline_ns != 0) deadline_ns = private->sleep_deadline_ns;
    private->sleep_deadline_ns = 0;
    if (sleep_until(deadline_ns) == 0) return 0;
    private->sleep_deadline_ns = deadline_ns;
    u64 now = arch_clock_ns();
    if (remaining != 0 && write_time(remaining, deadline_ns > now ? deadline_ns - now : 0) != 0) return -EFAULT;
    return -EINTR;
}

SYSCALL(nanosleep) {
    u64 ns;
    int error = time_from_user(&ns, argument[0]);
    return error != 0 ? error : sleep_for(arch_clock_ns() + ns, argument[1]);
}

SYSCALL(clock_nanosleep) {
    enum { TIMER_ABSTIME = 1 };
    u64 ns;
    if (argument[0] != CLOCK_REALTIME && argument[0] != CLOCK_MONOTONIC && argument[0] != CLOCK_BOOTTIME) {
        return -EINVAL;
    }
    int error = time_from_user(&ns, argument[2]);
    if (error != 0) return error;
    if ((argument[1] & TIMER_ABSTIME) == 0) return sleep_for(arch_clock_ns() + ns, argument[3]);
    if (argument[0] == CLOCK_REALTIME) ns = ns > realtime_offset_ns ? ns - realtime_offset_ns : 0;
    return sleep_for(ns, 0);
}
