/* exec_stack_argv: arguments built in local variables, deep in the stack, reach the new program, although exec takes
 * the old stack away; and the new stack is a fresh one that grows. */
#include "test.h"

/* This program again: its arguments are letters repeated, as often as their place says. */
static int check_letters(int argc, char **argv) {
    if (argc != 12) return 1;
    for (int i = 2; i < argc; i++) {
        if (strlen(argv[i]) != (size_t)i * 10) return 2;
        for (const char *at = argv[i]; *at != '\0'; at++)
            if (*at != 'a' + i) return 3;
    }
    return 0;
}

/* Never a tail call: each level keeps its frame. */
static int use_stack(int depth) {
    volatile char frame[4096];
    for (int i = 0; i < 4096; i += 64) frame[i] = (char)depth;
    int below = depth > 0 ? use_stack(depth - 1) : 0;
    for (int i = 0; i < 4096; i += 64)
        if (frame[i] != (char)depth) return -1;
    return below < 0 ? -1 : below + 1;
}

static void exec_from_a_deep_frame(int depth) {
    volatile char frame[2048];
    frame[0] = frame[2047] = (char)depth;
    if (depth > 0) {
        exec_from_a_deep_frame(depth - 1);
        frame[1] = frame[0];
        return;
    }
    char letters[12][128];
    char *argv[13] = { "exec_stack_argv_test", "letters" };
    for (int i = 2; i < 12; i++) {
        memset(letters[i], 'a' + i, (size_t)i * 10);
        letters[i][i * 10] = '\0';
        argv[i] = letters[i];
    }
    argv[12] = NULL;
    CHECK_OK(execv(own_path(), argv));
}

static void arguments_on_the_stack_arrive(void) {
    pid_t child = test_fork();
    if (child == 0) exec_from_a_deep_frame(0);
    CHECK_EXIT(child, 0);
    say("ten arguments from local variables");
}

static void arguments_from_a_deep_stack_arrive(void) {
    pid_t child = test_fork();
    if (child == 0) exec_from_a_deep_frame(100);
    CHECK_EXIT(child, 0);
    say("the same from 200 KiB down the stack");
}

static void the_new_programs_stack_grows(void) {
    pid_t child = test_fork();
    if (child == 0) CHECK_OK(execv(own_path(), (char *[]){ "exec_stack_argv_test", "stack", NULL }));
    CHECK_EXIT(child, 101);
    say("100 pages of stack after an exec");
}

static void a_chain_of_execs_passes_its_arguments_on(void) {
    pid_t child = test_fork();
    if (child == 0) CHECK_OK(execv(own_path(), (char *[]){ "exec_stack_argv_test", "chain", "8", NULL }));
    CHECK_EXIT(child, 88);
    say("eight execs in a row");
}

static int continue_chain(const char *argument) {
    char next[16];
    long left = 0;
    if (!parse_number(argument, &left)) return 1;
    if (left == 0) return 88;
    snprintf(next, sizeof next, "%ld", left - 1);
    execvp("exec_stack_argv_test", (char *[]){ "exec_stack_argv_test", "chain", next, NULL });
    return 2;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "letters") == 0) return check_letters(argc, argv);
    if (argc > 1 && strcmp(argv[1], "stack") == 0) return use_stack(100);
    if (argc > 2 && strcmp(argv[1], "chain") == 0) return continue_chain(argv[2]);
    test_begin(argc, argv);
    arguments_on_the_stack_arrive();
    arguments_from_a_deep_stack_arrive();
    the_new_programs_stack_grows();
    a_chain_of_execs_passes_its_arguments_on();
    return test_pass();
}
