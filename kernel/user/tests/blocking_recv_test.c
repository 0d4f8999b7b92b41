/* blocking_recv: recv without data sleeps until there is some, on every kind of socket, and is woken by what should
 * wake it: data, the end, a signal, a time-out. */
#include "network.h"
#include "test.h"

enum { DELAY_MS = 25 };

static void check_waited(long started) {
    long elapsed = now_ms() - started;
    CHECK(elapsed >= DELAY_MS - 1);
    CHECK(elapsed < DELAY_MS + 1500);
}

static pid_t send_late(int fd, const char *text) {
    pid_t child = test_fork();
    if (child != 0) return child;
    sleep_ms(DELAY_MS);
    CHECK_EQUAL(send(fd, text, strlen(text), 0), strlen(text));
    _exit(0);
}

static void check_kind(const char *name, int receiver, int sender) {
    char buffer[16];
    long started = now_ms();
    pid_t child = send_late(sender, "data");
    CHECK_EQUAL(recv(receiver, buffer, sizeof buffer, 0), 4);
    check_waited(started);
    CHECK_EQUAL(memcmp(buffer, "data", 4), 0);
    CHECK_EXIT(child, 0);
    say("%s: woken by data", name);
}

static void data_wakes_each_kind_of_socket(void) {
    int pair[2];
    uint16_t port;
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    check_kind("UNIX stream", pair[0], pair[1]);
    CHECK_OK(close(pair[0]));
    CHECK_OK(close(pair[1]));
    CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    check_kind("UNIX datagram", pair[0], pair[1]);
    CHECK_OK(close(pair[0]));
    CHECK_OK(close(pair[1]));

    int udp = bind_loopback(SOCK_DGRAM, &port), sender = connect_loopback(SOCK_DGRAM, port);
    check_kind("UDP", udp, sender);
    CHECK_OK(close(udp));
    CHECK_OK(close(sender));

    int listener = bind_loopback(SOCK_STREAM, &port), client = connect_loopback(SOCK_STREAM, port);
    int server = (int)CHECK_OK(accept(listener, NULL, NULL));
    check_kind("TCP", server, client);
    CHECK_OK(close(server));
    CHECK_OK(close(client));
    CHECK_OK(close(listener));
}

static void the_end_wakes_it(void) {
    int pair[2];
    char byte;
    long started = now_ms();
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(close(pair[0]));
        sleep_ms(DELAY_MS);
        _exit(0);
    }
    CHECK_OK(close(pair[1]));
    CHECK_EQUAL(recv(pair[0], &byte, 1, 0), 0);
    check_waited(started);
    CHECK_EXIT(child, 0);
    CHECK_OK(close(pair[0]));
    say("woken by the other's end");
}

static void note_signal(int signal) { (void)signal; }

static void a_signal_wakes_it(void) {
    uint16_t port;
    char byte;
    struct gate stop = make_gate();
    pid_t parent = getpid();
    int udp = bind_loopback(SOCK_DGRAM, &port);
    CHECK_OK(handle_signal(SIGUSR1, note_signal, 0));
    pid_t child = test_fork();
    if (child == 0) {
        while (!ready_within(stop.fds[0], POLLIN, 10)) kill(parent, SIGUSR1);
        _exit(0);
    }
    CHECK_ERRNO(recv(udp, &byte, 1, 0), EINTR);
    CHECK_OK(handle_signal(SIGUSR1, SIG_IGN, 0));
    open_gate(stop);
    CHECK_EXIT(child, 0);
    CHECK_OK(close(udp));
    say("woken by a signal: EINTR");
}

static void a_time_out_wakes_it(void) {
    struct timeval time_out = { 0, DELAY_MS * 1000 };
    uint16_t port;
    char byte;
    int udp = bind_loopback(SOCK_DGRAM, &port);
    CHECK_OK(setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &time_out, sizeof time_out));
    long started = now_ms();
    CHECK_ERRNO(recv(udp, &byte, 1, 0), EAGAIN);
    check_waited(started);
    CHECK_OK(close(udp));
    say("woken by its time-out: EAGAIN");
}

static void one_datagram_wakes_one_of_two(void) {
    uint16_t port;
    pid_t children[2];
    int udp = bind_loopback(SOCK_DGRAM, &port), sender = connect_loopback(SOCK_DGRAM, port), status, results[2];
    char numbers[2];
    CHECK_OK(pipe(results));
    for (int i = 0; i < 2; i++) {
        children[i] = test_fork();
        if (children[i] != 0) continue;
        CHECK_EQUAL(recv(udp, &numbers[0], 1, 0), 1);
        CHECK_EQUAL(write(results[1], numbers, 1), 1);
        _exit(0);
    }
    CHECK_WRITE(sender, "1");
    CHECK_READ(results[0], "1");
    sleep_ms(10);
    int ended = (waitpid(children[0], &status, WNOHANG) > 0) + (waitpid(children[1], &status, WNOHANG) > 0);
    CHECK(ended <= 1);
    CHECK_WRITE(sender, "2");
    CHECK_READ(results[0], "2");
    for (int i = ended; i < 2; i++) CHECK_OK(wait(&status));
    CHECK_ERRNO(wait(&status), ECHILD);
    CHECK_OK(close(udp));
    CHECK_OK(close(sender));
    say("two sleepers, two datagrams, one each");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    data_wakes_each_kind_of_socket();
    the_end_wakes_it();
    a_signal_wakes_it();
    a_time_out_wakes_it();
    one_datagram_wakes_one_of_two();
    return test_pass();
}
