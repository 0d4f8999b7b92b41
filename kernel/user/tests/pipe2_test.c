/* pipe2: what its flags say, and what a pipe is: bytes in order, end of file and EPIPE, never a mix of small writes. */
#include "test.h"

static void the_flags_reach_both_ends(void) {
    static const int flags[] = { 0, O_CLOEXEC, O_NONBLOCK, O_CLOEXEC | O_NONBLOCK };
    for (int i = 0; i < 4; i++) {
        int fds[2];
        CHECK_OK(pipe2(fds, flags[i]));
        for (int end = 0; end < 2; end++) {
            CHECK_EQUAL(fcntl(fds[end], F_GETFD), flags[i] & O_CLOEXEC ? FD_CLOEXEC : 0);
            CHECK_EQUAL(fcntl(fds[end], F_GETFL) & O_NONBLOCK, flags[i] & O_NONBLOCK);
            CHECK_EQUAL(fcntl(fds[end], F_GETFL) & O_ACCMODE, end == 0 ? O_RDONLY : O_WRONLY);
        }
        CHECK_OK(close(fds[0]));
        CHECK_OK(close(fds[1]));
    }
    int fds[2] = { -7, -7 };
    CHECK_ERRNO(pipe2(fds, 1), EINVAL);
    CHECK_EQUAL(fds[0], -7);
    CHECK_ERRNO(pipe2((int *)8, 0), EFAULT);
    say("O_CLOEXEC and O_NONBLOCK alone and together");
}

static void bytes_come_out_in_order(void) {
    int fds[2];
    struct stat status;
    CHECK_OK(pipe(fds));
    CHECK_WRITE(fds[1], "hello ");
    CHECK_WRITE(fds[1], "world");
    CHECK_READ(fds[0], "hel");
    CHECK_READ(fds[0], "lo world");
    CHECK_ERRNO(lseek(fds[0], 0, SEEK_SET), ESPIPE);
    CHECK_OK(fstat(fds[0], &status));
    CHECK_EQUAL(status.st_mode & S_IFMT, S_IFIFO);
    CHECK_ERRNO(write(fds[0], "x", 1), EBADF);
    char byte;
    CHECK_ERRNO(read(fds[1], &byte, 1), EBADF);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    say("two writes, two reads, one stream");
}

static void the_end_of_the_writers_is_the_end_of_file(void) {
    int fds[2];
    char byte;
    CHECK_OK(pipe(fds));
    CHECK_WRITE(fds[1], "rest");
    CHECK_OK(close(fds[1]));
    CHECK_READ(fds[0], "rest");
    CHECK_EQUAL(read(fds[0], &byte, 1), 0);
    CHECK_EQUAL(read(fds[0], &byte, 1), 0);
    CHECK_OK(close(fds[0]));
    say("the rest, then end of file");
}

static volatile int calls;
static void count_signal(int signal) { calls += signal == SIGPIPE; }

static void write_without_readers(void) {
    int fds[2];
    CHECK_OK(pipe(fds));
    CHECK_OK(close(fds[0]));
    write(fds[1], "x", 1);
}

static void without_readers_there_is_sigpipe_and_epipe(void) {
    int fds[2];
    CHECK_KILLED(in_child(write_without_readers), SIGPIPE);
    CHECK_OK(pipe(fds));
    CHECK_OK(close(fds[0]));
    CHECK_OK(handle_signal(SIGPIPE, count_signal, 0));
    CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
    CHECK_EQUAL(calls, 1);
    CHECK_OK(handle_signal(SIGPIPE, SIG_IGN, 0));
    CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
    CHECK_OK(handle_signal(SIGPIPE, SIG_DFL, 0));
    CHECK_OK(close(fds[1]));
    say("SIGPIPE by default, EPIPE when it is handled or ignored");
}

static void poll_tells_what_can_be_done(void) {
    int fds[2];
    CHECK_OK(pipe(fds));
    struct pollfd polled[] = { { fds[0], POLLIN, 0 }, { fds[1], POLLOUT, 0 } };
    CHECK_EQUAL(poll(polled, 2, 0), 1);
    CHECK_EQUAL(polled[0].revents, 0);
    CHECK_EQUAL(polled[1].revents, POLLOUT);
    CHECK_WRITE(fds[1], "x");
    CHECK_EQUAL(poll(polled, 2, 0), 2);
    CHECK_EQUAL(polled[0].revents, POLLIN);
    CHECK_OK(close(fds[1]));
    CHECK_READ(fds[0], "x");
    CHECK_EQUAL(poll(polled, 1, 0), 1);
    CHECK_EQUAL(polled[0].revents, POLLHUP);
    CHECK_OK(close(fds[0]));
    say("empty, filled and hung up are told by poll");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    the_flags_reach_both_ends();
    bytes_come_out_in_order();
    the_end_of_the_writers_is_the_end_of_file();
    without_readers_there_is_sigpipe_and_epipe();
    poll_tells_what_can_be_done();
    return test_pass();
}
