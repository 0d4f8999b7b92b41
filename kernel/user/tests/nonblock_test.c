/* nonblock: O_NONBLOCK on pipes: what can be done at once is done, in part if need be, and nothing waits. */
#include "test.h"

static int fill(int fd, char filler) {
    static char block[1024];
    int total = 0;
    ssize_t written;
    memset(block, filler, sizeof block);
    while ((written = write(fd, block, sizeof block)) > 0) total += (int)written;
    CHECK_EQUAL(errno, EAGAIN);
    return total;
}

static int drain(int fd) {
    static char block[4096];
    int total = 0;
    ssize_t size;
    while ((size = read(fd, block, sizeof block)) > 0) total += (int)size;
    return total;
}

static void a_pipe_is_filled_and_drained_without_waiting(void) {
    int fds[2];
    long started = now_ms();
    CHECK_OK(pipe2(fds, O_NONBLOCK));
    int filled = fill(fds[1], 'f');
    CHECK(filled >= PIPE_BUF);
    CHECK_EQUAL(drain(fds[0]), filled);
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(fill(fds[1], 'g'), filled);
    CHECK(now_ms() - started < 1000);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    say("%d bytes went in, and came out", filled);
}

static void a_large_write_is_cut_to_what_fits(void) {
    static char block[1 << 20];
    int fds[2];
    CHECK_OK(pipe2(fds, O_NONBLOCK));
    ssize_t written = CHECK_OK(write(fds[1], block, sizeof block));
    CHECK(written > 0 && written < (ssize_t)sizeof block);
    CHECK_EQUAL(drain(fds[0]), written);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    say("of 1 MiB %ld bytes", (long)written);
}

/* POSIX: up to PIPE_BUF bytes are written whole or not at all. */
static void a_small_write_is_whole_or_nothing(void) {
    static char block[PIPE_BUF], rest[3 * PIPE_BUF];
    int fds[2];
    CHECK_OK(pipe2(fds, O_NONBLOCK));
    int filled = fill(fds[1], 'f');
    ssize_t taken = CHECK_OK(read(fds[0], rest, PIPE_BUF - 1));
    ssize_t written = write(fds[1], block, PIPE_BUF);
    CHECK(written == PIPE_BUF || (written == -1 && errno == EAGAIN));
    CHECK_EQUAL(drain(fds[0]), filled - taken + (written > 0 ? written : 0));
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    say("PIPE_BUF bytes into less room: %s", written > 0 ? "all" : "none");
}

static void poll_says_when_it_goes_on(void) {
    int fds[2];
    CHECK_OK(pipe2(fds, O_NONBLOCK));
    CHECK(ready_within(fds[1], POLLOUT, 0));
    CHECK(!ready_within(fds[0], POLLIN, 0));
    int filled = fill(fds[1], 'f');
    CHECK(!ready_within(fds[1], POLLOUT, 0));
    pid_t child = test_fork();
    if (child == 0) {
        sleep_ms(10);
        CHECK_EQUAL(drain(fds[0]), filled);
        _exit(0);
    }
    CHECK(ready_within(fds[1], POLLOUT, 2000));
    CHECK_EXIT(child, 0);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    say("poll woke when there was room");
}

static void two_pipes_are_served_as_they_come(void) {
    int first[2], second[2], got_first = 0, got_second = 0;
    CHECK_OK(pipe2(first, O_NONBLOCK));
    CHECK_OK(pipe2(second, O_NONBLOCK));
    pid_t child = test_fork();
    if (child == 0) {
        for (int i = 0; i < 10; i++) {
            CHECK_WRITE(i % 3 == 0 ? first[1] : second[1], "x");
            sleep_ms(1);
        }
        _exit(0);
    }
    while (got_first + got_second < 10) {
        struct pollfd polled[] = { { first[0], POLLIN, 0 }, { second[0], POLLIN, 0 } };
        CHECK(poll(polled, 2, 2000) > 0);
        if (polled[0].revents & POLLIN) got_first += drain(first[0]);
        if (polled[1].revents & POLLIN) got_second += drain(second[0]);
    }
    CHECK_EQUAL(got_first, 4);
    CHECK_EQUAL(got_second, 6);
    CHECK_EXIT(child, 0);
    say("four bytes from one pipe, six from the other");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    a_pipe_is_filled_and_drained_without_waiting();
    a_large_write_is_cut_to_what_fits();
    a_small_write_is_whole_or_nothing();
    poll_says_when_it_goes_on();
    two_pipes_are_served_as_they_come();
    return test_pass();
}
