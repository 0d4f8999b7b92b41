/* cp_mv_argv: the programs cp and mv do with files what their arguments say. */
#include "test.h"

static char output[1024], content[1024];

static void check_content(const char *path, const char *expected) {
    read_text(path, content, sizeof content);
    CHECK_TEXT(content, expected);
}

static bool is_there(const char *path) { return access(path, F_OK) == 0; }

static void cp_makes_a_second_file(void) {
    struct stat from, to;
    write_file("file", "content");
    CHECK_OK(chmod("file", 0750));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "cp", "file", "copy", NULL), 0);
    CHECK_TEXT(output, "");
    check_content("copy", "content");
    CHECK_OK(stat("file", &from));
    CHECK_OK(stat("copy", &to));
    CHECK(from.st_ino != to.st_ino);
    CHECK_EQUAL(to.st_mode, from.st_mode);
    write_file("file", "changed");
    check_content("copy", "content");
    say("cp: a copy of its own, with the permissions");
}

static void cp_replaces_and_copies_into_directories(void) {
    write_file("longer", "longer content than the other");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "cp", "copy", "longer", NULL), 0);
    check_content("longer", "content");
    CHECK_OK(mkdir("folder", 0755));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "cp", "file", "copy", "folder", NULL), 0);
    check_content("folder/file", "changed");
    check_content("folder/copy", "content");
    say("cp: over a longer file, two files into a directory");
}

static void cp_refuses_what_it_cannot(void) {
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "cp", "missing", "x", NULL)), 1);
    CHECK(strstr(output, "ENOENT") != NULL);
    CHECK(!is_there("x"));
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "cp", "folder", "x", NULL)), 1);
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "cp", "file", "copy", "longer", NULL)), 1);
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "cp", "file", "file", NULL)), 1);
    check_content("file", "changed"); /* not emptied by copying onto itself */
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "cp", "file", NULL)), 2);
    say("cp: missing, a directory, two onto a file, onto itself, too few");
}

static void mv_renames(void) {
    struct stat before, after;
    CHECK_OK(stat("file", &before));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "mv", "file", "moved", NULL), 0);
    CHECK(!is_there("file"));
    CHECK_OK(stat("moved", &after));
    CHECK_EQUAL(after.st_ino, before.st_ino);
    CHECK_EQUAL(capture(NULL, output, sizeof output, "mv", "moved", "copy", NULL), 0);
    check_content("copy", "changed");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "mv", "copy", "longer", "folder", NULL), 0);
    CHECK(!is_there("copy") && !is_there("longer"));
    check_content("folder/copy", "changed");
    check_content("folder/longer", "content");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "mv", "folder", "renamed", NULL), 0);
    check_content("renamed/file", "changed");
    say("mv: a file, over another, two into a directory, the directory");
}

static void mv_refuses_what_it_cannot(void) {
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "mv", "missing", "x", NULL)), 1);
    CHECK(strstr(output, "mv: missing: ") != NULL);
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "mv", "x", NULL)), 2);
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "mv", "renamed", "renamed", NULL)), 1);
    CHECK(is_there("renamed/file"));
    say("mv: missing, too few, a directory into itself");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    cp_makes_a_second_file();
    cp_replaces_and_copies_into_directories();
    cp_refuses_what_it_cannot();
    mv_renames();
    mv_refuses_what_it_cannot();
    return test_pass();
}
