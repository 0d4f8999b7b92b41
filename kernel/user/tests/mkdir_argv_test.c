/* mkdir_argv: the program mkdir makes the directories that its arguments name. */
#include "test.h"

static char output[1024];

static bool is_directory(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static void each_argument_becomes_a_directory(void) {
    CHECK_EQUAL(capture(NULL, output, sizeof output, "mkdir", "one", NULL), 0);
    CHECK_TEXT(output, "");
    CHECK(is_directory("one"));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "mkdir", "two", "three", "with space", NULL), 0);
    CHECK(is_directory("two") && is_directory("three") && is_directory("with space"));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "mkdir", "one/inner", NULL), 0);
    CHECK(is_directory("one/inner"));
    say("one, three at once, one inside another");
}

static void the_umask_counts(void) {
    struct stat status;
    mode_t old = umask(0077);
    CHECK_EQUAL(capture(NULL, output, sizeof output, "mkdir", "private", NULL), 0);
    umask(old);
    CHECK_OK(stat("private", &status));
    CHECK_EQUAL(status.st_mode & 0777, 0700);
    say("0700 under a umask of 0077");
}

static void p_makes_the_parents_too(void) {
    CHECK_EQUAL(capture(NULL, output, sizeof output, "mkdir", "-p", "a/b/c/d", "one/x", NULL), 0);
    CHECK(is_directory("a/b/c/d") && is_directory("one/x"));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "mkdir", "-p", "a/b", NULL), 0);
    say("four levels, and those that are there");
}

static void what_cannot_be_made_is_told(void) {
    write_file("file", "x");
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "mkdir", "one", NULL)), 1);
    CHECK(strstr(output, "EEXIST") != NULL);
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "mkdir", "missing/inner", NULL)), 1);
    CHECK(strstr(output, "ENOENT") != NULL);
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "mkdir", "-p", "file/inner", NULL)), 1);
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "mkdir", "one", "new", NULL)), 1);
    CHECK(is_directory("new")); /* the others are made */
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "mkdir", NULL)), 2);
    say("twice, without parent, below a file, none");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    each_argument_becomes_a_directory();
    the_umask_counts();
    p_makes_the_parents_too();
    what_cannot_be_made_is_told();
    return test_pass();
}
