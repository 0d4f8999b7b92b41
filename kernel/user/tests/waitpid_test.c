/* waitpid: the parent gets each child's status once, by pid, by group or any, and errors where there is none. */
#include "test.h"

static void the_status_tells_exit_from_signal(void) {
    int status;
    pid_t child = test_fork();
    if (child == 0) _exit(300); /* the low eight bits count */
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && !WIFSIGNALED(status) && !WIFSTOPPED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 300 & 0xff);
    child = test_fork();
    if (child == 0) {
        raise(SIGTERM);
        _exit(0);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && !WIFEXITED(status));
    CHECK_EQUAL(WTERMSIG(status), SIGTERM);
    say("exit 44 and signal 15 are told apart");
}

static void a_named_child_is_waited_for_while_others_end(void) {
    struct gate hold = make_gate();
    pid_t slow = test_fork();
    if (slow == 0) {
        pass_gate(hold);
        _exit(1);
    }
    pid_t quick = test_fork();
    if (quick == 0) _exit(2);
    CHECK_EXIT(quick, 2);
    open_gate(hold);
    CHECK_EXIT(slow, 1);
    say("the second child was collected before the first");
}

static void any_child_means_each_once(void) {
    enum { COUNT = 5 };
    int seen = 0, status;
    for (int i = 0; i < COUNT; i++)
        if (test_fork() == 0) _exit(i);
    for (int i = 0; i < COUNT; i++) {
        CHECK_OK(waitpid(-1, &status, 0));
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) < COUNT);
        CHECK((seen & 1 << WEXITSTATUS(status)) == 0);
        seen |= 1 << WEXITSTATUS(status);
    }
    CHECK_ERRNO(waitpid(-1, &status, 0), ECHILD);
    say("%d children, each collected once", COUNT);
}

static void a_group_can_be_waited_for(void) {
    struct gate hold = make_gate();
    int status;
    pid_t in_group = test_fork();
    if (in_group == 0) {
        setpgid(0, 0);
        pass_gate(hold);
        _exit(3);
    }
    CHECK_OK(setpgid(in_group, in_group));
    pid_t outside = test_fork();
    if (outside == 0) _exit(4);
    CHECK_EQUAL(waitpid(0, &status, 0), outside); /* 0: the caller's own group */
    CHECK_EQUAL(WEXITSTATUS(status), 4);
    open_gate(hold);
    CHECK_EQUAL(waitpid(-in_group, &status, 0), in_group);
    CHECK_EQUAL(WEXITSTATUS(status), 3);
    say("children were chosen by their group");
}

static void who_is_no_child_cannot_be_waited_for(void) {
    CHECK_ERRNO(waitpid(getpid(), NULL, 0), ECHILD);
    CHECK_ERRNO(waitpid(getppid(), NULL, WNOHANG), ECHILD);
    CHECK_ERRNO(waitpid(-1, NULL, 0x40000), EINVAL);
    pid_t child = test_fork();
    if (child == 0) _exit(0);
    CHECK_EQUAL(waitpid(child, NULL, 0), child);
    CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD);
    say("strangers and collected children are ECHILD");
}

static void note_signal(int signal) { (void)signal; }

static void a_signal_interrupts_the_wait(void) {
    struct gate hold = make_gate();
    pid_t parent = getpid();
    CHECK_OK(handle_signal(SIGUSR1, note_signal, 0));
    pid_t child = test_fork();
    if (child == 0) {
        /* Often enough: the first may come before the wait. */
        while (!ready_within(hold.fds[0], POLLIN, 5)) kill(parent, SIGUSR1);
        _exit(0);
    }
    CHECK_ERRNO(waitpid(child, NULL, 0), EINTR);
    CHECK_OK(handle_signal(SIGUSR1, SIG_IGN, 0));
    open_gate(hold);
    CHECK_EXIT(child, 0);
    say("waitpid was interrupted by a handler");
}

static void an_orphan_gets_a_new_parent(void) {
    int fds[2];
    pid_t here = getpid(), new_parent = 0;
    struct gate orphaned = make_gate();
    CHECK_OK(pipe(fds));
    pid_t middle = test_fork();
    if (middle == 0) {
        pid_t middle_pid = getpid();
        if (fork() == 0) {
            pass_gate(orphaned);
            for (int i = 0; i < 1000 && getppid() == middle_pid; i++) sleep_ms(1);
            new_parent = getppid();
            write(fds[1], &new_parent, sizeof new_parent);
        }
        _exit(0);
    }
    CHECK_EXIT(middle, 0);
    open_gate(orphaned);
    CHECK_EQUAL(read(fds[0], &new_parent, sizeof new_parent), sizeof new_parent);
    CHECK(new_parent != middle && new_parent != here);
    say("the orphan's parent is now %d", new_parent);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    the_status_tells_exit_from_signal();
    a_named_child_is_waited_for_while_others_end();
    any_child_means_each_once();
    a_group_can_be_waited_for();
    who_is_no_child_cannot_be_waited_for();
    a_signal_interrupts_the_wait();
    an_orphan_gets_a_new_parent();
    return test_pass();
}
