/* sigchld: the end of a child is signalled to its parent, with who and how. */
#include "test.h"

static volatile int calls;
static siginfo_t last;

static void note_child(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    last = *info;
    calls++;
}

static const sigset_t chld = 1ul << (SIGCHLD - 1);

static void handle_sigchld(unsigned long flags) {
    struct sigaction action = { .sa_sigaction = note_child, .sa_flags = SA_SIGINFO | flags };
    CHECK_OK(sigaction(SIGCHLD, &action, NULL));
}

static bool was_called(void) { return calls > 0; }

static void an_exit_is_signalled(void) {
    int status;
    calls = 0;
    pid_t child = test_fork();
    if (child == 0) _exit(33);
    CHECK(happens_within(was_called, 2000));
    CHECK_EQUAL(last.si_signo, SIGCHLD);
    CHECK_EQUAL(last.si_code, CLD_EXITED);
    CHECK_EQUAL(last.si_pid, child);
    CHECK_EQUAL(last.si_status, 33);
    CHECK_EQUAL(waitpid(child, &status, WNOHANG), child); /* signalled: collectable */
    CHECK_EQUAL(WEXITSTATUS(status), 33);
    say("SIGCHLD told of the exit with 33, and the child could be collected at once");
}

static void be_killed(void) { raise(SIGTERM); }

static void a_death_by_signal_is_signalled(void) {
    calls = 0;
    pid_t child = in_child(be_killed);
    CHECK(happens_within(was_called, 2000));
    CHECK_EQUAL(last.si_code, CLD_KILLED);
    CHECK_EQUAL(last.si_pid, child);
    CHECK_EQUAL(last.si_status, SIGTERM);
    CHECK_KILLED(child, SIGTERM);
    say("SIGCHLD told of the death by SIGTERM");
}

static void a_blocked_sigchld_waits_and_many_become_one(void) {
    enum { COUNT = 4 };
    pid_t children[COUNT];
    sigset_t pending;
    CHECK_OK(sigprocmask(SIG_BLOCK, &chld, NULL));
    calls = 0;
    for (int i = 0; i < COUNT; i++)
        if ((children[i] = test_fork()) == 0) _exit(i);
    for (int i = 0; i < COUNT; i++) CHECK_EXIT(children[i], i);
    CHECK_OK(sigpending(&pending));
    CHECK((pending & chld) != 0);
    CHECK_EQUAL(calls, 0);
    CHECK_OK(sigprocmask(SIG_UNBLOCK, &chld, NULL));
    CHECK_EQUAL(calls, 1);
    say("four blocked SIGCHLDs were one");
}

static void it_does_nothing_by_default(void) {
    CHECK_OK(handle_signal(SIGCHLD, SIG_DFL, 0));
    pid_t child = test_fork();
    if (child == 0) _exit(1);
    CHECK_EXIT(child, 1);
    say("the default is to do nothing, and the child waits to be collected");
}

static void ignoring_it_means_no_zombies(void) {
    CHECK_OK(handle_signal(SIGCHLD, SIG_IGN, 0));
    pid_t child = test_fork();
    if (child == 0) _exit(0);
    CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD); /* waits for the end, then there is nobody */
    CHECK_ERRNO(kill(child, 0), ESRCH);
    if (runs_under_user_emulator()) return; /* qemu-user does not pass SA_NOCLDWAIT on */
    handle_sigchld(SA_NOCLDWAIT);
    child = test_fork();
    if (child == 0) _exit(0);
    /* Interrupted by the signal itself, or done. */
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    CHECK_EQUAL(errno, ECHILD);
    say("SIG_IGN and SA_NOCLDWAIT leave no zombie");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    handle_sigchld(0);
    an_exit_is_signalled();
    a_death_by_signal_is_signalled();
    a_blocked_sigchld_waits_and_many_become_one();
    it_does_nothing_by_default();
    ignoring_it_means_no_zombies();
    return test_pass();
}
