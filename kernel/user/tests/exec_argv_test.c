/* exec_argv: exec with few, many and long arguments, and its errors. */
#include "test.h"

/* This program again, as `exec_argv_test numbered argument-2 argument-3 ...`. */
static int check_numbered(int argc, char **argv) {
    char expected[32];
    for (int i = 2; i < argc; i++) {
        snprintf(expected, sizeof expected, "argument-%d", i);
        if (strcmp(argv[i], expected) != 0) return 1;
    }
    return argc == 202 ? 0 : 2;
}

static int check_long(int argc, char **argv) {
    if (argc != 3 || strlen(argv[2]) != 60000) return 1;
    for (const char *at = argv[2]; *at != '\0'; at++)
        if (*at != 'a' + (at - argv[2]) % 26) return 2;
    return 0;
}

static void two_hundred_arguments_arrive(void) {
    static char texts[202][20];
    static char *argv[203] = { "exec_argv_test", "numbered" };
    for (int i = 2; i < 202; i++) {
        snprintf(texts[i], sizeof texts[i], "argument-%d", i);
        argv[i] = texts[i];
    }
    pid_t child = test_fork();
    if (child == 0) CHECK_OK(execv(own_path(), argv));
    CHECK_EXIT(child, 0);
    say("200 arguments");
}

static void a_long_argument_arrives(void) {
    static char text[60001];
    for (int i = 0; i < 60000; i++) text[i] = (char)('a' + i % 26);
    pid_t child = test_fork();
    if (child == 0) CHECK_OK(execv(own_path(), (char *[]){ "exec_argv_test", "long", text, NULL }));
    CHECK_EXIT(child, 0);
    say("an argument of 60000 bytes");
}

static void the_arguments_are_copies(void) {
    pid_t child = test_fork();
    if (child == 0) {
        char where[64] = "true";
        CHECK_OK(execv(tool(where), (char *[]){ where, where, NULL }));
    }
    CHECK_EXIT(child, 0);
    say("arguments may lie anywhere in the old memory");
}

static void exec_keeps_pid_and_parent(void) {
    char output[64], expected[64];
    int fds[2];
    CHECK_OK(pipe2(fds, O_CLOEXEC));
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(dup2(fds[1], 1));
        CHECK_OK(execv(own_path(), (char *[]){ "exec_argv_test", "pids", NULL }));
    }
    CHECK_OK(close(fds[1]));
    ssize_t length = CHECK_OK(read_fully(fds[0], output, sizeof output - 1));
    output[length] = '\0';
    snprintf(expected, sizeof expected, "%d %d\n", child, getpid());
    CHECK_TEXT(output, expected);
    CHECK_EXIT(child, 0);
    say("the new program is the same process");
}

static void what_cannot_be_executed_is_refused(void) {
    char *argv[] = { "x", NULL };
    enter_scratch_directory();
    CHECK_ERRNO(execv("missing", argv), ENOENT);
    CHECK_ERRNO(execv("", argv), ENOENT);
    write_file("plain", "not a program\n");
    CHECK_ERRNO(execv("plain", argv), EACCES); /* no x bit: for root as well */
    CHECK_ERRNO(execv("plain/inside", argv), ENOTDIR);
    CHECK_OK(chmod("plain", 0755));
    CHECK_ERRNO(execv("plain", argv), ENOEXEC);
    write_file("empty", "");
    CHECK_OK(chmod("empty", 0755));
    CHECK_ERRNO(execv("empty", argv), ENOEXEC);
    CHECK_ERRNO(execv(".", argv), EACCES);
    CHECK_ERRNO(execv((char *)1, argv), EFAULT);
    CHECK_ERRNO(execv(own_path(), (char **)1), EFAULT);
    say("nine programs that are none; this one still runs");
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "numbered") == 0) return check_numbered(argc, argv);
    if (argc > 1 && strcmp(argv[1], "long") == 0) return check_long(argc, argv);
    if (argc > 1 && strcmp(argv[1], "pids") == 0) return printf("%d %d\n", getpid(), getppid()) < 0;
    test_begin(argc, argv);
    two_hundred_arguments_arrive();
    a_long_argument_arrives();
    the_arguments_are_copies();
    exec_keeps_pid_and_parent();
    what_cannot_be_executed_is_refused();
    return test_pass();
}
