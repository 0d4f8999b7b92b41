/* session: setsid makes a session and a group without a terminal; a session takes a terminal, and loses it with its
 * leader. */
#include "pty.h"
#include "test.h"

static void become_a_leader(void) {
    pid_t old_session = getsid(0);
    CHECK_EQUAL(setsid(), getpid());
    CHECK_EQUAL(getsid(0), getpid());
    CHECK_EQUAL(getpgrp(), getpid());
    CHECK(getsid(0) != old_session);
    CHECK_ERRNO(setsid(), EPERM); /* is the leader of a group now */
    CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_EQUAL(getsid(0), getppid()); /* inherited */
        CHECK_OK(setpgid(0, 0));
        CHECK_ERRNO(setsid(), EPERM);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
}

static void setsid_makes_a_session_a_group_and_no_terminal(void) {
    CHECK_EXIT(in_child(become_a_leader), 0);
    say("leader of session and group, without a terminal");
}

static void sessions_of_others_are_told(void) {
    struct gate ready = make_gate(), hold = make_gate();
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(setsid());
        open_gate(ready);
        pass_gate(hold);
        _exit(0);
    }
    pass_gate(ready);
    CHECK_EQUAL(getsid(child), child);
    CHECK_EQUAL(getpgid(child), child);
    CHECK(getsid(0) != child);
    CHECK_ERRNO(setpgid(child, getpgrp()), EPERM); /* not across sessions */
    open_gate(hold);
    CHECK_EXIT(child, 0);
    CHECK_ERRNO(getsid(0x7ffffff0), ESRCH);
    CHECK_ERRNO(getpgid(0x7ffffff0), ESRCH);
    say("getsid and getpgid of a child; no group across sessions");
}

static struct pty pty;

static void take_the_terminal(void) {
    pid_t session = 0;
    CHECK_OK(ioctl(0, TIOCGSID, &session));
    if (!runs_under_user_emulator()) CHECK_EQUAL(session, getpid()); /* qemu-user does not copy the result back */
    CHECK_EQUAL(tcgetpgrp(0), getpid());
    CHECK_ERRNO(tcsetpgrp(0, getppid()), EPERM); /* a group of another session */
    CHECK_WRITE(0, "taken");
    pid_t thief = test_fork();
    if (thief == 0) {
        CHECK_OK(setsid());
        int fd = (int)CHECK_OK(open(pty.path, O_RDWR | O_NOCTTY));
        CHECK_ERRNO(tcgetpgrp(fd), ENOTTY); /* not its own */
        if (getuid() != 0) CHECK_ERRNO(ioctl(fd, TIOCSCTTY, 0l), EPERM);
        _exit(0);
    }
    CHECK_EXIT(thief, 0);
    CHECK_EQUAL(tcgetpgrp(0), getpid());
}

static void a_session_takes_a_terminal_for_itself(void) {
    pty = open_pty();
    pid_t leader = in_session(&pty, take_the_terminal);
    CHECK_READ(pty.master, "taken");
    CHECK_EXIT(leader, 0);
    CHECK_OK(close(pty.master));
    say("the terminal belongs to one session");
}

static struct gate survivor_ready, leader_gone;
static volatile int hangups;
static void count_hangup(int signal) { hangups += signal == SIGHUP; }

/* In the leader's group, which is the foreground: it gets SIGHUP when the leader ends, and the terminal is gone. */
static void leave_a_member_behind(void) {
    pid_t leader = getpid();
    if (fork() == 0) {
        CHECK_OK(handle_signal(SIGHUP, count_hangup, 0));
        int own = (int)CHECK_OK(open("/dev/tty", O_RDWR));
        CHECK_OK(close(own));
        open_gate(survivor_ready);
        for (int i = 0; i < 2000 && hangups == 0; i++) sleep_ms(1);
        CHECK_EQUAL(hangups, 1);
        CHECK_EQUAL(getsid(0), leader);
        CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
        open_gate(leader_gone);
        _exit(0);
    }
    pass_gate(survivor_ready);
}

static void the_leaders_end_hangs_up(void) {
    survivor_ready = make_gate();
    leader_gone = make_gate();
    pty = open_pty();
    pid_t leader = in_session(&pty, leave_a_member_behind);
    CHECK_EXIT(leader, 0);
    pass_gate(leader_gone);
    CHECK_OK(close(pty.master));
    say("SIGHUP for the foreground, and no terminal any more");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    setsid_makes_a_session_a_group_and_no_terminal();
    sessions_of_others_are_told();
    a_session_takes_a_terminal_for_itself();
    the_leaders_end_hangs_up();
    return test_pass();
}
