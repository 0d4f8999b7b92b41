/* wc: the program wc counts lines, words and bytes. */
#include "test.h"

static char output[4096];

/* The three numbers of the line that begins at `*at`, which then is the next one. */
static void check_line(const char **at, long lines, long words, long bytes, const char *name) {
    char expected[128];
    snprintf(expected, sizeof expected, "%7ld %7ld %7ld%s%s\n", lines, words, bytes, *name ? " " : "", name);
    CHECK(starts_with(*at, expected));
    *at += strlen(expected);
}

static void check_input(const char *input, long lines, long words, long bytes) {
    const char *at = output;
    CHECK_EQUAL(capture(input, output, sizeof output, "wc", NULL), 0);
    check_line(&at, lines, words, bytes, "");
    CHECK_TEXT(at, "");
}

static void the_input_is_counted(void) {
    check_input("hello world\n", 1, 2, 12);
    check_input("", 0, 0, 0);
    check_input("no newline", 0, 2, 10);
    check_input("\n\n\n", 3, 0, 3);
    check_input("  spaces \t and\ttabs  \n x", 1, 4, 24);
    say("five inputs");
}

static void files_are_counted_with_a_sum(void) {
    const char *at = output;
    write_file("first", "a b c\n");
    write_file("second", "d\ne\n");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "wc", "first", "second", NULL), 0);
    check_line(&at, 1, 3, 6, "first");
    check_line(&at, 2, 2, 4, "second");
    check_line(&at, 3, 5, 10, "total");
    CHECK_TEXT(at, "");
    say("two files and their sum");
}

/* A word that lies across the border of two reads is one word. */
static void large_files_are_counted_whole(void) {
    static char content[40001];
    const char *at = output;
    for (int i = 0; i < 4000; i++) memcpy(content + i * 10, i % 4 == 3 ? "word pair\n" : "word-word ", 10);
    write_file("large", content);
    CHECK_EQUAL(capture(NULL, output, sizeof output, "wc", "large", NULL), 0);
    check_line(&at, 1000, 5000, 40000, "large");
    say("40000 bytes");
}

static void a_missing_file_is_told(void) {
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "wc", "missing", NULL)), 1);
    CHECK(strstr(output, "wc: missing: ") != NULL);
    say("status 1 and a message");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    the_input_is_counted();
    files_are_counted_with_a_sum();
    large_files_are_counted_whole();
    a_missing_file_is_told();
    return test_pass();
}
