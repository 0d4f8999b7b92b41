/* pipeline: processes joined by pipes as a shell does it: forked, connected, executed, collected; each end is closed
 * everywhere, so that the end of the first is the end of the last. */
#include "test.h"

/* Starts a program between two descriptors, which it alone has then. */
static pid_t start(int input, int output, char *const argv[]) {
    pid_t child = test_fork();
    if (child != 0) return child;
    CHECK_OK(dup2(input, 0));
    CHECK_OK(dup2(output, 1));
    for (int fd = 3; fd < 32; fd++) close(fd);
    CHECK_OK(execvp(argv[0], argv));
    _exit(1);
}

static void two_programs_are_joined(void) {
    int middle[2], end[2];
    CHECK_OK(pipe(middle));
    CHECK_OK(pipe(end));
    pid_t first = start(0, middle[1], (char *[]){ "echo", "one two three", NULL });
    pid_t second = start(middle[0], end[1], (char *[]){ "wc", NULL });
    CHECK_OK(close(middle[0]));
    CHECK_OK(close(middle[1]));
    CHECK_OK(close(end[1]));
    CHECK_READ(end[0], "      1       3      14\n");
    char nothing;
    CHECK_EQUAL(read(end[0], &nothing, 1), 0);
    CHECK_EXIT(first, 0);
    CHECK_EXIT(second, 0);
    CHECK_OK(close(end[0]));
    say("echo into wc");
}

static void eight_programs_are_joined(void) {
    enum { LENGTH = 8, AMOUNT = 100000 };
    static char content[AMOUNT + 1], result[AMOUNT + 1];
    pid_t children[LENGTH];
    int input[2], next[2], from;
    for (int i = 0; i < AMOUNT; i++) content[i] = (char)('a' + (i + i / 26) % 26);
    CHECK_OK(pipe(input));
    from = input[0];
    for (int i = 0; i < LENGTH; i++) {
        CHECK_OK(pipe(next));
        children[i] = start(from, next[1], (char *[]){ "cat", NULL });
        CHECK_OK(close(from));
        CHECK_OK(close(next[1]));
        from = next[0];
    }
    pid_t writer = test_fork();
    if (writer == 0) {
        CHECK_OK(close(from));
        CHECK_EQUAL(write(input[1], content, AMOUNT), AMOUNT);
        _exit(0);
    }
    CHECK_OK(close(input[1]));
    CHECK_EQUAL(read_fully(from, result, AMOUNT + 1), AMOUNT); /* and the end */
    CHECK_EQUAL(memcmp(result, content, AMOUNT), 0);
    CHECK_EXIT(writer, 0);
    for (int i = 0; i < LENGTH; i++) CHECK_EXIT(children[i], 0);
    CHECK_OK(close(from));
    say("%d bytes through %d programs", AMOUNT, LENGTH);
}

/* The last one reads a line and ends; the first would write for ever. */
static void an_early_end_kills_the_writers_by_sigpipe(void) {
    int middle[2], end[2];
    CHECK_OK(pipe(middle));
    CHECK_OK(pipe(end));
    pid_t first = test_fork();
    if (first == 0) {
        CHECK_OK(close(middle[0]));
        for (;;)
            if (write(middle[1], "again and again\n", 16) < 0) _exit(3);
    }
    pid_t last = start(middle[0], end[1], (char *[]){ "head", "-n", "1", NULL });
    CHECK_OK(close(middle[0]));
    CHECK_OK(close(middle[1]));
    CHECK_OK(close(end[1]));
    CHECK_READ(end[0], "again and again\n");
    CHECK_EXIT(last, 0);
    CHECK_KILLED(first, SIGPIPE);
    CHECK_OK(close(end[0]));
    say("head ended, and an endless writer with it");
}

static void every_status_is_the_programs_own(void) {
    int middle[2];
    CHECK_OK(pipe(middle));
    pid_t first = start(0, middle[1], (char *[]){ "false", NULL });
    pid_t second = start(middle[0], 1, (char *[]){ "true", NULL });
    CHECK_OK(close(middle[0]));
    CHECK_OK(close(middle[1]));
    CHECK_EXIT(second, 0);
    CHECK_EXIT(first, 1);
    say("false into true: 1 and 0");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    two_programs_are_joined();
    eight_programs_are_joined();
    an_early_end_kills_the_writers_by_sigpipe();
    every_status_is_the_programs_own();
    return test_pass();
}
