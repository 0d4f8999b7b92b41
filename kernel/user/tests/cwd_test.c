/* cwd: the current directory: getcwd and chdir agree, relative paths start there, and each process has its own. */
#include "test.h"

static char base[PATH_MAX];

static void check_cwd(const char *below) {
    char actual[PATH_MAX], expected[PATH_MAX];
    snprintf(expected, sizeof expected, "%s%s", base, below);
    CHECK(getcwd(actual, sizeof actual) != NULL);
    CHECK_TEXT(actual, expected);
}

static void chdir_goes_down_and_up(void) {
    CHECK_OK(mkdir("a", 0755));
    CHECK_OK(mkdir("a/b", 0755));
    CHECK_OK(chdir("a"));
    check_cwd("/a");
    CHECK_OK(chdir("b"));
    check_cwd("/a/b");
    CHECK_OK(chdir(".."));
    check_cwd("/a");
    CHECK_OK(chdir("./b/../b/."));
    check_cwd("/a/b");
    CHECK_OK(chdir(base));
    check_cwd("");
    CHECK_OK(chdir("/"));
    char root[8];
    CHECK(getcwd(root, sizeof root) != NULL);
    CHECK_TEXT(root, "/");
    CHECK_OK(chdir("../.."));
    CHECK(getcwd(root, sizeof root) != NULL);
    CHECK_TEXT(root, "/");
    CHECK_OK(chdir(base));
    say("down, up, absolute; above the root is the root");
}

static void relative_paths_start_there(void) {
    char content[16];
    write_file("a/b/file", "deep");
    CHECK_OK(chdir("a/b"));
    read_text("file", content, sizeof content);
    CHECK_TEXT(content, "deep");
    read_text("../b/file", content, sizeof content);
    CHECK_TEXT(content, "deep");
    CHECK_ERRNO(open("a/b/file", O_RDONLY), ENOENT);
    CHECK_OK(chdir(base));
    say("one file by two relative paths");
}

static void fchdir_goes_where_a_descriptor_is(void) {
    int directory = (int)CHECK_OK(open("a/b", O_RDONLY | O_DIRECTORY)),
        file = (int)CHECK_OK(open("a/b/file", O_RDONLY));
    CHECK_OK(fchdir(directory));
    check_cwd("/a/b");
    CHECK_ERRNO(fchdir(file), ENOTDIR);
    CHECK_ERRNO(fchdir(99), EBADF);
    check_cwd("/a/b");
    CHECK_OK(chdir(base));
    CHECK_OK(close(directory));
    CHECK_OK(close(file));
    say("fchdir to an open directory");
}

static void a_childs_chdir_is_its_own(void) {
    pid_t child = test_fork();
    if (child == 0) {
        check_cwd("");
        CHECK_OK(chdir("a/b"));
        check_cwd("/a/b");
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    check_cwd("");
    say("the child moved, the parent did not");
}

static void errors_leave_it_where_it_was(void) {
    char small[4];
    CHECK_ERRNO(chdir("missing"), ENOENT);
    CHECK_ERRNO(chdir("a/b/file"), ENOTDIR);
    CHECK_ERRNO(chdir(""), ENOENT);
    CHECK(getcwd(small, sizeof small) == NULL);
    CHECK_EQUAL(errno, ERANGE);
    check_cwd("");
    say("missing, a file and too small a buffer are refused");
}

static void a_renamed_directory_is_told_by_its_new_name(void) {
    CHECK_OK(chdir("a/b"));
    CHECK_OK(rename("../../a", "../../c"));
    check_cwd("/c/b");
    CHECK_OK(chdir(base));
    say("getcwd knew the new name");
}

static void a_removed_directory_has_no_path(void) {
    char path[PATH_MAX];
    CHECK_OK(mkdir("gone", 0755));
    CHECK_OK(chdir("gone"));
    CHECK_OK(rmdir("../gone"));
    CHECK(getcwd(path, sizeof path) == NULL);
    CHECK_EQUAL(errno, ENOENT);
    CHECK_ERRNO(open("file", O_WRONLY | O_CREAT, 0644), ENOENT);
    CHECK_OK(chdir(base));
    say("in a removed directory getcwd is ENOENT");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    CHECK(getcwd(base, sizeof base) != NULL);
    chdir_goes_down_and_up();
    relative_paths_start_there();
    fchdir_goes_where_a_descriptor_is();
    a_childs_chdir_is_its_own();
    errors_leave_it_where_it_was();
    a_renamed_directory_is_told_by_its_new_name();
    a_removed_directory_has_no_path();
    return test_pass();
}
