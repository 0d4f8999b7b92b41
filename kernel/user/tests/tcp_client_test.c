/* tcp_client: a client in one process and a server in another: requests and answers, much data, half closing, and
 * several clients at once. */
#include "network.h"
#include "test.h"

enum { AMOUNT = 400000 };

static uint16_t port;
static int listener;

static void echo_once(void) {
    static char buffer[4096];
    ssize_t size;
    int fd = (int)CHECK_OK(accept(listener, NULL, NULL));
    while ((size = CHECK_OK(recv(fd, buffer, sizeof buffer, 0))) > 0)
        for (ssize_t sent = 0; sent < size;) sent += CHECK_OK(send(fd, buffer + sent, (size_t)(size - sent), 0));
    CHECK_OK(close(fd));
}

static void an_answer_comes_to_each_request(void) {
    pid_t server = in_child(echo_once);
    int fd = connect_loopback(SOCK_STREAM, port);
    char text[32];
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "request %d;", i);
        CHECK_WRITE(fd, text);
        CHECK_READ(fd, text);
    }
    CHECK_OK(close(fd));
    CHECK_EXIT(server, 0);
    say("50 requests, 50 answers, and the end ended the server");
}

static unsigned char pattern(int at) { return (unsigned char)(at * 11 + at / 253); }

static void send_amount(int fd) {
    static unsigned char buffer[9973];
    for (int sent = 0; sent < AMOUNT;) {
        int size = AMOUNT - sent < (int)sizeof buffer ? AMOUNT - sent : (int)sizeof buffer;
        for (int i = 0; i < size; i++) buffer[i] = pattern(sent + i);
        for (int done = 0; done < size;) done += (int)CHECK_OK(send(fd, buffer + done, (size_t)(size - done), 0));
        sent += size;
    }
}

static void receive_amount(int fd) {
    static unsigned char buffer[8192];
    int received = 0;
    ssize_t size;
    while (received < AMOUNT && (size = CHECK_OK(recv(fd, buffer, sizeof buffer, 0))) > 0)
        for (ssize_t i = 0; i < size; i++, received++) CHECK_EQUAL(buffer[i], pattern(received));
    CHECK_EQUAL(received, AMOUNT);
}

static void much_data_flows_both_ways_at_once(void) {
    pid_t server = test_fork();
    if (server == 0) {
        int fd = (int)CHECK_OK(accept(listener, NULL, NULL));
        pid_t writer = test_fork();
        if (writer == 0) {
            send_amount(fd);
            _exit(0);
        }
        receive_amount(fd);
        CHECK_EXIT(writer, 0);
        _exit(0);
    }
    int fd = connect_loopback(SOCK_STREAM, port);
    pid_t writer = test_fork();
    if (writer == 0) {
        send_amount(fd);
        _exit(0);
    }
    receive_amount(fd);
    CHECK_EXIT(writer, 0);
    CHECK_EXIT(server, 0);
    CHECK_OK(close(fd));
    say("%d bytes each way at the same time", AMOUNT);
}

static void answer_after_the_end(void) {
    char request[32];
    int fd = (int)CHECK_OK(accept(listener, NULL, NULL));
    ssize_t size = CHECK_OK(read_fully(fd, request, sizeof request)); /* until the client's end */
    CHECK_EQUAL(size, 8);
    CHECK_WRITE(fd, "answer after the end");
    CHECK_OK(close(fd));
}

static void one_half_can_be_closed(void) {
    char byte;
    pid_t server = in_child(answer_after_the_end);
    int fd = connect_loopback(SOCK_STREAM, port);
    CHECK_WRITE(fd, "question");
    CHECK_OK(shutdown(fd, SHUT_WR));
    CHECK_READ(fd, "answer after the end");
    CHECK_EQUAL(recv(fd, &byte, 1, 0), 0);
    CHECK_ERRNO(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EXIT(server, 0);
    CHECK_OK(close(fd));
    say("the answer came through the other half");
}

static void several_clients_are_kept_apart(void) {
    enum { CLIENTS = 4 };
    pid_t servers[CLIENTS], clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) servers[i] = in_child(echo_once);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = test_fork();
        if (clients[i] != 0) continue;
        int fd = connect_loopback(SOCK_STREAM, port);
        char text[32];
        for (int round = 0; round < 20; round++) {
            snprintf(text, sizeof text, "client %d round %d;", i, round);
            CHECK_WRITE(fd, text);
            CHECK_READ(fd, text);
        }
        _exit(0);
    }
    for (int i = 0; i < CLIENTS; i++) CHECK_EXIT(clients[i], 0);
    for (int i = 0; i < CLIENTS; i++) CHECK_EXIT(servers[i], 0);
    say("%d clients with 20 requests each", CLIENTS);
}

static void a_killed_server_is_the_end(void) {
    char byte;
    pid_t server = test_fork();
    if (server == 0) {
        int fd = (int)CHECK_OK(accept(listener, NULL, NULL));
        CHECK_WRITE(fd, "hello");
        for (;;) pause();
    }
    int fd = connect_loopback(SOCK_STREAM, port);
    CHECK_READ(fd, "hello");
    CHECK_OK(kill(server, SIGKILL));
    CHECK_KILLED(server, SIGKILL);
    CHECK_EQUAL(recv(fd, &byte, 1, 0), 0);
    CHECK_OK(close(fd));
    say("the kernel closed a killed server's connection");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    listener = bind_loopback(SOCK_STREAM, &port);
    an_answer_comes_to_each_request();
    much_data_flows_both_ways_at_once();
    one_half_can_be_closed();
    several_clients_are_kept_apart();
    a_killed_server_is_the_end();
    return test_pass();
}
