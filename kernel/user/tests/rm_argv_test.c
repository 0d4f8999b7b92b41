/* rm_argv: the program rm removes what its arguments name, and nothing else. */
#include "test.h"

static char output[1024];

static bool is_there(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

static void files_are_removed(void) {
    write_file("one", "");
    write_file("two", "");
    write_file("three", "");
    write_file("kept", "");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "rm", "one", NULL), 0);
    CHECK_TEXT(output, "");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "rm", "two", "three", NULL), 0);
    CHECK(!is_there("one") && !is_there("two") && !is_there("three"));
    CHECK(is_there("kept"));
    say("one, then two; the fourth was kept");
}

static void directories_need_r(void) {
    CHECK_OK(mkdir("tree", 0755));
    CHECK_OK(mkdir("tree/branch", 0755));
    write_file("tree/branch/leaf", "");
    write_file("tree/file", "");
    CHECK_OK(symlink("../kept", "tree/link"));
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "rm", "tree", NULL)), 1);
    CHECK(is_there("tree/branch/leaf"));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "rm", "-r", "tree", NULL), 0);
    CHECK(!is_there("tree"));
    CHECK(is_there("kept")); /* the link went, not what it pointed to */
    say("a tree with -r, not without; its link's target was kept");
}

static void f_is_silent_about_what_is_missing(void) {
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "rm", "missing", NULL)), 1);
    CHECK(strstr(output, "rm: missing: ") != NULL);
    CHECK_EQUAL(capture(NULL, output, sizeof output, "rm", "-f", "missing", NULL), 0);
    CHECK_TEXT(output, "");
    CHECK_OK(mkdir("again", 0755));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "rm", "-rf", "again", "missing", NULL), 0);
    CHECK(!is_there("again"));
    say("missing: status 1, with -f 0");
}

static void the_others_are_removed_after_an_error(void) {
    write_file("last", "");
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "rm", "missing", "last", NULL)), 1);
    CHECK(!is_there("last"));
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "rm", NULL)), 2);
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "rm", "-x", "kept", NULL)), 2);
    CHECK(is_there("kept"));
    write_file("-f", "");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "rm", "--", "-f", NULL), 0);
    CHECK(!is_there("-f"));
    say("one missing of two, no argument, an unknown flag, a name like a flag");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    files_are_removed();
    directories_need_r();
    f_is_silent_about_what_is_missing();
    the_others_are_removed_after_an_error();
    return test_pass();
}
