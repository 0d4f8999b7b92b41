/* which: the program which finds programs along $PATH, as the shell does. */
#include "test.h"

static char output[PATH_MAX];

static void a_program_beside_this_one_is_found(void) {
    char expected[PATH_MAX];
    CHECK_EQUAL(capture(NULL, output, sizeof output, "which", "cat", NULL), 0);
    snprintf(expected, sizeof expected, "%s\n", tool("cat"));
    CHECK_TEXT(output, expected);
    say("cat is %s", tool("cat"));
}

static void what_is_not_there_is_status_one(void) {
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "which", "no-such-program", NULL)), 1);
    CHECK_TEXT(output, "");
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "which", "no-such-program", "ls", NULL)), 1);
    CHECK(ends_with(output, "/ls\n"));
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "which", NULL)), 2);
    say("a missing program, one of two, and none");
}

static void the_first_folder_wins_and_only_programs_count(void) {
    char path[2 * PATH_MAX];
    CHECK_OK(mkdir("first", 0755));
    CHECK_OK(mkdir("second", 0755));
    CHECK_OK(mkdir("first/directory", 0755));
    write_file("first/plain", "no x bit");
    write_file("first/mine", "");
    write_file("second/mine", "");
    CHECK_OK(chmod("first/mine", 0755));
    CHECK_OK(chmod("second/mine", 0755));
    char *old_path = (char *)getenv("PATH");
    snprintf(path, sizeof path, "/nowhere:first:second:%s", old_path);
    CHECK_OK(setenv("PATH", path));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "which", "mine", NULL), 0);
    CHECK_TEXT(output, "first/mine\n");
    CHECK_OK(unlink("first/mine"));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "which", "mine", NULL), 0);
    CHECK_TEXT(output, "second/mine\n");
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "which", "plain", NULL)), 1);
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "which", "directory", NULL)), 1);
    CHECK_OK(setenv("PATH", old_path));
    say("order of the folders, no directories, no plain files");
}

static void a_path_stands_for_itself(void) {
    char expected[PATH_MAX];
    CHECK_EQUAL(capture(NULL, output, sizeof output, "which", tool("ls"), NULL), 0);
    snprintf(expected, sizeof expected, "%s\n", tool("ls"));
    CHECK_TEXT(output, expected);
    say("an absolute path is printed as it is");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    a_program_beside_this_one_is_found();
    what_is_not_there_is_status_one();
    the_first_folder_wins_and_only_programs_count();
    a_path_stands_for_itself();
    return test_pass();
}
