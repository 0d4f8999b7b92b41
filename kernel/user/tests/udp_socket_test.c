/* udp_socket: datagrams over loopback: whole, in order, with their sender, and no more than was sent. */
#include "network.h"
#include "test.h"

static char buffer[70000];

static void a_datagram_arrives_with_its_sender(void) {
    uint16_t receiver_port, sender_port;
    int receiver = bind_loopback(SOCK_DGRAM, &receiver_port), sender = bind_loopback(SOCK_DGRAM, &sender_port);
    struct sockaddr_in to = loopback(receiver_port), from = { 0 };
    socklen_t size = sizeof from;
    CHECK(receiver_port != sender_port);
    CHECK_EQUAL(sendto(sender, "hello", 5, 0, &to, sizeof to), 5);
    CHECK_EQUAL(recvfrom(receiver, buffer, sizeof buffer, 0, &from, &size), 5);
    CHECK_EQUAL(memcmp(buffer, "hello", 5), 0);
    CHECK_EQUAL(size, sizeof from);
    CHECK_EQUAL(from.sin_family, AF_INET);
    CHECK_EQUAL(ntohs(from.sin_port), sender_port);
    CHECK_EQUAL(ntohl(from.sin_addr), INADDR_LOOPBACK);
    CHECK_EQUAL(sendto(receiver, "back", 4, 0, &from, size), 4); /* an answer to where it came from */
    CHECK_EQUAL(recv(sender, buffer, sizeof buffer, 0), 4);
    CHECK_OK(close(receiver));
    CHECK_OK(close(sender));
    say("from port %u to port %u and back", sender_port, receiver_port);
}

static void boundaries_are_kept(void) {
    uint16_t port;
    int receiver = bind_loopback(SOCK_DGRAM, &port), sender = connect_loopback(SOCK_DGRAM, port);
    for (int i = 1; i <= 10; i++) {
        memset(buffer, 'a' + i, (size_t)i);
        CHECK_EQUAL(send(sender, buffer, (size_t)i, 0), i);
    }
    CHECK_EQUAL(send(sender, "", 0, 0), 0);
    for (int i = 1; i <= 10; i++) {
        CHECK_EQUAL(recv(receiver, buffer, sizeof buffer, 0), i);
        CHECK_EQUAL(buffer[0], 'a' + i);
        CHECK_EQUAL(buffer[i - 1], 'a' + i);
    }
    CHECK_EQUAL(recv(receiver, buffer, sizeof buffer, 0), 0); /* empty, and no end */
    CHECK_ERRNO(recv(receiver, buffer, sizeof buffer, MSG_DONTWAIT), EAGAIN);
    CHECK_OK(close(receiver));
    CHECK_OK(close(sender));
    say("eleven datagrams, one of them empty, in order");
}

static void what_does_not_fit_is_cut(void) {
    uint16_t port;
    int receiver = bind_loopback(SOCK_DGRAM, &port), sender = connect_loopback(SOCK_DGRAM, port);
    CHECK_EQUAL(send(sender, "0123456789", 10, 0), 10);
    CHECK_EQUAL(send(sender, "next", 4, 0), 4);
    CHECK_EQUAL(recv(receiver, buffer, 4, MSG_PEEK), 4);
    CHECK_EQUAL(recv(receiver, buffer, 4, MSG_TRUNC), 10); /* its real length */
    CHECK_EQUAL(memcmp(buffer, "0123", 4), 0);
    CHECK_EQUAL(recv(receiver, buffer, sizeof buffer, 0), 4); /* the rest is gone */
    CHECK_EQUAL(memcmp(buffer, "next", 4), 0);
    CHECK_OK(close(receiver));
    CHECK_OK(close(sender));
    say("cut to the buffer, the next one whole");
}

static void large_datagrams_are_whole_and_too_large_ones_refused(void) {
    uint16_t port;
    int receiver = bind_loopback(SOCK_DGRAM, &port), sender = connect_loopback(SOCK_DGRAM, port);
    for (int i = 0; i < 8000; i++) buffer[i] = (char)(i * 13);
    CHECK_EQUAL(send(sender, buffer, 8000, 0), 8000);
    memset(buffer, 0, 8000);
    CHECK_EQUAL(recv(receiver, buffer, sizeof buffer, 0), 8000);
    for (int i = 0; i < 8000; i++) CHECK_EQUAL(buffer[i], (char)(i * 13));
    CHECK_ERRNO(send(sender, buffer, 66000, 0), EMSGSIZE);
    CHECK_OK(close(receiver));
    CHECK_OK(close(sender));
    say("8000 bytes; 66000 are EMSGSIZE");
}

static void a_connected_socket_hears_its_peer_alone(void) {
    uint16_t port, other_port;
    int peer = bind_loopback(SOCK_DGRAM, &port), other = bind_loopback(SOCK_DGRAM, &other_port);
    int connected = connect_loopback(SOCK_DGRAM, port);
    struct sockaddr_in own, remote;
    socklen_t size = sizeof own;
    CHECK_OK(getsockname(connected, &own, &size));
    CHECK_OK(getpeername(connected, &remote, &size));
    CHECK_EQUAL(ntohs(remote.sin_port), port);
    CHECK_EQUAL(sendto(other, "stranger", 8, 0, &own, sizeof own), 8);
    CHECK_EQUAL(sendto(peer, "friend", 6, 0, &own, sizeof own), 6);
    CHECK_EQUAL(recv(connected, buffer, sizeof buffer, 0), 6);
    CHECK_EQUAL(memcmp(buffer, "friend", 6), 0);
    CHECK_ERRNO(recv(connected, buffer, sizeof buffer, MSG_DONTWAIT), EAGAIN);
    CHECK_OK(close(connected));
    CHECK_OK(close(other));
    CHECK_OK(close(peer));
    say("the peer's datagram came, the stranger's did not");
}

static void errors_are_told(void) {
    uint16_t port;
    int bound = bind_loopback(SOCK_DGRAM, &port), fresh = (int)CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    struct sockaddr_in address = loopback(port), foreign = loopback(0);
    socklen_t size = sizeof address;
    int type = 0;
    CHECK_ERRNO(bind(fresh, &address, sizeof address), EADDRINUSE);
    CHECK_ERRNO(bind(bound, &foreign, sizeof foreign), EINVAL);
    foreign.sin_addr = htonl(0x01020304);
    CHECK_ERRNO(bind(fresh, &foreign, sizeof foreign), EADDRNOTAVAIL);
    CHECK_ERRNO(send(fresh, "x", 1, 0), EDESTADDRREQ);
    CHECK_ERRNO(getpeername(fresh, &address, &size), ENOTCONN);
    CHECK_ERRNO(listen(fresh, 1), EOPNOTSUPP);
    int null = (int)CHECK_OK(open("/dev/null", O_RDWR));
    CHECK_ERRNO(sendto(null, "x", 1, 0, &address, sizeof address), ENOTSOCK);
    CHECK_OK(close(null));
    size = sizeof type;
    CHECK_OK(getsockopt(fresh, SOL_SOCKET, SO_TYPE, &type, &size));
    CHECK_EQUAL(type, SOCK_DGRAM);
    CHECK_OK(close(bound));
    CHECK_OK(close(fresh)); /* sending has given it a port */
    fresh = (int)CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    CHECK_OK(bind(fresh, &address, sizeof address)); /* free again */
    CHECK_OK(close(fresh));
    say("a used port, a foreign address, no destination, no socket");
}

static void processes_exchange_datagrams(void) {
    uint16_t port;
    int server = bind_loopback(SOCK_DGRAM, &port);
    pid_t child = test_fork();
    if (child == 0) {
        int client = connect_loopback(SOCK_DGRAM, port);
        for (int i = 0; i < 50; i++) {
            int answer = -1;
            CHECK_EQUAL(send(client, &i, sizeof i, 0), sizeof i);
            CHECK_EQUAL(recv(client, &answer, sizeof answer, 0), sizeof answer);
            CHECK_EQUAL(answer, i * i);
        }
        _exit(0);
    }
    for (int i = 0; i < 50; i++) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        int number;
        CHECK_EQUAL(recvfrom(server, &number, sizeof number, 0, &from, &size), sizeof number);
        number *= number;
        CHECK_EQUAL(sendto(server, &number, sizeof number, 0, &from, size), sizeof number);
    }
    CHECK_EXIT(child, 0);
    CHECK_OK(close(server));
    say("50 questions and answers between two processes");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    a_datagram_arrives_with_its_sender();
    boundaries_are_kept();
    what_does_not_fit_is_cut();
    large_datagrams_are_whole_and_too_large_ones_refused();
    a_connected_socket_hears_its_peer_alone();
    errors_are_told();
    processes_exchange_datagrams();
    return test_pass();
}
