/* cat: the program cat copies files, or its input, to its output. */
#include "test.h"

static char output[65536];

static void files_come_one_after_another(void) {
    write_file("first", "one\n");
    write_file("second", "two without newline");
    write_file("empty", "");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "cat", "first", NULL), 0);
    CHECK_TEXT(output, "one\n");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "cat", "second", "empty", "first", "first", NULL), 0);
    CHECK_TEXT(output, "two without newlineone\none\n");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "cat", "empty", NULL), 0);
    CHECK_TEXT(output, "");
    say("one, four and an empty one");
}

static void without_files_the_input_is_copied(void) {
    CHECK_EQUAL(capture("from the input\nto the output", output, sizeof output, "cat", NULL), 0);
    CHECK_TEXT(output, "from the input\nto the output");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "cat", NULL), 0);
    CHECK_TEXT(output, "");
    say("input to output");
}

static void large_files_are_whole(void) {
    enum { SIZE = 50000 };
    static char content[SIZE + 1];
    for (int i = 0; i < SIZE; i++) content[i] = (char)(' ' + (i + i / 95) % 95);
    write_file("large", content);
    CHECK_EQUAL(capture(NULL, output, sizeof output, "cat", "large", NULL), 0);
    CHECK_EQUAL(strlen(output), SIZE);
    CHECK_EQUAL(memcmp(output, content, SIZE), 0);
    say("%d bytes", SIZE);
}

static void a_missing_file_is_told_and_the_others_come(void) {
    int status = capture(NULL, output, sizeof output, "cat", "first", "missing", "first", NULL);
    CHECK_EQUAL(WEXITSTATUS(status), 1);
    CHECK(starts_with(output, "one\n"));
    CHECK(ends_with(output, "one\n"));
    CHECK(strstr(output, "cat: missing: ") != NULL);
    CHECK(strstr(output, "ENOENT") != NULL);
    status = capture(NULL, output, sizeof output, "cat", ".", NULL);
    CHECK_EQUAL(WEXITSTATUS(status), 1);
    CHECK(strstr(output, "EISDIR") != NULL);
    say("status 1 and a message for what is missing and for a directory");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    files_come_one_after_another();
    without_files_the_input_is_copied();
    large_files_are_whole();
    a_missing_file_is_told_and_the_others_come();
    return test_pass();
}
