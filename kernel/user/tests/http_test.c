/* http: a client and a server over TCP on loopback (RFC 9112): requests, bodies with their length, errors, several
 * requests on one connection. */
#include "network.h"
#include "test.h"

enum { LARGE = 50000 };

static uint16_t port;
static int listener;

/* The server. */

static void send_all(int fd, const char *bytes, size_t size) {
    for (size_t sent = 0; sent < size;) sent += (size_t)CHECK_OK(send(fd, bytes + sent, size - sent, 0));
}

static void respond(int fd, const char *status, const char *body, size_t size, bool with_body) {
    char header[256];
    int length = snprintf(header, sizeof header,
                          "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", status, size);
    send_all(fd, header, (size_t)length);
    if (with_body) send_all(fd, body, size);
}

/* Up to the empty line, byte by byte: what follows may be the next request. */
static bool read_head(int fd, char *head, size_t size) {
    size_t length = 0;
    while (length < 4 || memcmp(head + length - 4, "\r\n\r\n", 4) != 0) {
        CHECK(length + 1 < size);
        ssize_t got = CHECK_OK(recv(fd, head + length, 1, 0));
        if (got == 0) {
            CHECK_EQUAL(length, 0); /* never in the middle */
            return false;
        }
        length++;
    }
    head[length] = '\0';
    return true;
}

static void serve_connection(int fd) {
    static char large[LARGE];
    char head[1024];
    for (int i = 0; i < LARGE; i++) large[i] = (char)('a' + i % 26);
    while (read_head(fd, head, sizeof head)) {
        CHECK(strstr(head, "\r\nHost: duet.test\r\n") != NULL);
        bool get = starts_with(head, "GET "), is_head = starts_with(head, "HEAD ");
        if (!get && !is_head)
            respond(fd, "405 Method Not Allowed", "", 0, true);
        else if (strstr(head, " / HTTP/1.1\r\n") != NULL)
            respond(fd, "200 OK", "Hello from duet\n", 16, get);
        else if (strstr(head, " /large HTTP/1.1\r\n") != NULL)
            respond(fd, "200 OK", large, LARGE, get);
        else
            respond(fd, "404 Not Found", "no such page\n", 13, get);
        if (strstr(head, "\r\nConnection: close\r\n") != NULL) break;
    }
}

static void serve(void) {
    for (int connection = 0; connection < 3; connection++) {
        int fd = (int)CHECK_OK(accept(listener, NULL, NULL));
        serve_connection(fd);
        CHECK_OK(close(fd));
    }
}

/* The client. */

static char body[LARGE + 1];

static void send_request(int fd, const char *method, const char *path, const char *more) {
    char request[256];
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: duet.test\r\n%s\r\n", method, path, more);
    send_all(fd, request, strlen(request));
}

/* Reads a response into `body`: its status. */
static int read_response(int fd, bool with_body) {
    char head[1024];
    long status = 0, length = 0;
    CHECK(read_head(fd, head, sizeof head));
    CHECK(starts_with(head, "HTTP/1.1 "));
    head[12] = '\0';
    CHECK(parse_number(head + 9, &status));
    const char *field = strstr(head + 13, "Content-Length: ");
    CHECK(field != NULL);
    for (field += 16; *field >= '0' && *field <= '9'; field++) length = length * 10 + *field - '0';
    CHECK(length <= LARGE);
    if (!with_body) length = 0;
    CHECK_EQUAL(read_fully(fd, body, (size_t)length), length);
    body[length] = '\0';
    return (int)status;
}

static void a_page_is_fetched(void) {
    char byte;
    int fd = connect_loopback(SOCK_STREAM, port);
    send_request(fd, "GET", "/", "Connection: close\r\n");
    CHECK_EQUAL(read_response(fd, true), 200);
    CHECK_TEXT(body, "Hello from duet\n");
    CHECK_EQUAL(recv(fd, &byte, 1, 0), 0);
    CHECK_OK(close(fd));
    say("200 and 16 bytes, then the end");
}

static void one_connection_serves_many_requests(void) {
    int fd = connect_loopback(SOCK_STREAM, port);
    send_request(fd, "GET", "/", "");
    CHECK_EQUAL(read_response(fd, true), 200);
    send_request(fd, "GET", "/missing", "");
    CHECK_EQUAL(read_response(fd, true), 404);
    CHECK_TEXT(body, "no such page\n");
    send_request(fd, "HEAD", "/large", "");
    CHECK_EQUAL(read_response(fd, false), 200);
    send_request(fd, "DELETE", "/", "");
    CHECK_EQUAL(read_response(fd, true), 405);
    send_request(fd, "GET", "/", ""); /* two at once */
    send_request(fd, "GET", "/missing", "");
    CHECK_EQUAL(read_response(fd, true), 200);
    CHECK_EQUAL(read_response(fd, true), 404);
    CHECK_OK(close(fd));
    say("six requests: 200, 404, 200, 405, and two at once");
}

static void a_large_page_is_whole(void) {
    int fd = connect_loopback(SOCK_STREAM, port);
    send_request(fd, "GET", "/large", "");
    CHECK_EQUAL(read_response(fd, true), 200);
    CHECK_EQUAL(strlen(body), LARGE);
    for (int i = 0; i < LARGE; i++) CHECK_EQUAL(body[i], 'a' + i % 26);
    CHECK_OK(close(fd));
    say("%d bytes", LARGE);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    listener = bind_loopback(SOCK_STREAM, &port);
    pid_t server = in_child(serve);
    CHECK_OK(close(listener));
    a_page_is_fetched();
    one_connection_serves_many_requests();
    a_large_page_is_whole();
    CHECK_EXIT(server, 0);
    return test_pass();
}
