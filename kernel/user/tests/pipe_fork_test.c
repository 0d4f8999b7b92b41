/* pipe_fork: a pipe connects a parent with its child: more than it holds, both ways, and end of file when the other
 * side has gone. */
#include "test.h"

enum { AMOUNT = 300000 }; /* several times what a pipe holds */

static unsigned char pattern(int at) { return (unsigned char)(at * 7 + at / 251); }

static void send_amount(int fd) {
    static unsigned char buffer[10007]; /* a size that fits into nothing */
    for (int sent = 0; sent < AMOUNT;) {
        int size = AMOUNT - sent < (int)sizeof buffer ? AMOUNT - sent : (int)sizeof buffer;
        for (int i = 0; i < size; i++) buffer[i] = pattern(sent + i);
        CHECK_EQUAL(write(fd, buffer, (size_t)size), size); /* blocking: all of it */
        sent += size;
    }
}

static void receive_amount(int fd) {
    static unsigned char buffer[8192];
    int received = 0;
    ssize_t size;
    while ((size = CHECK_OK(read(fd, buffer, sizeof buffer))) > 0)
        for (ssize_t i = 0; i < size; i++, received++) CHECK_EQUAL(buffer[i], pattern(received));
    CHECK_EQUAL(received, AMOUNT);
}

static void much_data_flows_from_child_to_parent(void) {
    int fds[2];
    CHECK_OK(pipe(fds));
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(close(fds[0]));
        send_amount(fds[1]);
        _exit(0);
    }
    CHECK_OK(close(fds[1]));
    receive_amount(fds[0]);
    CHECK_EXIT(child, 0);
    CHECK_OK(close(fds[0]));
    say("%d bytes came through whole", AMOUNT);
}

static void much_data_flows_from_parent_to_child(void) {
    int fds[2];
    CHECK_OK(pipe(fds));
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(close(fds[1]));
        receive_amount(fds[0]);
        _exit(0);
    }
    CHECK_OK(close(fds[0]));
    send_amount(fds[1]);
    CHECK_OK(close(fds[1]));
    CHECK_EXIT(child, 0);
    say("and the other way");
}

static void question_and_answer_go_through_two_pipes(void) {
    int to_child[2], to_parent[2], number;
    CHECK_OK(pipe(to_child));
    CHECK_OK(pipe(to_parent));
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(close(to_child[1]));
        while (read(to_child[0], &number, sizeof number) == sizeof number) {
            number *= 2;
            CHECK_EQUAL(write(to_parent[1], &number, sizeof number), sizeof number);
        }
        _exit(0);
    }
    for (int i = 0; i < 100; i++) {
        CHECK_EQUAL(write(to_child[1], &i, sizeof i), sizeof i);
        CHECK_EQUAL(read(to_parent[0], &number, sizeof number), sizeof number);
        CHECK_EQUAL(number, 2 * i);
    }
    CHECK_OK(close(to_child[1])); /* ends the child */
    CHECK_EXIT(child, 0);
    say("100 answers to 100 questions");
}

static void a_killed_writer_is_the_end_of_file(void) {
    int fds[2];
    char byte;
    CHECK_OK(pipe(fds));
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_WRITE(fds[1], "last words");
        for (;;) pause();
    }
    CHECK_OK(close(fds[1]));
    CHECK_READ(fds[0], "last words");
    CHECK_OK(kill(child, SIGKILL));
    CHECK_EQUAL(read(fds[0], &byte, 1), 0);
    CHECK_KILLED(child, SIGKILL);
    CHECK_OK(close(fds[0]));
    say("the kernel closed a killed writer's end");
}

static void a_grandchild_holds_the_pipe_open(void) {
    int fds[2];
    char byte;
    struct gate hold = make_gate();
    CHECK_OK(pipe(fds));
    pid_t child = test_fork();
    if (child == 0) {
        if (test_fork() == 0) {
            pass_gate(hold);
            CHECK_WRITE(fds[1], "g");
        }
        _exit(0);
    }
    CHECK_OK(close(fds[1]));
    CHECK_EXIT(child, 0);
    CHECK(!ready_within(fds[0], POLLIN, 10));
    open_gate(hold);
    CHECK_READ(fds[0], "g");
    CHECK_EQUAL(read(fds[0], &byte, 1), 0);
    say("no end of file while a grandchild lived");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    much_data_flows_from_child_to_parent();
    much_data_flows_from_parent_to_child();
    question_and_answer_go_through_two_pipes();
    a_killed_writer_is_the_end_of_file();
    a_grandchild_holds_the_pipe_open();
    return test_pass();
}
