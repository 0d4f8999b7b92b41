/* fork_pending_signal: signals that are pending for the parent are not pending for the child, and each process gets
 * what is sent to it alone. */
#include "test.h"

static volatile int usr1_count, usr2_count;

static void count_signal(int signal) {
    if (signal == SIGUSR1) usr1_count++;
    if (signal == SIGUSR2) usr2_count++;
}

static const sigset_t both = 1ul << (SIGUSR1 - 1) | 1ul << (SIGUSR2 - 1);

static void the_childs_pending_set_is_empty(void) {
    sigset_t pending;
    CHECK_OK(sigprocmask(SIG_BLOCK, &both, NULL));
    CHECK_OK(raise(SIGUSR1));
    CHECK_OK(raise(SIGUSR2));
    CHECK_OK(sigpending(&pending));
    CHECK_EQUAL(pending & both, both);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(sigpending(&pending));
        CHECK_EQUAL(pending, 0);
        CHECK_OK(sigprocmask(SIG_UNBLOCK, &both, NULL));
        CHECK_EQUAL(usr1_count + usr2_count, 0);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    say("the child began with nothing pending");
}

static void the_parents_signals_are_still_delivered_once_each(void) {
    sigset_t pending;
    CHECK_OK(sigpending(&pending));
    CHECK_EQUAL(pending & both, both);
    CHECK_OK(sigprocmask(SIG_UNBLOCK, &both, NULL));
    CHECK_EQUAL(usr1_count, 1);
    CHECK_EQUAL(usr2_count, 1);
    say("the parent got its two when it unblocked them");
}

static void a_signal_sent_to_the_child_waits_in_the_child_alone(void) {
    struct gate sent = make_gate();
    sigset_t pending;
    usr1_count = 0;
    CHECK_OK(sigprocmask(SIG_BLOCK, &both, NULL));
    pid_t child = test_fork();
    if (child == 0) {
        pass_gate(sent);
        CHECK_OK(sigpending(&pending));
        CHECK_EQUAL(pending & both, signal_bit(SIGUSR1));
        CHECK_OK(sigprocmask(SIG_UNBLOCK, &both, NULL));
        CHECK_EQUAL(usr1_count, 1);
        _exit(0);
    }
    CHECK_OK(kill(child, SIGUSR1));
    CHECK_OK(sigpending(&pending));
    CHECK_EQUAL(pending & both, 0);
    open_gate(sent);
    CHECK_EXIT(child, 0);
    CHECK_OK(sigprocmask(SIG_UNBLOCK, &both, NULL));
    CHECK_EQUAL(usr1_count, 0);
    say("a signal for the child did not reach the parent");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    CHECK_OK(handle_signal(SIGUSR1, count_signal, 0));
    CHECK_OK(handle_signal(SIGUSR2, count_signal, 0));
    the_childs_pending_set_is_empty();
    the_parents_signals_are_still_delivered_once_each();
    a_signal_sent_to_the_child_waits_in_the_child_alone();
    return test_pass();
}
