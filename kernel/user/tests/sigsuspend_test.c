/* sigsuspend: sleeps with another mask until a handler has run, then has the old mask again; no signal falls between
 * the change of mask and the sleep. */
#include "test.h"

static volatile int usr1_calls, usr2_calls;

static void count_signal(int signal) {
    if (signal == SIGUSR1) usr1_calls++;
    if (signal == SIGUSR2) usr2_calls++;
}

static const sigset_t usr1 = 1ul << (SIGUSR1 - 1), usr2 = 1ul << (SIGUSR2 - 1);

static void a_pending_signal_ends_it_at_once(void) {
    sigset_t none = 0, current;
    CHECK_OK(sigprocmask(SIG_SETMASK, &usr1, NULL));
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQUAL(usr1_calls, 0);
    CHECK_ERRNO(sigsuspend(&none), EINTR);
    CHECK_EQUAL(usr1_calls, 1);
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &current));
    CHECK_EQUAL(current, usr1);
    say("EINTR, with the old mask back");
}

static void signals_of_the_temporary_mask_do_not_end_it(void) {
    sigset_t both = usr1 | usr2, pending;
    CHECK_OK(sigprocmask(SIG_SETMASK, &both, NULL));
    CHECK_OK(raise(SIGUSR2));
    pid_t parent = getpid(), child = test_fork();
    if (child == 0) {
        sleep_ms(20);
        _exit(kill(parent, SIGUSR1) < 0);
    }
    usr1_calls = usr2_calls = 0;
    CHECK_ERRNO(sigsuspend(&usr2), EINTR);
    CHECK_EQUAL(usr1_calls, 1);
    CHECK_EQUAL(usr2_calls, 0);
    CHECK_OK(sigpending(&pending));
    CHECK_EQUAL(pending & both, usr2);
    CHECK_EXIT(child, 0);
    CHECK_OK(sigprocmask(SIG_UNBLOCK, &both, NULL));
    CHECK_EQUAL(usr2_calls, 1);
    say("SIGUSR1 ended it, the blocked SIGUSR2 waited");
}

static void ignored_signals_do_not_end_it(void) {
    sigset_t none = 0;
    CHECK_OK(sigprocmask(SIG_SETMASK, &usr1, NULL));
    CHECK_OK(handle_signal(SIGHUP, SIG_IGN, 0));
    pid_t parent = getpid(), child = test_fork();
    if (child == 0) {
        for (int i = 0; i < 4; i++) {
            sleep_ms(5);
            CHECK_OK(kill(parent, SIGHUP));
        }
        _exit(kill(parent, SIGUSR1) < 0);
    }
    usr1_calls = 0;
    CHECK_ERRNO(sigsuspend(&none), EINTR);
    CHECK_EQUAL(usr1_calls, 1);
    CHECK_EXIT(child, 0);
    say("four ignored signals did not wake it");
}

static void wait_in_sigsuspend(void) {
    sigset_t none = 0;
    sigsuspend(&none);
}

static void a_fatal_signal_kills_in_it(void) {
    pid_t child = in_child(wait_in_sigsuspend);
    sleep_ms(5);
    CHECK_OK(kill(child, SIGTERM));
    CHECK_KILLED(child, SIGTERM);
    say("SIGTERM killed a process in sigsuspend");
}

/* Were there a gap, one of the answers would be lost and both would wait for ever. */
static void no_signal_is_lost_in_many_rounds(void) {
    enum { ROUNDS = 200 };
    sigset_t none = 0;
    CHECK_OK(sigprocmask(SIG_SETMASK, &usr1, NULL));
    usr1_calls = 0;
    pid_t parent = getpid(), child = test_fork();
    for (int i = 1; i <= ROUNDS; i++) {
        if (child == 0) CHECK_OK(kill(parent, SIGUSR1));
        while (usr1_calls < i) CHECK_ERRNO(sigsuspend(&none), EINTR);
        if (child != 0) CHECK_OK(kill(child, SIGUSR1));
    }
    if (child == 0) _exit(0);
    CHECK_EXIT(child, 0);
    CHECK_EQUAL(usr1_calls, ROUNDS);
    say("%d rounds of ping and pong", ROUNDS);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    CHECK_OK(handle_signal(SIGUSR1, count_signal, 0));
    CHECK_OK(handle_signal(SIGUSR2, count_signal, 0));
    a_pending_signal_ends_it_at_once();
    signals_of_the_temporary_mask_do_not_end_it();
    ignored_signals_do_not_end_it();
    a_fatal_signal_kills_in_it();
    no_signal_is_lost_in_many_rounds();
    return test_pass();
}
