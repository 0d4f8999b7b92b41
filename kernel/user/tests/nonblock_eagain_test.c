/* nonblock_eagain: what would block is EAGAIN with O_NONBLOCK, on pipes, FIFOs, sockets and terminals, and what is an
 * end or an error is told as such, not as EAGAIN. */
#include "test.h"

static void an_empty_pipe_is_eagain(void) {
    int fds[2];
    char byte;
    CHECK_OK(pipe2(fds, O_NONBLOCK));
    for (int i = 0; i < 3; i++) CHECK_ERRNO(read(fds[0], &byte, 1), EAGAIN);
    CHECK_WRITE(fds[1], "x");
    CHECK_EQUAL(read(fds[0], &byte, 1), 1);
    CHECK_ERRNO(read(fds[0], &byte, 1), EAGAIN);
    CHECK_OK(close(fds[1]));
    CHECK_EQUAL(read(fds[0], &byte, 1), 0); /* the end is no EAGAIN */
    CHECK_OK(close(fds[0]));
    say("an empty pipe, and its end");
}

static void a_full_pipe_is_eagain(void) {
    int fds[2];
    char byte = 'x';
    CHECK_OK(pipe2(fds, O_NONBLOCK));
    while (write(fds[1], "0123456789abcdef", 16) > 0) continue;
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_ERRNO(write(fds[1], &byte, 1), EAGAIN);
    CHECK_OK(close(fds[0]));
    CHECK_OK(handle_signal(SIGPIPE, SIG_IGN, 0));
    CHECK_ERRNO(write(fds[1], &byte, 1), EPIPE); /* no reader is no EAGAIN */
    CHECK_OK(handle_signal(SIGPIPE, SIG_DFL, 0));
    CHECK_OK(close(fds[1]));
    say("a full pipe, and one without readers");
}

static void only_the_nonblocking_end_is(void) {
    int fds[2];
    char byte;
    CHECK_OK(pipe(fds));
    CHECK_OK(fcntl(fds[0], F_SETFL, (long)O_NONBLOCK));
    CHECK_ERRNO(read(fds[0], &byte, 1), EAGAIN);
    int copy = (int)CHECK_OK(dup(fds[0])); /* the flag is the open file's */
    CHECK_ERRNO(read(copy, &byte, 1), EAGAIN);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_ERRNO(read(fds[0], &byte, 1), EAGAIN);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_OK(close(copy));
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    say("for copies and children as well");
}

static void an_empty_socket_is_eagain(void) {
    int fds[2];
    char byte;
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    CHECK_ERRNO(read(fds[0], &byte, 1), EAGAIN);
    CHECK_ERRNO(recv(fds[1], &byte, 1, 0), EAGAIN);
    CHECK_WRITE(fds[1], "y");
    CHECK_READ(fds[0], "y");
    while (write(fds[1], "0123456789abcdef", 16) > 0) continue;
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    CHECK_ERRNO(recv(fds[0], &byte, 1, MSG_DONTWAIT), EAGAIN); /* for one call */
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    say("a socket, empty and full, and MSG_DONTWAIT");
}

static void an_idle_terminal_is_eagain(void) {
    int unlock = 0, number;
    char path[32], byte;
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (master < 0) {
        say("no pseudo-terminals: not checked");
        return;
    }
    CHECK_OK(ioctl(master, TIOCSPTLCK, &unlock));
    CHECK_OK(ioctl(master, TIOCGPTN, &number));
    snprintf(path, sizeof path, "/dev/pts/%d", number);
    int slave = (int)CHECK_OK(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK));
    CHECK_ERRNO(read(slave, &byte, 1), EAGAIN);
    CHECK_ERRNO(read(master, &byte, 1), EAGAIN);
    CHECK_WRITE(master, "no newline"); /* no line yet */
    CHECK_ERRNO(read(slave, &byte, 1), EAGAIN);
    CHECK_OK(close(slave));
    CHECK_OK(close(master));
    say("a terminal without a line");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    an_empty_pipe_is_eagain();
    a_full_pipe_is_eagain();
    only_the_nonblocking_end_is();
    an_empty_socket_is_eagain();
    an_idle_terminal_is_eagain();
    return test_pass();
}
