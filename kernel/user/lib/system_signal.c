#include "system_call.h"

extern void signal_restorer(void); /* arch/<a>/start.S */

int kill(pid_t pid, int signal) { return (int)system_call(SYS_kill, pid, signal); }
int raise(int signal) { return kill(getpid(), signal); }

int sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
    struct sigaction copy;
    if (action != NULL) {
        copy = *action;
        copy.sa_flags |= SA_RESTORER;
        copy.sa_restorer = signal_restorer;
        action = &copy;
    }
    return (int)system_call(SYS_rt_sigaction, signal, action, old, sizeof(sigset_t));
}

int handle_signal(int signal, signal_handler handler, unsigned long flags) {
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
    return sigaction(signal, &action, NULL);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old) {
    return (int)system_call(SYS_rt_sigprocmask, how, set, old, sizeof(sigset_t));
}
int sigpending(sigset_t *set) { return (int)system_call(SYS_rt_sigpending, set, sizeof *set); }
int sigsuspend(const sigset_t *mask) { return (int)system_call(SYS_rt_sigsuspend, mask, sizeof *mask); }
int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout) {
    return (int)system_call(SYS_rt_sigtimedwait, set, info, timeout, sizeof *set);
}

int pause(void) { return ppoll(NULL, 0, NULL, NULL); }

unsigned alarm(unsigned seconds) {
    struct itimerval timer = { .it_value = { .tv_sec = seconds } }, old = { 0 };
    setitimer(ITIMER_REAL, &timer, &old);
    return (unsigned)old.it_value.tv_sec + (old.it_value.tv_usec > 0);
}

int setitimer(int which, const struct itimerval *value, struct itimerval *old) {
    return (int)system_call(SYS_setitimer, which, value, old);
}
int getitimer(int which, struct itimerval *value) { return (int)system_call(SYS_getitimer, which, value); }
int nanosleep(const struct timespec *duration, struct timespec *remaining) {
    return (int)system_call(SYS_nanosleep, duration, remaining);
}
int clock_nanosleep(int clock, int flags, const struct timespec *time, struct timespec *remaining) {
    return system_call(SYS_clock_nanosleep, clock, flags, time, remaining) < 0 ? errno : 0;
}
int clock_gettime(int clock, struct timespec *time) { return (int)system_call(SYS_clock_gettime, clock, time); }
int clock_getres(int clock, struct timespec *resolution) {
    return (int)system_call(SYS_clock_getres, clock, resolution);
}
int gettimeofday(struct timeval *time, void *zone) { return (int)system_call(SYS_gettimeofday, time, zone); }

/* The kernel writes back the time that is left: callers keep theirs. */
int ppoll(struct pollfd *polled, unsigned long count, const struct timespec *timeout, const sigset_t *mask) {
    struct timespec left;
    if (timeout != NULL) left = *timeout;
    return (int)system_call(SYS_ppoll, polled, count, timeout ? &left : NULL, mask, sizeof(sigset_t));
}

int poll(struct pollfd *polled, unsigned long count, int milliseconds) {
    struct timespec timeout = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
    return ppoll(polled, count, milliseconds < 0 ? NULL : &timeout, NULL);
}
