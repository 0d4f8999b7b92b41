/* tail: the program tail prints the last lines. */
#include "test.h"

static char output[4096];
static const char twelve[] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";

static void ten_lines_unless_told(void) {
    write_file("twelve", twelve);
    CHECK_EQUAL(capture(NULL, output, sizeof output, "tail", "twelve", NULL), 0);
    CHECK_TEXT(output, "3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
    CHECK_EQUAL(capture(twelve, output, sizeof output, "tail", NULL), 0);
    CHECK_TEXT(output, "3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
    say("ten lines of a file and of the input");
}

static void n_says_how_many(void) {
    CHECK_EQUAL(capture(NULL, output, sizeof output, "tail", "-n", "2", "twelve", NULL), 0);
    CHECK_TEXT(output, "11\n12\n");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "tail", "-n", "0", "twelve", NULL), 0);
    CHECK_TEXT(output, "");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "tail", "-n", "100", "twelve", NULL), 0);
    CHECK_TEXT(output, twelve);
    say("two, none and more than there are");
}

static void odd_ends_are_kept(void) {
    CHECK_EQUAL(capture("a\nb\nunfinished", output, sizeof output, "tail", "-n", "2", NULL), 0);
    CHECK_TEXT(output, "b\nunfinished");
    CHECK_EQUAL(capture("a\n\n\n", output, sizeof output, "tail", "-n", "2", NULL), 0);
    CHECK_TEXT(output, "\n\n");
    CHECK_EQUAL(capture("", output, sizeof output, "tail", NULL), 0);
    CHECK_TEXT(output, "");
    say("an unfinished line, empty lines, nothing");
}

static void a_long_input_keeps_its_end(void) {
    static char content[30001];
    for (int i = 0; i < 3000; i++) snprintf(content + i * 10, 11, "line %04d\n", i);
    write_file("long", content);
    CHECK_EQUAL(capture(NULL, output, sizeof output, "tail", "-n", "2", "long", NULL), 0);
    CHECK_TEXT(output, "line 2998\nline 2999\n");
    CHECK_EQUAL(capture_shell(output, sizeof output, "cat long | tail -n 1"), 0);
    CHECK_TEXT(output, "line 2999\n");
    say("the last of 3000 lines, from a file and a pipe");
}

static void errors_are_told(void) {
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "tail", "missing", NULL)), 1);
    CHECK(strstr(output, "tail: missing: ") != NULL);
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "tail", "-n", "-1", NULL)), 2);
    say("a missing file is status 1, nonsense is 2");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    ten_lines_unless_told();
    n_says_how_many();
    odd_ends_are_kept();
    a_long_input_keeps_its_end();
    errors_are_told();
    return test_pass();
}
