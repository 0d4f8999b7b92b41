/* true: the program true succeeds, silently, whatever it is told. */
#include "test.h"

static char output[256];

static void check_success(int status) {
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 0);
    CHECK_TEXT(output, "");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    check_success(capture(NULL, output, sizeof output, "true", NULL));
    say("exit status 0, no output");
    check_success(capture("input", output, sizeof output, "true", "--false", "x", NULL));
    say("arguments and input change nothing");
    check_success(capture_shell(output, sizeof output, "true"));
    say("the same through the shell");
    return test_pass();
}
