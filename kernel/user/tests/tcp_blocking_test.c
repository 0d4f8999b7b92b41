/* tcp_blocking: accept, recv and send of a stream wait as long as they must, and no longer. */
#include "network.h"
#include "test.h"

enum { DELAY_MS = 30 };

static uint16_t port;
static int listener;

static void check_waited(long started) {
    long elapsed = now_ms() - started;
    CHECK(elapsed >= DELAY_MS - 1);
    CHECK(elapsed < DELAY_MS + 1500);
}

static void connect_late(void) {
    sleep_ms(DELAY_MS);
    int fd = connect_loopback(SOCK_STREAM, port);
    sleep_ms(DELAY_MS);
    CHECK_WRITE(fd, "late");
    sleep_ms(DELAY_MS);
    CHECK_OK(close(fd));
}

static void accept_and_recv_wait_for_the_client(void) {
    char buffer[16];
    long started = now_ms();
    pid_t client = in_child(connect_late);
    int fd = (int)CHECK_OK(accept(listener, NULL, NULL));
    check_waited(started);
    started = now_ms();
    CHECK_EQUAL(recv(fd, buffer, sizeof buffer, 0), 4);
    CHECK(now_ms() - started < DELAY_MS + 1500);
    started = now_ms();
    CHECK_EQUAL(recv(fd, buffer, sizeof buffer, 0), 0); /* until it closes */
    CHECK(now_ms() - started < DELAY_MS + 1500);
    CHECK_EXIT(client, 0);
    CHECK_OK(close(fd));
    say("for the connection, the data and the end");
}

static void make_pair(int *client, int *server) {
    *client = connect_loopback(SOCK_STREAM, port);
    *server = (int)CHECK_OK(accept(listener, NULL, NULL));
}

static void recv_gives_what_is_there(void) {
    char buffer[64];
    int client, server;
    make_pair(&client, &server);
    CHECK_WRITE(client, "some");
    CHECK(ready_within(server, POLLIN, 2000));
    CHECK_EQUAL(recv(server, buffer, sizeof buffer, MSG_PEEK), 4);
    CHECK_EQUAL(recv(server, buffer, 1, 0), 1);
    CHECK_EQUAL(recv(server, buffer, sizeof buffer, 0), 3); /* not until the buffer is full */
    CHECK_ERRNO(recv(server, buffer, sizeof buffer, MSG_DONTWAIT), EAGAIN);
    CHECK_OK(close(client));
    CHECK_OK(close(server));
    say("not more, not less");
}

/* The sender is far ahead until the receiver takes something: then it goes on. */
static void send_waits_for_room(void) {
    static char block[65536];
    int client, server, filled = 0;
    ssize_t size;
    make_pair(&client, &server);
    while ((size = send(client, block, sizeof block, MSG_DONTWAIT)) > 0) filled += (int)size;
    CHECK_EQUAL(errno, EAGAIN);
    CHECK(filled > 0);
    CHECK(!ready_within(client, POLLOUT, 20));
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(close(client));
        sleep_ms(DELAY_MS);
        int drained = 0;
        while ((size = CHECK_OK(recv(server, block, sizeof block, 0))) > 0) drained += (int)size;
        CHECK_EQUAL(drained, filled + (int)sizeof block);
        _exit(0);
    }
    CHECK_OK(close(server));
    long started = now_ms();
    CHECK_EQUAL(send(client, block, sizeof block, 0), sizeof block);
    CHECK(now_ms() - started < 1500 + DELAY_MS);
    CHECK_OK(close(client));
    CHECK_EXIT(child, 0);
    say("%d bytes ahead, then it waited", filled);
}

static void note_signal(int signal) { (void)signal; }

static void signals_interrupt_the_waiting(void) {
    struct gate stop = make_gate();
    pid_t parent = getpid();
    CHECK_OK(handle_signal(SIGUSR1, note_signal, 0));
    pid_t child = test_fork();
    if (child == 0) {
        while (!ready_within(stop.fds[0], POLLIN, 10)) kill(parent, SIGUSR1);
        _exit(0);
    }
    CHECK_ERRNO(accept(listener, NULL, NULL), EINTR);
    CHECK_OK(handle_signal(SIGUSR1, SIG_IGN, 0));
    open_gate(stop);
    CHECK_EXIT(child, 0);
    say("accept gave EINTR");
}

static void a_receive_time_out_is_eagain(void) {
    struct timeval time_out = { 0, DELAY_MS * 1000 };
    int client, server;
    char byte;
    make_pair(&client, &server);
    CHECK_OK(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &time_out, sizeof time_out));
    long started = now_ms();
    CHECK_ERRNO(recv(server, &byte, 1, 0), EAGAIN);
    check_waited(started);
    CHECK_WRITE(client, "x");
    CHECK_EQUAL(recv(server, &byte, 1, 0), 1);
    CHECK_OK(close(client));
    CHECK_OK(close(server));
    say("SO_RCVTIMEO ended the waiting");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    listener = bind_loopback(SOCK_STREAM, &port);
    accept_and_recv_wait_for_the_client();
    recv_gives_what_is_there();
    send_waits_for_room();
    signals_interrupt_the_waiting();
    a_receive_time_out_is_eagain();
    return test_pass();
}
