/* pause: sleeps until a handler has run, and then gives EINTR; ignored and blocked signals do not wake it. */
#include "test.h"

static volatile int calls;
static void count_signal(int signal) { calls += signal == SIGUSR1; }

/* A signal between the look and the pause would be missed for ever: so it is sent again and again. */
static pid_t start_sender(int signal, struct gate stop) {
    pid_t target = getpid(), child = test_fork();
    if (child != 0) return child;
    while (!ready_within(stop.fds[0], POLLIN, 10)) kill(target, signal);
    _exit(0);
}

static void a_handled_signal_ends_it_with_eintr(void) {
    struct gate stop = make_gate();
    long started = now_ms();
    CHECK_OK(handle_signal(SIGUSR1, count_signal, 0));
    pid_t sender = start_sender(SIGUSR1, stop);
    CHECK_ERRNO(pause(), EINTR);
    long elapsed = now_ms() - started;
    CHECK(calls >= 1);
    CHECK(elapsed >= 9);
    CHECK_OK(handle_signal(SIGUSR1, SIG_IGN, 0));
    open_gate(stop);
    CHECK_EXIT(sender, 0);
    say("EINTR after %ld ms", elapsed);
}

static void sa_restart_does_not_restart_it(void) {
    struct gate stop = make_gate();
    CHECK_OK(handle_signal(SIGUSR1, count_signal, SA_RESTART));
    pid_t sender = start_sender(SIGUSR1, stop);
    CHECK_ERRNO(pause(), EINTR);
    CHECK_OK(handle_signal(SIGUSR1, SIG_IGN, 0));
    open_gate(stop);
    CHECK_EXIT(sender, 0);
    say("EINTR in spite of SA_RESTART");
}

static void pause_among_ignored_and_blocked_signals(void) {
    sigset_t usr2 = signal_bit(SIGUSR2);
    CHECK_OK(handle_signal(SIGHUP, SIG_IGN, 0));
    CHECK_OK(sigprocmask(SIG_BLOCK, &usr2, NULL));
    pause();
}

static void ignored_and_blocked_signals_do_not_end_it(void) {
    int status;
    pid_t child = in_child(pause_among_ignored_and_blocked_signals);
    sleep_ms(10);
    for (int i = 0; i < 5; i++) {
        CHECK_OK(kill(child, SIGCHLD));
        sleep_ms(2);
    }
    CHECK_EQUAL(waitpid(child, &status, WNOHANG), 0);
    CHECK_OK(kill(child, SIGKILL));
    CHECK_KILLED(child, SIGKILL);
    say("a pause outlasted signals without handlers");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    a_handled_signal_ends_it_with_eintr();
    sa_restart_does_not_restart_it();
    ignored_and_blocked_signals_do_not_end_it();
    return test_pass();
}
