/* signal: sending, default actions, ignoring and blocking. */
#include "test.h"

static void sleep_long(void) { sleep_ms(5000); }

static void default_actions_end_stop_or_do_nothing(void) {
    static const int fatal[] = { SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM };
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        int status;
        pid_t child = in_child(sleep_long);
        CHECK_OK(kill(child, fatal[i]));
        CHECK_EQUAL(waitpid(child, &status, 0), child);
        CHECK(WIFSIGNALED(status)); /* SIGQUIT may also say that there is a core */
        CHECK_EQUAL(WTERMSIG(status), fatal[i]);
    }
    CHECK_OK(raise(SIGCHLD));
    CHECK_OK(raise(SIGCONT));
    CHECK_OK(raise(SIGURG));
    CHECK_OK(raise(SIGWINCH));
    say("nine signals kill by default, four do nothing");
}

static void an_ignored_signal_does_nothing(void) {
    CHECK_OK(handle_signal(SIGTERM, SIG_IGN, 0));
    CHECK_OK(raise(SIGTERM));
    CHECK_OK(handle_signal(SIGTERM, SIG_DFL, 0));
    say("SIGTERM was ignored");
}

static void sigkill_cannot_be_ignored_handled_or_blocked(void) {
    CHECK_ERRNO(handle_signal(SIGKILL, SIG_IGN, 0), EINVAL);
    CHECK_ERRNO(handle_signal(SIGSTOP, SIG_IGN, 0), EINVAL);
    CHECK_ERRNO(handle_signal(0, SIG_IGN, 0), EINVAL);
    CHECK_ERRNO(handle_signal(65, SIG_IGN, 0), EINVAL);
    struct gate blocked = make_gate();
    pid_t child = test_fork();
    if (child == 0) {
        sigset_t all = ~0ul, current;
        CHECK_OK(sigprocmask(SIG_SETMASK, &all, NULL));
        CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &current));
        CHECK_EQUAL(current & (signal_bit(SIGKILL) | signal_bit(SIGSTOP)), 0);
        CHECK((current & signal_bit(SIGTERM)) != 0);
        open_gate(blocked);
        sleep_long();
    }
    pass_gate(blocked);
    CHECK_OK(kill(child, SIGTERM)); /* blocked */
    CHECK_OK(kill(child, SIGKILL));
    CHECK_KILLED(child, SIGKILL);
    say("SIGKILL came through a full mask");
}

static void a_blocked_signal_waits_until_it_is_unblocked(void) {
    pid_t child = test_fork();
    if (child == 0) {
        sigset_t term = signal_bit(SIGTERM), pending;
        CHECK_OK(sigprocmask(SIG_BLOCK, &term, NULL));
        CHECK_OK(raise(SIGTERM));
        CHECK_OK(sigpending(&pending));
        CHECK_EQUAL(pending, term);
        CHECK_OK(sigprocmask(SIG_UNBLOCK, &term, NULL));
        _exit(0);
    }
    CHECK_KILLED(child, SIGTERM);
    say("a blocked SIGTERM killed when it was unblocked");
}

static void kill_tells_who_is_not_there(void) {
    pid_t child = test_fork();
    if (child == 0) _exit(0);
    CHECK_EXIT(child, 0);
    CHECK_ERRNO(kill(child, 0), ESRCH);
    CHECK_ERRNO(kill(child, SIGTERM), ESRCH);
    CHECK_ERRNO(kill(getpid(), 65), EINVAL);
    CHECK_ERRNO(kill(getpid(), -1), EINVAL);
    CHECK_OK(kill(getpid(), 0));
    say("a collected child is ESRCH");
}

static void execute_nonsense(void) { execute_undefined_instruction(); }
static void read_null(void) { (void)*(volatile char *)8; }

static void faults_are_signals(void) {
    int status;
    CHECK_EQUAL(waitpid(in_child(execute_nonsense), &status, 0) > 0, true);
    CHECK_EQUAL(WTERMSIG(status), SIGILL);
    CHECK_EQUAL(waitpid(in_child(read_null), &status, 0) > 0, true);
    CHECK_EQUAL(WTERMSIG(status), SIGSEGV);
    say("an undefined instruction is SIGILL, address 8 is SIGSEGV");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    default_actions_end_stop_or_do_nothing();
    an_ignored_signal_does_nothing();
    sigkill_cannot_be_ignored_handled_or_blocked();
    a_blocked_signal_waits_until_it_is_unblocked();
    kill_tells_who_is_not_there();
    faults_are_signals();
    return test_pass();
}
