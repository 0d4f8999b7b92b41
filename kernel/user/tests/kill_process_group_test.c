/* kill_process_group: a signal for a group reaches its members, all of them and nobody else. */
#include "test.h"

enum { MEMBERS = 3 };

static void wait_for_signals(struct gate ready, pid_t group) {
    CHECK_OK(setpgid(0, group));
    open_gate(ready);
    for (;;) pause();
}

static pid_t start_group(pid_t *members) {
    struct gate ready = make_gate();
    for (int i = 0; i < MEMBERS; i++) {
        members[i] = test_fork();
        if (members[i] == 0) wait_for_signals(ready, i == 0 ? 0 : members[0]);
        setpgid(members[i], members[0]);
    }
    for (int i = 0; i < MEMBERS; i++) {
        pass_gate(ready);
        CHECK_EQUAL(getpgid(members[i]), members[0]);
    }
    return members[0];
}

static void all_members_are_killed_and_nobody_else(void) {
    pid_t first[MEMBERS], second[MEMBERS];
    pid_t group = start_group(first);
    pid_t other = start_group(second);
    CHECK(getpgrp() != group && getpgrp() != other);
    CHECK_OK(kill(-group, SIGTERM));
    for (int i = 0; i < MEMBERS; i++) CHECK_KILLED(first[i], SIGTERM);
    CHECK_EQUAL(waitpid(-other, NULL, WNOHANG), 0);
    CHECK_OK(kill(-other, SIGKILL));
    for (int i = 0; i < MEMBERS; i++) CHECK_KILLED(second[i], SIGKILL);
    CHECK_ERRNO(kill(-group, 0), ESRCH);
    say("two groups of %d died one after the other", MEMBERS);
}

static void a_group_lives_on_without_its_leader(void) {
    pid_t members[MEMBERS];
    pid_t group = start_group(members);
    CHECK_OK(kill(members[0], SIGKILL));
    CHECK_KILLED(members[0], SIGKILL);
    CHECK_OK(kill(-group, 0));
    CHECK_OK(kill(-group, SIGUSR1));
    CHECK_KILLED(members[1], SIGUSR1);
    CHECK_KILLED(members[2], SIGUSR1);
    say("the group was reached when its leader had gone");
}

static volatile int calls;
static void count_signal(int signal) { calls += signal == SIGUSR2; }

/* In a group of its own, so that nobody outside the test is reached. */
static void signal_own_group(void) {
    CHECK_OK(setpgid(0, 0));
    CHECK_EQUAL(getpgrp(), getpid());
    CHECK_OK(handle_signal(SIGUSR2, count_signal, 0));
    struct gate ready = make_gate(), hold = make_gate();
    pid_t child = test_fork();
    if (child == 0) {
        open_gate(ready);
        while (calls == 0) sleep_ms(1);
        pass_gate(hold);
        _exit(calls);
    }
    pass_gate(ready);
    CHECK_OK(kill(0, SIGUSR2));
    CHECK_EQUAL(calls, 1);
    open_gate(hold);
    CHECK_EXIT(child, 1);
}

static void pid_zero_is_the_own_group(void) {
    CHECK_EXIT(in_child(signal_own_group), 0);
    CHECK_EQUAL(calls, 0);
    say("kill(0) reached the sender and its child");
}

static void groups_cannot_be_joined_at_will(void) {
    CHECK_ERRNO(setpgid(0, -1), EINVAL);
    CHECK_ERRNO(kill(-0x7fffff0, SIGTERM), ESRCH);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(setsid());
        CHECK_ERRNO(setpgid(0, 0), EPERM); /* a session leader stays */
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_ERRNO(setpgid(getppid(), 0), ESRCH); /* no child of ours */
    say("a wrong group, a session leader and a stranger are refused");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    all_members_are_killed_and_nobody_else();
    a_group_lives_on_without_its_leader();
    pid_zero_is_the_own_group();
    groups_cannot_be_joined_at_will();
    return test_pass();
}
