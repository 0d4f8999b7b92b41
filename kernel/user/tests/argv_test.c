/* argv: a program finds its arguments and its environment as they were given to exec. */
#include "test.h"

/* This program again: prints what it got, a line each. */
static int print_arguments(int argc, char **argv) {
    printf("%d\n", argc);
    for (int i = 0; i < argc; i++) printf("[%s]\n", argv[i]);
    for (char **variable = environ; *variable != NULL; variable++) printf("{%s}\n", *variable);
    return argv[argc] == NULL ? 0 : 1;
}

/* Executes this program and gives what it printed. */
static void run_self(char *const argv[], char *const envp[], char *output, size_t size) {
    int out[2];
    CHECK_OK(pipe2(out, O_CLOEXEC));
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(dup2(out[1], 1));
        CHECK_OK(execve(own_path(), argv, envp));
    }
    CHECK_OK(close(out[1]));
    ssize_t length = CHECK_OK(read_fully(out[0], output, size - 1));
    output[length] = '\0';
    CHECK_OK(close(out[0]));
    CHECK_EXIT(child, 0);
}

static void the_own_arguments_are_there(int argc, char **argv) {
    CHECK_EQUAL(argc, 1);
    CHECK(argv[0] != NULL);
    CHECK(ends_with(argv[0], "argv_test"));
    CHECK(argv[1] == NULL);
    say("argv[0] is %s", argv[0]);
}

static void arguments_arrive_whole_and_in_order(void) {
    char output[1024];
    char *argv[] = { "print", "one", "two words", "", "\"quoted\"", "-5", NULL };
    char *envp[] = { NULL };
    run_self(argv, envp, output, sizeof output);
    CHECK_TEXT(output, "6\n[print]\n[one]\n[two words]\n[]\n[\"quoted\"]\n[-5]\n");
    say("six arguments, one of them empty");
}

static void the_environment_is_the_one_given(void) {
    char output[1024];
    char *argv[] = { "print", NULL };
    char *envp[] = { "HOME=/here", "EMPTY=", "LAST=x=y", NULL };
    run_self(argv, envp, output, sizeof output);
    if (runs_under_user_emulator()) /* qemu-user turns the order around */
        CHECK_TEXT(output, "1\n[print]\n{LAST=x=y}\n{EMPTY=}\n{HOME=/here}\n");
    else
        CHECK_TEXT(output, "1\n[print]\n{HOME=/here}\n{EMPTY=}\n{LAST=x=y}\n");
    say("three variables");
}

static void argument_zero_is_free(void) {
    char output[256];
    char *argv[] = { "print", "x", NULL };
    char *envp[] = { "A=1", NULL };
    run_self(argv, envp, output, sizeof output);
    CHECK_TEXT(output, "2\n[print]\n[x]\n{A=1}\n");
    say("argv[0] need not be the file's name");
}

/* The System V ABI of both architectures: 16 bytes. */
static void the_stack_is_aligned_and_the_strings_lie_above(int argc, char **argv) {
    char **end = argv + argc;
    CHECK(*end == NULL);
    CHECK_EQUAL((uintptr_t)(argv - 1) % 16, 0);
    CHECK((char *)end < argv[0]);
    say("the stack pointer was a multiple of 16");
}

int main(int argc, char **argv) {
    if (argc > 0 && strcmp(argv[0], "print") == 0) return print_arguments(argc, argv);
    test_begin(argc, argv);
    the_own_arguments_are_there(argc, argv);
    arguments_arrive_whole_and_in_order();
    the_environment_is_the_one_given();
    argument_zero_is_free();
    the_stack_is_aligned_and_the_strings_lie_above(argc, argv);
    return test_pass();
}
