/* shell_pipe: the shell joins programs by pipes and files, and gives the last one's status. */
#include "test.h"

static char output[4096];

static void check_shell(const char *command, const char *expected) {
    int status = capture_shell(output, sizeof output, command);
    CHECK_TEXT(output, expected);
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 0);
}

static void pipelines_of_two_three_and_five(void) {
    check_shell("echo hello | cat", "hello\n");
    check_shell("echo one two three | cat | wc", "      1       3      14\n");
    check_shell("echo deep | cat | cat | cat | cat", "deep\n");
    check_shell("cat lines | head -n 3 | tail -n 1", "third\n");
    say("two, three, five programs");
}

static void redirections(void) {
    char content[64];
    check_shell("echo written > file", "");
    read_text("file", content, sizeof content);
    CHECK_TEXT(content, "written\n");
    check_shell("echo more >> file; cat < file", "written\nmore\n");
    check_shell("cat < lines | head -n 1 > first", "");
    read_text("first", content, sizeof content);
    CHECK_TEXT(content, "first\n");
    check_shell("echo over > file; cat file", "over\n");
    say("< > and >>, alone and in a pipeline");
}

static void words_and_quotes(void) {
    check_shell("echo 'single  | quoted' \"double > quoted\" plain\\ space",
                "single  | quoted double > quoted plain space\n");
    check_shell("echo ''", "\n");
    check_shell("echo a#b # a comment", "a#b\n");
    check_shell("echo one; echo two", "one\ntwo\n");
    CHECK_OK(setenv("GREETING", "hello there"));
    check_shell("echo $GREETING \"$GREETING\" '$GREETING' $NOTHING.", "hello there hello there $GREETING .\n");
    say("quotes, escapes, comments and variables");
}

static void the_status_is_the_last_ones(void) {
    CHECK_EQUAL(WEXITSTATUS(capture_shell(output, sizeof output, "true | false")), 1);
    CHECK_EQUAL(WEXITSTATUS(capture_shell(output, sizeof output, "false | true")), 0);
    check_shell("false; echo $?; true; echo $?", "1\n0\n");
    CHECK_EQUAL(WEXITSTATUS(capture_shell(output, sizeof output, "exit 7")), 7);
    CHECK_EQUAL(WEXITSTATUS(capture_shell(output, sizeof output, "no-such-program")), 127);
    CHECK_TEXT(output, "sh: no-such-program: not found\n");
    CHECK_EQUAL(WEXITSTATUS(capture_shell(output, sizeof output, "cat < no-such-file")), 1);
    CHECK_EQUAL(WEXITSTATUS(capture_shell(output, sizeof output, "echo x | | cat")), 2);
    say("of pipelines, exit, missing programs and nonsense");
}

static void builtins_work_in_the_shell_itself(void) {
    char expected[PATH_MAX];
    CHECK_OK(mkdir("inner", 0755));
    CHECK(getcwd(expected, sizeof expected) != NULL);
    strcat(expected, "/inner\n");
    check_shell("cd inner; pwd", expected);
    check_shell("cd /; pwd", "/\n");
    CHECK_EQUAL(WEXITSTATUS(capture_shell(output, sizeof output, "cd missing")), 1);
    check_shell("pwd | wc | head -n 1 | wc", "      1       3      24\n");
    say("cd and pwd");
}

static void run_prints_begin_and_end(void) {
    check_shell("run 5f3a true", "[begin 5f3a true]\n\n[end 5f3a exit 0]\n");
    CHECK_EQUAL(WEXITSTATUS(capture_shell(output, sizeof output, "run 5f3b false")), 1);
    CHECK_TEXT(output, "[begin 5f3b false]\n\n[end 5f3b exit 1]\n");
    CHECK_EQUAL(WEXITSTATUS(capture_shell(output, sizeof output, "run 77 no-such-program")), 127);
    CHECK_TEXT(output, "[begin 77 no-such-program]\nsh: no-such-program: not found\n\n[end 77 exit 127]\n");
    check_shell("run 78 sh -c 'sleep 5 & echo left'", "[begin 78 sh]\nleft\n\n[end 78 exit 0]\n"); /* sleep is killed */
    say("run NONCE PROGRAM, with statuses 0, 1 and 127, and a process left behind");
}

/* Not captured: the job would hold the pipe open. */
static void a_background_job_is_not_waited_for(void) {
    long started = now_ms();
    pid_t shell = test_fork();
    if (shell == 0) CHECK_OK(execv(tool("sh"), (char *[]){ "sh", "-c", "sleep 2 & exit 5", NULL }));
    CHECK_EXIT(shell, 5);
    CHECK(now_ms() - started < 1500);
    say("the shell ended before its background job");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    write_file("lines", "first\nsecond\nthird\nfourth\n");
    pipelines_of_two_three_and_five();
    redirections();
    words_and_quotes();
    the_status_is_the_last_ones();
    builtins_work_in_the_shell_itself();
    run_prints_begin_and_end();
    a_background_job_is_not_waited_for();
    return test_pass();
}
