/* signal_fork: handlers live on in a child, as its own; signals between parent and child arrive. */
#include "test.h"

static volatile int calls;
static void count_signal(int signal) { calls += signal == SIGUSR1; }
static void count_ten(int signal) { calls += signal == SIGUSR1 ? 10 : 0; }

static void the_childs_handler_counts_for_the_child(void) {
    calls = 0;
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(raise(SIGUSR1));
        CHECK_EQUAL(calls, 1);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_EQUAL(calls, 0);
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQUAL(calls, 1);
    say("the inherited handler ran in the child alone");
}

static void changing_the_action_in_a_child_leaves_the_parents(void) {
    struct sigaction action;
    calls = 0;
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(handle_signal(SIGUSR1, count_ten, 0));
        CHECK_OK(raise(SIGUSR1));
        CHECK_EQUAL(calls, 10);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_OK(sigaction(SIGUSR1, NULL, &action));
    CHECK(action.sa_handler == count_signal);
    say("the child's new handler is the child's");
}

static void parent_and_child_signal_each_other(void) {
    enum { ROUNDS = 50 };
    sigset_t usr1 = signal_bit(SIGUSR1), old;
    pid_t parent = getpid();
    CHECK_OK(sigprocmask(SIG_BLOCK, &usr1, &old));
    calls = 0;
    pid_t child = test_fork();
    for (int i = 0; i < ROUNDS; i++) {
        if (child != 0) CHECK_OK(kill(child, SIGUSR1));
        while (calls == i) CHECK_ERRNO(sigsuspend(&old), EINTR);
        CHECK_EQUAL(calls, i + 1);
        if (child == 0) CHECK_OK(kill(parent, SIGUSR1));
    }
    if (child == 0) _exit(0);
    CHECK_EXIT(child, 0);
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    say("%d signals went each way, one for one", ROUNDS);
}

static void a_child_forked_inside_a_handler_lives(int signal) {
    (void)signal;
    pid_t child = test_fork();
    if (child == 0) _exit(9);
    CHECK_EXIT(child, 9);
    calls = 100;
}

static void fork_works_in_a_handler(void) {
    CHECK_OK(handle_signal(SIGUSR2, a_child_forked_inside_a_handler_lives, 0));
    CHECK_OK(raise(SIGUSR2));
    CHECK_EQUAL(calls, 100);
    say("a handler forked and collected its child");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    CHECK_OK(handle_signal(SIGUSR1, count_signal, 0));
    the_childs_handler_counts_for_the_child();
    changing_the_action_in_a_child_leaves_the_parents();
    parent_and_child_signal_each_other();
    fork_works_in_a_handler();
    return test_pass();
}
