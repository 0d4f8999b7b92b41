/* Interval timers, and the time that processes have used. */
#include "arch.h"
#include "clock.h"
#include "cpu.h"
#include "errno.h"
#include "private.h"
#include "process.h"
#include "scheduler.h"
#include "syscall.h"

enum { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };

struct timer_value { /* struct itimerval */
    i64 interval_seconds, interval_microseconds, seconds, microseconds;
};

static u64 next_alarm_ns = ~0ul; /* no real timer is due before; read without the lock */

static void send_timer_signal(struct process *process, int signal) {
    struct signal_info info = { .signal = signal, .code = SI_KERNEL };
    signal_send_locked(process, &info);
}

static void run_real_timers(u64 now) {
    if (now < __atomic_load_n(&next_alarm_ns, __ATOMIC_RELAXED)) return;
    u64 interrupts = spin_lock(&process_lock);
    u64 next = ~0ul;
    for (struct process *process = all_processes; process != NULL; process = process->private->next) {
        struct interval_timer *timer = &process->private->real_timer;
        if (timer->deadline_ns == 0 || process->private->state == PROCESS_ZOMBIE) continue;
        if (timer->deadline_ns <= now) {
            send_timer_signal(process, SIGALRM);
            u64 missed = timer->interval_ns == 0 ? 0 : (now - timer->deadline_ns) / timer->interval_ns + 1;
            timer->deadline_ns = timer->interval_ns == 0 ? 0 : timer->deadline_ns + missed * timer->interval_ns;
        }
        if (timer->deadline_ns != 0 && timer->deadline_ns < next) next = timer->deadline_ns;
    }
    next_alarm_ns = next;
    spin_unlock(&process_lock, interrupts);
}

static void run_tick_timer(struct process *process, u64 *remaining, u64 interval, int signal) {
    if (*remaining == 0) return;
    *remaining = *remaining > TICK_NS ? *remaining - TICK_NS : 0;
    if (*remaining != 0) return;
    *remaining = interval;
    u64 interrupts = spin_lock(&process_lock);
    send_timer_signal(process, signal);
    spin_unlock(&process_lock, interrupts);
}

/* Each CPU's tick: this tick's time is charged to whoever runs. */
void process_tick(bool from_user) {
    run_real_timers(arch_clock_ns());
    struct process *process = current_process();
    if (process == NULL) return;
    struct process_private *private = process->private;
    if (from_user)
    private->user_ticks++;
    else private->system_ticks++;
    if (from_user) run_tick_timer(process, &private->virtual_remaining_ns, private->virtual_interval_ns, SIGVTALRM);
    run_tick_timer(process, &private->profile_remaining_ns, private->profile_interval_ns, SIGPROF);
}

static struct timer_value timer_value(u64 remaining_ns, u64 interval_ns) {
    remaining_ns = (remaining_ns + 999) / 1000 * 1000; /* an armed timer never reads as zero */
    return (struct timer_value){
        (i64)(interval_ns / NS_PER_SECOND),
        (i64)(interval_ns % NS_PER_SECOND / 1000),
        (i64)(remaining_ns / NS_PER_SECOND),
        (i64)(remaining_ns % NS_PER_SECOND / 1000),
    };
}

static struct timer_value read_timer(struct process_private *private, u64 which) {
    if (which == ITIMER_VIRTUAL) return timer_value(private->virtual_remaining_ns, private->virtual_interval_ns);
    if (which == ITIMER_PROF) return timer_value(private->profile_remaining_ns, private->profile_interval_ns);
    u64 now = arch_clock_ns(), deadline = private->real_timer.deadline_ns;
    u64 remaining = deadline == 0 ? 0 : deadline > now ? deadline - now : 1;
    return timer_value(remaining, private->real_timer.interval_ns);
}

static void write_timer(struct process_private *private, u64 which, u64 ns, u64 interval_ns) {
    if (which == ITIMER_VIRTUAL) {
        private->virtual_remaining_ns = ns;
        private->virtual_interval_ns = interval_ns;
    } else if (which == ITIMER_PROF) {
        private->profile_remaining_ns = ns;
        private->profile_interval_ns = interval_ns;
    } else {
        private->real_timer.deadline_ns = ns == 0 ? 0 : arch_clock_ns() + ns;
        private->real_timer.interval_ns = interval_ns;
        if (ns != 0 && private->real_timer.deadline_ns < next_alarm_ns) next_alarm_ns = private->real_timer.deadline_ns;
    }
}

SYSCALL(getitimer) {
    if (argument[0] > ITIMER_PROF) return -EINVAL;
    u64 interrupts = spin_lock(&process_lock);
    struct timer_value value = read_timer(current_process()->private, argument[0]);
    spin_unlock(&process_lock, interrupts);
    return copy_to_user(argument[1], &value, sizeof(value));
}

static bool is_valid(i64 seconds, i64 microseconds) {
    return seconds >= 0 && seconds < 1000000000l && microseconds >= 0 && microseconds < 1000000;
}

SYSCALL(setitimer) {
    struct timer_value new = { 0 };
    if (argument[0] > ITIMER_PROF) return -EINVAL;
    if (argument[1] != 0 && copy_from_user(&new, argument[1], sizeof(new)) != 0) return -EFAULT;
    if (!is_valid(new.seconds, new.microseconds)) return -EINVAL;
    if (!is_valid(new.interval_seconds, new.interval_microseconds)) return -EINVAL;
    u64 ns = (u64) new.seconds *NS_PER_SECOND + (u64) new.microseconds * 1000;
    u64 interval = (u64) new.interval_seconds *NS_PER_SECOND + (u64) new.interval_microseconds * 1000;
    u64 interrupts = spin_lock(&process_lock);
    struct timer_value old = read_timer(current_process()->private, argument[0]);
    write_timer(current_process()->private, argument[0], ns, interval);
    spin_unlock(&process_lock, interrupts);
    return argument[2] == 0 ? 0 : copy_to_user(argument[2], &old, sizeof(old));
}

SYSCALL(times) {
    const struct process_private *private = current_process()->private;
    u64 result[4] = { private->user_ticks, private->system_ticks, private->child_user_ticks,
                      private->child_system_ticks };
    if (argument[0] != 0 && copy_to_user(argument[0], result, sizeof(result)) != 0) return -EFAULT;
    return (i64)(arch_clock_ns() / TICK_NS);
}

SYSCALL(getrusage) {
    enum { RUSAGE_SELF = 0, RUSAGE_THREAD = 1 };
    const struct process_private *private = current_process()->private;
    i64 who = (i32)argument[0];
    if (who < -1 || who > RUSAGE_THREAD) return -EINVAL;
    u64 user = who < RUSAGE_SELF ? private->child_user_ticks : private->user_ticks;
    u64 system = who < RUSAGE_SELF ? private->child_system_ticks : private->system_ticks;
    u64 usage[18] = { user / 100, user % 100 * 10000, system / 100, system % 100 * 10000 };
    return copy_to_user(argument[1], usage, sizeof(usage));
}
