/* unix_named_socket: UNIX sockets with a name in the file system: served to strangers, and gone with their server. */
#include "test.h"

static struct sockaddr_un name_of(const char *path) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strcpy(address.sun_path, path);
    return address;
}

static int listen_at(const char *path) {
    struct sockaddr_un address = name_of(path);
    int fd = (int)CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_OK(bind(fd, &address, sizeof address));
    CHECK_OK(listen(fd, 8));
    return fd;
}

static int connect_to(const char *path) {
    struct sockaddr_un address = name_of(path);
    int fd = (int)CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_OK(connect(fd, &address, sizeof address));
    return fd;
}

static void bind_makes_a_file(void) {
    struct stat status;
    struct sockaddr_un address = name_of("server"), own = { 0 };
    socklen_t size = sizeof own;
    int listener = listen_at("server"), second = (int)CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_OK(stat("server", &status));
    CHECK_EQUAL(status.st_mode & S_IFMT, S_IFSOCK);
    CHECK_OK(getsockname(listener, &own, &size));
    CHECK_EQUAL(own.sun_family, AF_UNIX);
    CHECK_TEXT(own.sun_path, "server");
    CHECK_ERRNO(bind(second, &address, sizeof address), EADDRINUSE);
    CHECK_ERRNO(open("server", O_RDWR), ENXIO); /* not to be opened like a file */
    CHECK_OK(close(second));
    CHECK_OK(close(listener));
    CHECK_OK(stat("server", &status)); /* the name outlives the socket */
    CHECK_OK(unlink("server"));
    say("a socket file, once");
}

static void strangers_connect_by_name(void) {
    int listener = listen_at("server");
    pid_t clients[3];
    for (int i = 0; i < 3; i++) {
        clients[i] = test_fork();
        if (clients[i] != 0) continue;
        char text[] = "client 0";
        text[7] = (char)('0' + i);
        CHECK_OK(close(listener));
        int fd = connect_to("server");
        CHECK_WRITE(fd, text);
        CHECK_READ(fd, "welcome");
        _exit(0);
    }
    int seen = 0;
    for (int i = 0; i < 3; i++) {
        char text[9] = "";
        int fd = (int)CHECK_OK(accept(listener, NULL, NULL));
        CHECK_EQUAL(read_fully(fd, text, 8), 8);
        CHECK(starts_with(text, "client "));
        seen |= 1 << (text[7] - '0');
        CHECK_WRITE(fd, "welcome");
        CHECK_OK(close(fd));
    }
    CHECK_EQUAL(seen, 7);
    for (int i = 0; i < 3; i++) CHECK_EXIT(clients[i], 0);
    CHECK_OK(close(listener));
    CHECK_OK(unlink("server"));
    say("three clients were served");
}

static void connections_wait_to_be_accepted(void) {
    int listener = listen_at("server"), first = connect_to("server"), second = connect_to("server");
    CHECK_WRITE(first, "1");
    CHECK_WRITE(second, "2");
    CHECK(ready_within(listener, POLLIN, 0));
    int accepted = (int)CHECK_OK(accept(listener, NULL, NULL));
    CHECK_READ(accepted, "1");
    CHECK_OK(close(accepted));
    accepted = (int)CHECK_OK(accept(listener, NULL, NULL));
    CHECK_READ(accepted, "2");
    CHECK_OK(close(second));
    char byte;
    CHECK_EQUAL(read(accepted, &byte, 1), 0);
    CHECK_OK(close(accepted));
    CHECK_OK(fcntl(listener, F_SETFL, (long)O_NONBLOCK));
    CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
    CHECK_OK(close(first));
    CHECK_OK(close(listener));
    CHECK_OK(unlink("server"));
    say("two, in the order they came");
}

static void without_a_server_there_is_no_connection(void) {
    struct sockaddr_un address = name_of("server");
    int fd = (int)CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_ERRNO(connect(fd, &address, sizeof address), ENOENT);
    CHECK_OK(close(listen_at("server")));
    CHECK_ERRNO(connect(fd, &address, sizeof address), ECONNREFUSED); /* a name left behind */
    CHECK_OK(unlink("server"));
    write_file("plain", "");
    address = name_of("plain");
    CHECK_ERRNO(connect(fd, &address, sizeof address), ECONNREFUSED);
    int other = listen_at("server");
    address = name_of("server");
    CHECK_OK(connect(fd, &address, sizeof address));
    CHECK_ERRNO(connect(fd, &address, sizeof address), EISCONN);
    CHECK_OK(close(fd));
    CHECK_OK(close(other));
    CHECK_OK(unlink("server"));
    say("no name, no server, no socket, and twice");
}

static void datagrams_find_a_name(void) {
    char buffer[32];
    struct sockaddr_un address = name_of("mailbox"), own = name_of("sender"), from = { 0 };
    socklen_t size = sizeof from;
    int mailbox = (int)CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0)), sender = (int)CHECK_OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    CHECK_OK(bind(mailbox, &address, sizeof address));
    CHECK_OK(bind(sender, &own, sizeof own));
    CHECK_EQUAL(sendto(sender, "letter", 6, 0, &address, sizeof address), 6);
    CHECK_EQUAL(recvfrom(mailbox, buffer, sizeof buffer, 0, &from, &size), 6);
    CHECK_TEXT(from.sun_path, "sender");
    CHECK_EQUAL(sendto(mailbox, "answer", 6, 0, &from, size), 6);
    CHECK_EQUAL(recv(sender, buffer, sizeof buffer, 0), 6);
    CHECK_EQUAL(memcmp(buffer, "answer", 6), 0);
    CHECK_OK(close(mailbox));
    CHECK_ERRNO(sendto(sender, "x", 1, 0, &address, sizeof address), ECONNREFUSED);
    CHECK_OK(close(sender));
    CHECK_OK(unlink("mailbox"));
    CHECK_OK(unlink("sender"));
    say("a letter and its answer");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    bind_makes_a_file();
    strangers_connect_by_name();
    connections_wait_to_be_accepted();
    without_a_server_there_is_no_connection();
    datagrams_find_a_name();
    return test_pass();
}
