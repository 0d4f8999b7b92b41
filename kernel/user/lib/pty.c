#include "pty.h"
#include "test.h"

struct pty open_pty(void) {
    struct pty pty = { .master = open("/dev/ptmx", O_RDWR | O_NOCTTY) };
    int unlock = 0, number;
    if (pty.master < 0) test_skip("/dev/ptmx: errno %d (%s)", errno, errno_name(errno));
    CHECK_OK(ioctl(pty.master, TIOCGPTN, &number));
    CHECK_OK(ioctl(pty.master, TIOCSPTLCK, &unlock));
    snprintf(pty.path, sizeof pty.path, "/dev/pts/%d", number);
    return pty;
}

int open_slave(const struct pty *pty) { return (int)CHECK_OK(open(pty->path, O_RDWR | O_NOCTTY)); }

pid_t in_session(const struct pty *pty, void (*body)(void)) {
    pid_t child = test_fork();
    if (child != 0) return child;
    CHECK_OK(setsid());
    int slave = open_slave(pty);
    CHECK_OK(ioctl(slave, TIOCSCTTY, 0l));
    CHECK_OK(dup2(slave, 0));
    CHECK_OK(close(slave));
    CHECK_OK(close(pty->master));
    body();
    _exit(0);
}

void make_raw(int fd) {
    struct termios modes;
    CHECK_OK(tcgetattr(fd, &modes));
    modes.c_iflag &= ~(uint32_t)ICRNL;
    modes.c_oflag &= ~(uint32_t)OPOST;
    modes.c_lflag &= ~(uint32_t)(ICANON | ECHO | ISIG);
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    CHECK_OK(tcsetattr(fd, &modes));
}
