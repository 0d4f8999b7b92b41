/* unix_socket: pairs of UNIX sockets: streams and datagrams between relatives, both ways, with their ends. */
#include "test.h"

static char buffer[100000];

static void a_stream_goes_both_ways(void) {
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_WRITE(pair[0], "there");
    CHECK_WRITE(pair[0], " and on");
    CHECK_READ(pair[1], "there and on"); /* one stream */
    CHECK_WRITE(pair[1], "back");
    CHECK_EQUAL(recv(pair[0], buffer, 2, 0), 2);
    CHECK_READ(pair[0], "ck");
    CHECK_ERRNO(recv(pair[0], buffer, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_OK(close(pair[0]));
    CHECK_OK(close(pair[1]));
    say("a stream each way");
}

static void datagrams_keep_their_boundaries(void) {
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    CHECK_EQUAL(send(pair[0], "one", 3, 0), 3);
    CHECK_EQUAL(send(pair[0], "three", 5, 0), 5);
    CHECK_EQUAL(recv(pair[1], buffer, sizeof buffer, 0), 3);
    CHECK_EQUAL(recv(pair[1], buffer, 2, 0), 2);
    CHECK_ERRNO(recv(pair[1], buffer, 1, MSG_DONTWAIT), EAGAIN); /* the cut-off rest is gone */
    CHECK_OK(close(pair[0]));
    CHECK_OK(close(pair[1]));
    say("two datagrams, one cut");
}

static void the_end_is_seen(void) {
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_WRITE(pair[0], "rest");
    CHECK_OK(close(pair[0]));
    CHECK_READ(pair[1], "rest");
    CHECK_EQUAL(recv(pair[1], buffer, 1, 0), 0);
    struct pollfd polled = { .fd = pair[1], .events = POLLIN };
    CHECK_EQUAL(poll(&polled, 1, 0), 1);
    CHECK((polled.revents & POLLHUP) != 0);
    CHECK_ERRNO(send(pair[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_OK(handle_signal(SIGPIPE, SIG_IGN, 0));
    CHECK_ERRNO(write(pair[1], "x", 1), EPIPE);
    CHECK_OK(handle_signal(SIGPIPE, SIG_DFL, 0));
    CHECK_OK(close(pair[1]));
    say("the rest, the end, and EPIPE");
}

static void one_half_can_be_closed(void) {
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_WRITE(pair[0], "last");
    CHECK_OK(shutdown(pair[0], SHUT_WR));
    CHECK_READ(pair[1], "last");
    CHECK_EQUAL(recv(pair[1], buffer, 1, 0), 0);
    CHECK_WRITE(pair[1], "answer");
    CHECK_READ(pair[0], "answer");
    CHECK_ERRNO(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_OK(close(pair[0]));
    CHECK_OK(close(pair[1]));
    say("shutdown of one direction");
}

static void parent_and_child_talk(void) {
    int pair[2], number;
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    CHECK_EQUAL(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(close(pair[0]));
        while (recv(pair[1], &number, sizeof number, 0) == sizeof number) {
            number += 1000;
            CHECK_EQUAL(send(pair[1], &number, sizeof number, 0), sizeof number);
        }
        _exit(0);
    }
    CHECK_OK(close(pair[1]));
    for (int i = 0; i < 100; i++) {
        CHECK_EQUAL(send(pair[0], &i, sizeof i, 0), sizeof i);
        CHECK_EQUAL(recv(pair[0], &number, sizeof number, 0), sizeof number);
        CHECK_EQUAL(number, i + 1000);
    }
    CHECK_OK(close(pair[0]));
    CHECK_EXIT(child, 0);
    say("100 questions over one pair");
}

static void much_data_waits_for_room(void) {
    enum { AMOUNT = 1000000 };
    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(close(pair[0]));
        for (int i = 0; i < (int)sizeof buffer; i++) buffer[i] = (char)(i % 101);
        for (int i = 0; i < AMOUNT / (int)sizeof buffer; i++)
            for (size_t sent = 0; sent < sizeof buffer;)
                sent += (size_t)CHECK_OK(write(pair[1], buffer + sent, sizeof buffer - sent));
        _exit(0);
    }
    CHECK_OK(close(pair[1]));
    static char received[8192];
    int total = 0;
    ssize_t size;
    while ((size = CHECK_OK(read(pair[0], received, sizeof received))) > 0)
        for (ssize_t i = 0; i < size; i++, total++) CHECK_EQUAL(received[i], (char)(total % (int)sizeof buffer % 101));
    CHECK_EQUAL(total, AMOUNT);
    CHECK_EXIT(child, 0);
    CHECK_OK(close(pair[0]));
    say("%d bytes", AMOUNT);
}

static void errors_are_told(void) {
    int pair[2], fds[2];
    CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, pair), EOPNOTSUPP);
    CHECK_ERRNO(socketpair(AF_UNIX, 77, 0, pair), EINVAL);
    CHECK_OK(pipe(fds));
    CHECK_ERRNO(recv(fds[0], buffer, 1, 0), ENOTSOCK);
    CHECK_ERRNO(shutdown(99, SHUT_WR), EBADF);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    say("no pairs of Internet sockets, no recv on a pipe");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    a_stream_goes_both_ways();
    datagrams_keep_their_boundaries();
    the_end_is_seen();
    one_half_can_be_closed();
    parent_and_child_talk();
    much_data_waits_for_room();
    errors_are_told();
    return test_pass();
}
