/* tcp_socket: stream sockets from their making to their end: states, names, options and errors. */
#include "network.h"
#include "test.h"

static void a_fresh_socket_is_not_connected(void) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    char byte;
    int type = 0, error = -1, fd = (int)CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    size = sizeof type;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size));
    CHECK_EQUAL(type, SOCK_STREAM);
    CHECK_OK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
    CHECK_EQUAL(error, 0);
    size = sizeof address;
    CHECK_ERRNO(getpeername(fd, &address, &size), ENOTCONN);
    CHECK_ERRNO(recv(fd, &byte, 1, 0), ENOTCONN);
    CHECK_ERRNO(shutdown(fd, SHUT_WR), ENOTCONN);
    CHECK_ERRNO(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_ERRNO(accept(fd, NULL, NULL), EINVAL); /* does not listen */
    CHECK_OK(close(fd));
    say("not connected, not listening");
}

static void kinds_that_do_not_exist_are_refused(void) {
    CHECK_ERRNO(socket(AF_INET, 77, 0), EINVAL);
    CHECK_ERRNO(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
    int fd = (int)CHECK_OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    CHECK_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    struct stat status;
    CHECK_OK(fstat(fd, &status));
    CHECK_EQUAL(status.st_mode & S_IFMT, S_IFSOCK);
    CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
    CHECK_OK(close(fd));
    say("unknown families and types; flags of socket()");
}

static void a_port_is_bound_once(void) {
    uint16_t port;
    int first = bind_loopback(SOCK_STREAM, &port), second = (int)CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in address = loopback(port);
    CHECK_ERRNO(bind(second, &address, sizeof address), EADDRINUSE);
    CHECK_ERRNO(bind(second, &address, 4), EINVAL);
    CHECK_ERRNO(bind(first, &address, sizeof address), EINVAL); /* has a name already */
    CHECK_OK(close(first));
    CHECK_OK(bind(second, &address, sizeof address));
    CHECK_OK(close(second));
    say("EADDRINUSE until it was closed");
}

static void connecting_makes_a_pair_of_names(void) {
    uint16_t port;
    int listener = bind_loopback(SOCK_STREAM, &port), client = connect_loopback(SOCK_STREAM, port);
    struct sockaddr_in remote, client_name, client_peer, server_name;
    socklen_t size = sizeof remote;
    int server = (int)CHECK_OK(accept(listener, &remote, &size));
    CHECK_OK(getsockname(client, &client_name, &size));
    CHECK_OK(getpeername(client, &client_peer, &size));
    CHECK_OK(getsockname(server, &server_name, &size));
    CHECK_EQUAL(remote.sin_port, client_name.sin_port);
    CHECK_EQUAL(ntohs(client_peer.sin_port), port);
    CHECK_EQUAL(ntohs(server_name.sin_port), port);
    CHECK(client_name.sin_port != 0 && ntohs(client_name.sin_port) != port);
    CHECK_EQUAL(ntohl(remote.sin_addr), INADDR_LOOPBACK);
    struct sockaddr_in again = loopback(port);
    CHECK_ERRNO(connect(client, &again, sizeof again), EISCONN);
    CHECK_OK(close(server));
    CHECK_OK(close(client));
    CHECK_OK(close(listener));
    say("both sides know both names");
}

static void nobody_listens_is_refused(void) {
    uint16_t port;
    int listener = bind_loopback(SOCK_STREAM, &port), fd = (int)CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in address = loopback(port);
    CHECK_OK(close(listener));
    CHECK_ERRNO(connect(fd, &address, sizeof address), ECONNREFUSED);
    CHECK_OK(close(fd));
    say("ECONNREFUSED");
}

static void connections_wait_in_the_backlog(void) {
    uint16_t port;
    int listener = bind_loopback(SOCK_STREAM, &port), clients[4];
    char text[2] = "";
    for (int i = 0; i < 4; i++) {
        clients[i] = connect_loopback(SOCK_STREAM, port);
        text[0] = (char)('0' + i);
        CHECK_WRITE(clients[i], text);
    }
    CHECK(ready_within(listener, POLLIN, 0));
    for (int i = 0; i < 4; i++) {
        int server = (int)CHECK_OK(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
        CHECK_EQUAL(fcntl(server, F_GETFD), FD_CLOEXEC);
        text[0] = (char)('0' + i);
        CHECK_READ(server, text); /* in the order they came */
        CHECK_OK(close(server));
        CHECK_OK(close(clients[i]));
    }
    CHECK_OK(fcntl(listener, F_SETFL, (long)O_NONBLOCK));
    CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
    CHECK_OK(close(listener));
    say("four clients were connected before the first accept");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    a_fresh_socket_is_not_connected();
    kinds_that_do_not_exist_are_refused();
    a_port_is_bound_once();
    connecting_makes_a_pair_of_names();
    nobody_listens_is_refused();
    connections_wait_in_the_backlog();
    return test_pass();
}
