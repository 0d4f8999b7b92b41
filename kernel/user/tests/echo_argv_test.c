/* echo_argv: the program echo prints exactly its arguments, with spaces between them. */
#include "test.h"

static char output[8192];

static void words_are_joined_by_spaces(void) {
    CHECK_EQUAL(capture(NULL, output, sizeof output, "echo", "hello", "world", NULL), 0);
    CHECK_TEXT(output, "hello world\n");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "echo", "one", NULL), 0);
    CHECK_TEXT(output, "one\n");
    say("two words, one word");
}

static void without_words_there_is_an_empty_line(void) {
    CHECK_EQUAL(capture(NULL, output, sizeof output, "echo", NULL), 0);
    CHECK_TEXT(output, "\n");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "echo", "", NULL), 0);
    CHECK_TEXT(output, "\n");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "echo", "", "", NULL), 0);
    CHECK_TEXT(output, " \n");
    say("none, an empty one, two empty ones");
}

static void spaces_inside_words_stay(void) {
    CHECK_EQUAL(capture(NULL, output, sizeof output, "echo", " a  b ", "c\td", "\\n", NULL), 0);
    CHECK_TEXT(output, " a  b  c\td \\n\n");
    say("spaces, tabs and backslashes as they are");
}

static void n_leaves_the_newline_out(void) {
    CHECK_EQUAL(capture(NULL, output, sizeof output, "echo", "-n", "word", NULL), 0);
    CHECK_TEXT(output, "word");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "echo", "word", "-n", NULL), 0);
    CHECK_TEXT(output, "word -n\n");
    say("-n counts as the first argument alone");
}

static void a_long_argument_is_printed_whole(void) {
    static char word[6001];
    memset(word, 'w', 6000);
    CHECK_EQUAL(capture(NULL, output, sizeof output, "echo", "a", word, "z", NULL), 0);
    CHECK_EQUAL(strlen(output), 6005);
    CHECK(starts_with(output, "a www"));
    CHECK(ends_with(output, "www z\n"));
    say("a word of 6000 bytes");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    words_are_joined_by_spaces();
    without_words_there_is_an_empty_line();
    spaces_inside_words_stay();
    n_leaves_the_newline_out();
    a_long_argument_is_printed_whole();
    return test_pass();
}
