/* head: the program head prints the first lines. */
#include "test.h"

static char output[4096];
static const char twelve[] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";

static void ten_lines_unless_told(void) {
    write_file("twelve", twelve);
    CHECK_EQUAL(capture(NULL, output, sizeof output, "head", "twelve", NULL), 0);
    CHECK_TEXT(output, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    CHECK_EQUAL(capture(twelve, output, sizeof output, "head", NULL), 0);
    CHECK_TEXT(output, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    say("ten lines of a file and of the input");
}

static void n_says_how_many(void) {
    CHECK_EQUAL(capture(NULL, output, sizeof output, "head", "-n", "3", "twelve", NULL), 0);
    CHECK_TEXT(output, "1\n2\n3\n");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "head", "-n", "0", "twelve", NULL), 0);
    CHECK_TEXT(output, "");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "head", "-n", "100", "twelve", NULL), 0);
    CHECK_TEXT(output, twelve);
    say("three, none and more than there are");
}

static void odd_ends_are_kept(void) {
    CHECK_EQUAL(capture("no newline", output, sizeof output, "head", "-n", "2", NULL), 0);
    CHECK_TEXT(output, "no newline");
    CHECK_EQUAL(capture("\n\n\nlast", output, sizeof output, "head", "-n", "2", NULL), 0);
    CHECK_TEXT(output, "\n\n");
    CHECK_EQUAL(capture("", output, sizeof output, "head", NULL), 0);
    CHECK_TEXT(output, "");
    say("an unfinished line, empty lines, nothing");
}

static void several_files_have_each_their_lines(void) {
    write_file("two", "a\nb\n");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "head", "-n", "1", "two", "twelve", NULL), 0);
    CHECK_TEXT(output, "a\n1\n");
    say("one line of each of two files");
}

static void errors_are_told(void) {
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "head", "missing", NULL)), 1);
    CHECK(strstr(output, "head: missing: ") != NULL);
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "head", "-n", "many", NULL)), 2);
    say("a missing file is status 1, nonsense is 2");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    ten_lines_unless_told();
    n_says_how_many();
    odd_ends_are_kept();
    several_files_have_each_their_lines();
    errors_are_told();
    return test_pass();
}
