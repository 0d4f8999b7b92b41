/* dns: a resolver asks a name server over UDP (RFC 1035), both processes of this test: names, answers behind
 * compressed names, unknown names, and an answer that is not to the question. */
#include "network.h"
#include "test.h"

enum { HEADER = 12, TYPE_A = 1, TYPE_CNAME = 5, CLASS_IN = 1, NAME_ERROR = 3, FLAG_RESPONSE = 0x8000 };

static uint16_t server_port;
static int server_socket;

/* Messages. */

struct message {
    uint8_t bytes[512];
    int size;
};

static void put16(struct message *message, unsigned value) {
    message->bytes[message->size++] = (uint8_t)(value >> 8);
    message->bytes[message->size++] = (uint8_t)value;
}

static unsigned get16(const struct message *message, int at) {
    CHECK(at + 2 <= message->size);
    return (unsigned)message->bytes[at] << 8 | message->bytes[at + 1];
}

static void put_header(struct message *message, unsigned id, unsigned flags, int answers) {
    message->size = 0;
    put16(message, id);
    put16(message, flags);
    put16(message, 1); /* questions */
    put16(message, (unsigned)answers);
    put16(message, 0);
    put16(message, 0);
}

/* "a.bc" is 1 a 2 b c 0. */
static void put_name(struct message *message, const char *name) {
    while (*name != '\0') {
        const char *dot = strchr(name, '.');
        size_t length = dot != NULL ? (size_t)(dot - name) : strlen(name);
        message->bytes[message->size++] = (uint8_t)length;
        memcpy(message->bytes + message->size, name, length);
        message->size += (int)length;
        name += length + (dot != NULL);
    }
    message->bytes[message->size++] = 0;
}

/* Reads a name, following compression pointers; gives where the message goes on. */
static int get_name(const struct message *message, int at, char *name, size_t size) {
    int after = -1, jumps = 0;
    size_t length = 0;
    for (;;) {
        CHECK(at < message->size);
        unsigned label = message->bytes[at++];
        if (label == 0) break;
        if (label >= 0xc0) {
            CHECK(at < message->size && ++jumps < 10);
            if (after < 0) after = at + 1;
            at = (int)((label & 0x3f) << 8 | message->bytes[at]);
            continue;
        }
        CHECK(at + (int)label <= message->size && length + label + 2 < size);
        if (length > 0) name[length++] = '.';
        memcpy(name + length, message->bytes + at, label);
        length += label;
        at += (int)label;
    }
    name[length] = '\0';
    return after < 0 ? at : after;
}

static void put_record(struct message *message, unsigned name_pointer, unsigned type) {
    put16(message, 0xc000 | name_pointer);
    put16(message, type);
    put16(message, CLASS_IN);
    put16(message, 0);
    put16(message, 60); /* seconds to live */
}

/* The server. It knows duet.test, and www.duet.test as another name for it. */

static void put_address(struct message *answer, unsigned name_pointer) {
    put_record(answer, name_pointer, TYPE_A);
    put16(answer, 4);
    put16(answer, 0x0a00); /* 10.0.2.15 */
    put16(answer, 0x020f);
}

static void answer_question(const struct message *question, struct message *answer) {
    char name[64];
    unsigned id = get16(question, 0);
    CHECK_EQUAL(get16(question, 4), 1);
    int end = get_name(question, HEADER, name, sizeof name);
    CHECK_EQUAL(get16(question, end), TYPE_A);
    CHECK_EQUAL(get16(question, end + 2), CLASS_IN);
    bool plain = strcmp(name, "duet.test") == 0, alias = strcmp(name, "www.duet.test") == 0;
    put_header(answer, id, FLAG_RESPONSE | (plain || alias ? 0 : NAME_ERROR), alias ? 2 : plain ? 1 : 0);
    put_name(answer, name);
    put16(answer, TYPE_A);
    put16(answer, CLASS_IN);
    if (alias) {
        put_record(answer, HEADER, TYPE_CNAME);
        put16(answer, 2);
        put16(answer, 0xc000 | (HEADER + 4)); /* behind "www." */
    }
    if (plain) put_address(answer, HEADER);
    if (alias) put_address(answer, HEADER + 4);
}

static void serve(void) {
    struct message question, answer;
    for (;;) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        question.size = (int)CHECK_OK(recvfrom(server_socket, question.bytes, sizeof question.bytes, 0, &from, &size));
        if (question.size == 0) _exit(0);
        answer_question(&question, &answer);
        /* First one with another id, as an attacker would send it. */
        answer.bytes[0] ^= 0xff;
        CHECK_EQUAL(sendto(server_socket, answer.bytes, (size_t)answer.size, 0, &from, size), answer.size);
        answer.bytes[0] ^= 0xff;
        CHECK_EQUAL(sendto(server_socket, answer.bytes, (size_t)answer.size, 0, &from, size), answer.size);
    }
}

/* The resolver: the address, or the negative response code. */

static long parse_answer(const struct message *answer) {
    char name[64];
    int code = (int)(get16(answer, 2) & 15), answers = (int)get16(answer, 6);
    if (code != 0) return -code;
    int at = get_name(answer, HEADER, name, sizeof name) + 4;
    for (int i = 0; i < answers; i++) {
        at = get_name(answer, at, name, sizeof name);
        unsigned type = get16(answer, at), length = get16(answer, at + 8);
        at += 10;
        if (type == TYPE_A && length == 4) {
            CHECK_TEXT(name, "duet.test");
            return (long)get16(answer, at) << 16 | get16(answer, at + 2);
        }
        at += (int)length;
    }
    return -100;
}

static long resolve(const char *name) {
    static unsigned id = 0x1234;
    struct message question, answer;
    int fd = connect_loopback(SOCK_DGRAM, server_port), skipped = 0;
    put_header(&question, ++id, 0x0100, 0); /* recursion desired */
    put_name(&question, name);
    put16(&question, TYPE_A);
    put16(&question, CLASS_IN);
    CHECK_EQUAL(send(fd, question.bytes, (size_t)question.size, 0), question.size);
    for (;;) {
        CHECK(ready_within(fd, POLLIN, 2000));
        answer.size = (int)CHECK_OK(recv(fd, answer.bytes, sizeof answer.bytes, 0));
        CHECK((get16(&answer, 2) & FLAG_RESPONSE) != 0);
        if (get16(&answer, 0) == id) break;
        skipped++;
    }
    CHECK_EQUAL(skipped, 1);
    CHECK_OK(close(fd));
    return parse_answer(&answer);
}

static void names_are_resolved(void) {
    CHECK_EQUAL(resolve("duet.test"), 0x0a00020f);
    say("duet.test is 10.0.2.15");
    CHECK_EQUAL(resolve("www.duet.test"), 0x0a00020f);
    say("www.duet.test is the same, by another name");
}

static void unknown_names_are_told(void) {
    CHECK_EQUAL(resolve("nowhere.test"), -NAME_ERROR);
    say("nowhere.test does not exist");
}

static void without_an_answer_there_is_a_time_out(void) {
    uint16_t silent_port;
    int silent = bind_loopback(SOCK_DGRAM, &silent_port), fd = connect_loopback(SOCK_DGRAM, silent_port);
    CHECK_WRITE(fd, "question");
    CHECK(!ready_within(fd, POLLIN, 20));
    CHECK_OK(close(fd));
    CHECK_OK(close(silent));
    say("a silent server does not hold the resolver");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    server_socket = bind_loopback(SOCK_DGRAM, &server_port);
    pid_t server = in_child(serve);
    CHECK_OK(close(server_socket));
    names_are_resolved();
    unknown_names_are_told();
    without_an_answer_there_is_a_time_out();
    int fd = connect_loopback(SOCK_DGRAM, server_port);
    CHECK_EQUAL(send(fd, "", 0, 0), 0); /* ends the server */
    CHECK_EXIT(server, 0);
    return test_pass();
}
