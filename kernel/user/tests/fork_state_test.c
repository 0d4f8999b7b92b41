/* fork_state: what a child inherits (directory, umask, group, session, handlers, mask, descriptors with their offset)
 * and what it does not (pid, pending signals, timers). */
#include "test.h"

static void directory_umask_group_and_session_are_inherited(void) {
    char before[PATH_MAX], in_the_child[PATH_MAX];
    enter_scratch_directory();
    CHECK(getcwd(before, sizeof before) != NULL);
    umask(0027);
    pid_t group = getpgrp(), session = getsid(0);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK(getcwd(in_the_child, sizeof in_the_child) != NULL);
        CHECK_TEXT(in_the_child, before);
        CHECK_EQUAL(umask(0), 0027);
        CHECK_EQUAL(getpgrp(), group);
        CHECK_EQUAL(getsid(0), session);
        CHECK_EQUAL(getuid(), getuid());
        CHECK_OK(chdir("/"));
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK(getcwd(in_the_child, sizeof in_the_child) != NULL);
    CHECK_TEXT(in_the_child, before);
    CHECK_EQUAL(umask(022), 0027);
    say("directory and umask are inherited, and then the child's own");
}

static volatile int handled;
static void count_signal(int signal) { handled += signal == SIGUSR1; }

static void handlers_and_mask_are_inherited_but_pending_signals_are_not(void) {
    sigset_t blocked = signal_bit(SIGUSR1), current, pending;
    CHECK_OK(handle_signal(SIGUSR1, count_signal, 0));
    CHECK_OK(handle_signal(SIGUSR2, SIG_IGN, 0));
    CHECK_OK(sigprocmask(SIG_BLOCK, &blocked, NULL));
    CHECK_OK(raise(SIGUSR1));
    pid_t child = test_fork();
    if (child == 0) {
        struct sigaction action;
        CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &current));
        CHECK((current & blocked) != 0);
        CHECK_OK(sigpending(&pending));
        CHECK_EQUAL(pending & blocked, 0);
        CHECK_OK(sigaction(SIGUSR1, NULL, &action));
        CHECK(action.sa_handler == count_signal);
        CHECK_OK(sigaction(SIGUSR2, NULL, &action));
        CHECK(action.sa_handler == SIG_IGN);
        CHECK_OK(sigprocmask(SIG_UNBLOCK, &blocked, NULL));
        CHECK_EQUAL(handled, 0);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_OK(sigpending(&pending));
    CHECK((pending & blocked) != 0);
    CHECK_OK(sigprocmask(SIG_UNBLOCK, &blocked, NULL));
    CHECK_EQUAL(handled, 1);
    say("handlers and mask are inherited, what is pending stays with the parent");
}

static void timers_are_not_inherited(void) {
    pid_t child = test_fork();
    if (child == 0) {
        struct itimerval timer;
        CHECK_OK(getitimer(ITIMER_REAL, &timer));
        CHECK_EQUAL(timer.it_value.tv_sec * 1000000 + timer.it_value.tv_usec, 0);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    say("the child has no timer");
}

static void descriptors_are_copied_and_the_offset_is_shared(void) {
    write_file("offset", "0123456789");
    int fd = (int)CHECK_OK(open("offset", O_RDONLY));
    int closed_in_child = dup(fd);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_READ(fd, "0123");
        CHECK_OK(close(closed_in_child));
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_OK(fcntl(closed_in_child, F_GETFD));
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 4);
    CHECK_READ(closed_in_child, "4567");
    CHECK_READ(fd, "89");
    say("the table is the child's own, the offset is shared");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    directory_umask_group_and_session_are_inherited();
    handlers_and_mask_are_inherited_but_pending_signals_are_not();
    timers_are_not_inherited();
    descriptors_are_copied_and_the_offset_is_shared();
    return test_pass();
}
