/* tty: a terminal's modes: lines with editing, echo, single bytes, window size; and /dev/tty, the controlling one. */
#include "pty.h"
#include "test.h"

static struct pty pty;
static int slave;

static void modes_can_be_read_and_set(void) {
    struct termios modes, again;
    CHECK_OK(tcgetattr(slave, &modes));
    CHECK((modes.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG));
    CHECK((modes.c_iflag & ICRNL) != 0);
    CHECK((modes.c_oflag & (OPOST | ONLCR)) == (OPOST | ONLCR));
    CHECK_EQUAL(modes.c_cc[VINTR], 3);
    CHECK_EQUAL(modes.c_cc[VEOF], 4);
    CHECK_EQUAL(modes.c_cc[VERASE], 0x7f);
    struct termios changed = modes;
    changed.c_lflag &= ~(uint32_t)ECHO;
    changed.c_cc[VINTR] = 'x';
    CHECK_OK(tcsetattr(slave, &changed));
    CHECK_OK(tcgetattr(slave, &again));
    CHECK_EQUAL(again.c_lflag, changed.c_lflag);
    CHECK_EQUAL(again.c_cc[VINTR], 'x');
    CHECK_OK(tcsetattr(slave, &modes));
    int fds[2];
    CHECK_OK(pipe(fds));
    CHECK_ERRNO(tcgetattr(fds[0], &modes), ENOTTY);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    say("the modes are a terminal's, and stay as they are set");
}

static void lines_come_whole_and_one_at_a_time(void) {
    char buffer[64];
    CHECK_WRITE(pty.master, "unfinished");
    CHECK(!ready_within(slave, POLLIN, 10));
    CHECK_WRITE(pty.master, " now\nsecond\nthird\n");
    CHECK_EQUAL(read(slave, buffer, sizeof buffer), 15);
    CHECK_EQUAL(memcmp(buffer, "unfinished now\n", 15), 0);
    CHECK_EQUAL(read(slave, buffer, 3), 3); /* a part of the line, the rest stays */
    CHECK_EQUAL(read(slave, buffer + 3, sizeof buffer - 3), 4);
    CHECK_EQUAL(memcmp(buffer, "second\n", 7), 0);
    CHECK_EQUAL(read(slave, buffer, sizeof buffer), 6);
    CHECK_READ(pty.master, "unfinished now\r\nsecond\r\nthird\r\n");
    say("three lines, three reads");
}

static void lines_can_be_edited(void) {
    CHECK_WRITE(pty.master, "abX\177c\n");
    CHECK_READ(slave, "abc\n");
    CHECK_READ(pty.master, "abX\b \bc\r\n");
    CHECK_WRITE(pty.master, "wrong\025right\n"); /* ^U */
    CHECK_READ(slave, "right\n");
    CHECK_WRITE(pty.master, "\177\177ok\n"); /* nothing to erase */
    CHECK_READ(slave, "ok\n");
    say("erase and kill");
}

static void control_d_ends_the_input(void) {
    char buffer[16];
    CHECK_WRITE(pty.master, "\004");
    CHECK_EQUAL(read(slave, buffer, sizeof buffer), 0);
    CHECK_WRITE(pty.master, "part\004");
    CHECK_EQUAL(read(slave, buffer, sizeof buffer), 4); /* what there is, without a newline */
    CHECK_WRITE(pty.master, "after\n");
    CHECK_READ(slave, "after\n");
    say("^D at the beginning is the end, in a line it gives the line");
}

static void flush_terminal(const struct termios *modes) {
    char buffer[256];
    CHECK_OK(ioctl(slave, TCSETSF, modes));
    while (ready_within(pty.master, POLLIN, 0)) CHECK_OK(read(pty.master, buffer, sizeof buffer));
}

static void echo_can_be_switched_off(void) {
    struct termios modes;
    CHECK_OK(tcgetattr(slave, &modes));
    flush_terminal(&modes);
    modes.c_lflag &= ~(uint32_t)ECHO;
    CHECK_OK(tcsetattr(slave, &modes));
    CHECK_WRITE(pty.master, "secret\n");
    CHECK_READ(slave, "secret\n");
    CHECK(!ready_within(pty.master, POLLIN, 5));
    modes.c_lflag |= ECHO;
    CHECK_OK(tcsetattr(slave, &modes));
    say("a secret was not echoed");
}

static void raw_mode_gives_single_bytes(void) {
    struct termios modes, saved;
    char buffer[16];
    int waiting = -1;
    CHECK_OK(tcgetattr(slave, &saved));
    make_raw(slave);
    CHECK_WRITE(pty.master, "\003\r\004z");
    CHECK(ready_within(slave, POLLIN, 2000)); /* a terminal may take its time */
    CHECK_OK(ioctl(slave, FIONREAD, &waiting));
    CHECK_EQUAL(waiting, 4);
    CHECK_EQUAL(read(slave, buffer, sizeof buffer), 4);
    CHECK_EQUAL(memcmp(buffer, "\003\r\004z", 4), 0);
    CHECK_OK(tcgetattr(slave, &modes));
    modes.c_cc[VMIN] = 0;
    CHECK_OK(tcsetattr(slave, &modes));
    CHECK_EQUAL(read(slave, buffer, sizeof buffer), 0); /* VMIN 0, VTIME 0: at once */
    modes.c_cc[VTIME] = 1;
    CHECK_OK(tcsetattr(slave, &modes));
    long started = now_ms();
    CHECK_EQUAL(read(slave, buffer, sizeof buffer), 0);
    CHECK(now_ms() - started >= 90);
    CHECK_OK(tcsetattr(slave, &saved));
    say("control characters as bytes; VMIN and VTIME");
}

static void the_window_size_is_shared(void) {
    struct winsize size = { 25, 91, 0, 0 }, seen;
    CHECK_OK(ioctl(pty.master, TIOCSWINSZ, &size));
    CHECK_OK(ioctl(slave, TIOCGWINSZ, &seen));
    CHECK_EQUAL(seen.ws_row, 25);
    CHECK_EQUAL(seen.ws_col, 91);
    say("25 rows of 91 columns");
}

static volatile int resized;
static void note_resize(int signal) { resized += signal == SIGWINCH; }

static void use_the_controlling_terminal(void) {
    char buffer[8];
    int fd = (int)CHECK_OK(open("/dev/tty", O_RDWR));
    CHECK_OK(handle_signal(SIGWINCH, note_resize, 0));
    CHECK_WRITE(fd, "through /dev/tty");
    CHECK_EQUAL(read(fd, buffer, sizeof buffer), 3);
    CHECK_EQUAL(tcgetpgrp(fd), getpgrp());
    CHECK_WRITE(fd, "resize");
    for (int i = 0; i < 2000 && resized == 0; i++) sleep_ms(1);
    CHECK_EQUAL(resized, 1);
    CHECK_OK(setsid() < 0 ? 0 : -1); /* a leader stays one */
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(setsid());
        CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
}

static void dev_tty_is_the_controlling_terminal(void) {
    struct winsize size = { 30, 100, 0, 0 };
    struct pty other = open_pty();
    pid_t leader = in_session(&other, use_the_controlling_terminal);
    CHECK_READ(other.master, "through /dev/tty");
    CHECK_WRITE(other.master, "in\n");
    CHECK_READ(other.master, "in\r\nresize");
    CHECK_OK(ioctl(other.master, TIOCSWINSZ, &size));
    CHECK_EXIT(leader, 0);
    CHECK_OK(close(other.master));
    say("written, read and resized; ENXIO without one");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    pty = open_pty();
    slave = open_slave(&pty);
    modes_can_be_read_and_set();
    lines_come_whole_and_one_at_a_time();
    lines_can_be_edited();
    control_d_ends_the_input();
    echo_can_be_switched_off();
    raw_mode_gives_single_bytes();
    the_window_size_is_shared();
    dev_tty_is_the_controlling_terminal();
    return test_pass();
}
