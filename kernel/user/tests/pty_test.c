/* pty: pairs of master and slave: a terminal whose other side is a program, in both directions, until one side goes. */
#include "pty.h"
#include "test.h"

static void the_slave_has_a_name_and_a_lock(void) {
    int number, lock = 1;
    struct stat status;
    struct pty pty = open_pty();
    CHECK_OK(ioctl(pty.master, TIOCGPTN, &number));
    CHECK_OK(stat(pty.path, &status));
    CHECK(S_ISCHR(status.st_mode));
    CHECK_OK(ioctl(pty.master, TIOCSPTLCK, &lock));
    CHECK_ERRNO(open(pty.path, O_RDWR | O_NOCTTY), EIO);
    lock = 0;
    CHECK_OK(ioctl(pty.master, TIOCSPTLCK, &lock));
    int slave = open_slave(&pty);
    CHECK(isatty(slave) && isatty(pty.master));
    CHECK_OK(close(slave));
    CHECK_OK(close(pty.master));
    say("/dev/pts/%d came, was locked and unlocked", number);
}

/* Somebody else on the machine may take the number at once: then another try. */
static void the_name_goes_with_the_master(void) {
    struct stat status;
    for (int attempt = 0; attempt < 20; attempt++) {
        struct pty pty = open_pty();
        CHECK_OK(close(pty.master));
        if (stat(pty.path, &status) == 0) {
            sleep_ms(attempt);
            continue;
        }
        CHECK_EQUAL(errno, ENOENT);
        say("%s is gone", pty.path);
        return;
    }
    CHECK(!"a name that goes with its master");
}

static void bytes_go_both_ways(void) {
    struct pty pty = open_pty();
    int slave = open_slave(&pty);
    make_raw(slave);
    CHECK_WRITE(pty.master, "to the slave");
    CHECK_READ(slave, "to the slave");
    CHECK_WRITE(slave, "to the master");
    CHECK_READ(pty.master, "to the master");
    CHECK_OK(close(slave));
    CHECK_OK(close(pty.master));
    say("raw, both ways");
}

static void the_terminals_own_processing_lies_between(void) {
    struct pty pty = open_pty();
    int slave = open_slave(&pty);
    CHECK_WRITE(pty.master, "typed\r");
    CHECK_READ(pty.master, "typed\r\n"); /* the echo */
    CHECK_READ(slave, "typed\n");
    CHECK_WRITE(slave, "line\n");
    CHECK_READ(pty.master, "line\r\n");
    CHECK_OK(close(slave));
    CHECK_OK(close(pty.master));
    say("echo, carriage return to newline, newline to both");
}

static void pairs_do_not_mix(void) {
    enum { COUNT = 3 };
    struct pty ptys[COUNT];
    int slaves[COUNT];
    for (int i = 0; i < COUNT; i++) {
        ptys[i] = open_pty();
        slaves[i] = open_slave(&ptys[i]);
        make_raw(slaves[i]);
        for (int j = 0; j < i; j++) CHECK(strcmp(ptys[i].path, ptys[j].path) != 0);
    }
    for (int i = COUNT - 1; i >= 0; i--) {
        char text[] = { (char)('a' + i), '\0' };
        CHECK_WRITE(ptys[i].master, text);
    }
    CHECK_READ(slaves[0], "a");
    CHECK_READ(slaves[1], "b");
    CHECK_READ(slaves[2], "c");
    for (int i = 0; i < COUNT; i++) {
        CHECK(!ready_within(slaves[i], POLLIN, 0));
        CHECK_OK(close(slaves[i]));
        CHECK_OK(close(ptys[i].master));
    }
    say("three pairs at once");
}

static void the_master_sees_the_slave_go(void) {
    struct pty pty = open_pty();
    char byte;
    int slave = open_slave(&pty), second = open_slave(&pty);
    make_raw(slave);
    CHECK_WRITE(slave, "rest");
    CHECK_OK(close(slave));
    CHECK_READ(pty.master, "rest");
    CHECK(!ready_within(pty.master, POLLIN, 5)); /* one slave is left */
    CHECK_OK(close(second));
    struct pollfd polled = { .fd = pty.master, .events = POLLIN };
    CHECK_EQUAL(poll(&polled, 1, 1000), 1);
    CHECK((polled.revents & POLLHUP) != 0);
    CHECK_ERRNO(read(pty.master, &byte, 1), EIO);
    slave = open_slave(&pty); /* and come back */
    CHECK_WRITE(slave, "back");
    CHECK_READ(pty.master, "back");
    CHECK_OK(close(slave));
    CHECK_OK(close(pty.master));
    say("EIO when the last slave was closed, until one was opened again");
}

static void the_slave_sees_the_master_go(void) {
    struct pty pty = open_pty();
    char byte;
    int slave = open_slave(&pty);
    CHECK_OK(close(pty.master));
    CHECK_EQUAL(read(slave, &byte, 1), 0);
    CHECK_ERRNO(write(slave, "x", 1), EIO);
    CHECK_OK(close(slave));
    say("end of file and EIO when the master was closed");
}

static void wait_for_signals(void) {
    CHECK_WRITE(0, "here");
    for (;;) pause();
}

static void closing_the_master_hangs_up_the_session(void) {
    struct pty pty = open_pty();
    pid_t leader = in_session(&pty, wait_for_signals);
    CHECK_READ(pty.master, "here");
    CHECK_OK(close(pty.master));
    CHECK_KILLED(leader, SIGHUP);
    say("SIGHUP for the session");
}

static void much_output_waits_for_its_reader(void) {
    enum { AMOUNT = 60000 };
    static char buffer[AMOUNT];
    struct pty pty = open_pty();
    int slave = open_slave(&pty);
    make_raw(slave);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(close(pty.master));
        for (int i = 0; i < AMOUNT; i++) buffer[i] = (char)('a' + i % 26);
        for (int sent = 0; sent < AMOUNT;) sent += (int)CHECK_OK(write(slave, buffer + sent, (size_t)(AMOUNT - sent)));
        _exit(0);
    }
    for (int got = 0; got < AMOUNT;) {
        ssize_t size = CHECK_OK(read(pty.master, buffer, sizeof buffer));
        for (ssize_t i = 0; i < size; i++, got++) CHECK_EQUAL(buffer[i], 'a' + got % 26);
    }
    CHECK_EXIT(child, 0);
    CHECK_OK(close(slave));
    CHECK_OK(close(pty.master));
    say("%d bytes through the terminal", AMOUNT);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    the_slave_has_a_name_and_a_lock();
    the_name_goes_with_the_master();
    bytes_go_both_ways();
    the_terminals_own_processing_lies_between();
    pairs_do_not_mix();
    the_master_sees_the_slave_go();
    the_slave_sees_the_master_go();
    closing_the_master_hangs_up_the_session();
    much_output_waits_for_its_reader();
    return test_pass();
}
