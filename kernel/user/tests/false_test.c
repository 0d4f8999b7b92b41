/* false: the program false fails with status 1, silently, whatever it is told. */
#include "test.h"

static char output[256];

static void check_failure(int status) {
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 1);
    CHECK_TEXT(output, "");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    check_failure(capture(NULL, output, sizeof output, "false", NULL));
    say("exit status 1, no output");
    check_failure(capture("input", output, sizeof output, "false", "--true", NULL));
    say("arguments and input change nothing");
    check_failure(capture_shell(output, sizeof output, "false"));
    CHECK_EQUAL(capture_shell(output, sizeof output, "false; echo $?"), 0);
    CHECK_TEXT(output, "1\n");
    say("the shell knows its status");
    return test_pass();
}
