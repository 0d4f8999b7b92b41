/* fs_rename: a name changes at once and whole: replacing, between directories, of directories, and what is refused. */
#include "test.h"

static char content[64];

static void check_content(const char *path, const char *expected) {
    read_text(path, content, sizeof content);
    CHECK_TEXT(content, expected);
}

static bool is_there(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

static void a_file_gets_a_new_name(void) {
    struct stat before, after;
    write_file("old", "content");
    CHECK_OK(stat("old", &before));
    CHECK_OK(rename("old", "new"));
    CHECK(!is_there("old"));
    CHECK_OK(stat("new", &after));
    CHECK_EQUAL(after.st_ino, before.st_ino);
    check_content("new", "content");
    CHECK_OK(rename("new", "new"));
    check_content("new", "content");
    say("the same file under another name");
}

static void the_target_is_replaced(void) {
    write_file("target", "replaced");
    int open_before = (int)CHECK_OK(open("target", O_RDONLY));
    CHECK_OK(rename("new", "target"));
    CHECK(!is_there("new"));
    check_content("target", "content");
    CHECK_READ(open_before, "replaced"); /* who had the old one open has it still */
    CHECK_OK(close(open_before));
    say("the old target lives for those who had it open");
}

static void files_move_between_directories(void) {
    CHECK_OK(mkdir("from", 0755));
    CHECK_OK(mkdir("to", 0755));
    write_file("from/file", "moved");
    CHECK_OK(rename("from/file", "to/file"));
    check_content("to/file", "moved");
    CHECK_OK(rmdir("from"));
    say("from one directory to another");
}

static void directories_move_with_their_content(void) {
    struct stat status, parent;
    CHECK_OK(mkdir("tree", 0755));
    CHECK_OK(mkdir("tree/branch", 0755));
    write_file("tree/branch/leaf", "green");
    CHECK_OK(rename("tree/branch", "to/bough"));
    check_content("to/bough/leaf", "green");
    CHECK_OK(stat("to/bough/..", &status));
    CHECK_OK(stat("to", &parent));
    CHECK_EQUAL(status.st_ino, parent.st_ino);
    CHECK_OK(rename("to", "tree/to")); /* onto a free name */
    check_content("tree/to/bough/leaf", "green");
    CHECK_OK(mkdir("empty", 0755));
    CHECK_OK(rename("tree", "empty")); /* onto an empty directory */
    check_content("empty/to/bough/leaf", "green");
    say("a tree moved twice, .. with it");
}

static void what_is_wrong_is_refused(void) {
    CHECK_OK(mkdir("directory", 0755));
    write_file("file", "f");
    CHECK_ERRNO(rename("missing", "x"), ENOENT);
    CHECK_ERRNO(rename("file", "missing/x"), ENOENT);
    CHECK_ERRNO(rename("file", "directory"), EISDIR);
    CHECK_ERRNO(rename("directory", "file"), ENOTDIR);
    CHECK_ERRNO(rename("directory", "empty"), ENOTEMPTY);
    CHECK_ERRNO(rename("directory", "directory/inner"), EINVAL);
    CHECK_ERRNO(rename("file/x", "y"), ENOTDIR);
    check_content("file", "f");
    CHECK(is_there("directory"));
    say("seven impossible renames left all as it was");
}

static void links_are_renamed_as_links(void) {
    struct stat status;
    CHECK_OK(symlink("file", "link"));
    CHECK_OK(rename("link", "renamed-link"));
    CHECK_OK(lstat("renamed-link", &status));
    CHECK_EQUAL(status.st_mode & S_IFMT, S_IFLNK);
    CHECK_OK(link("file", "hard"));
    CHECK_OK(rename("file", "hard")); /* both are one file: nothing happens */
    CHECK(is_there("file") && is_there("hard"));
    say("a symbolic link moved, two names of one file stayed");
}

/* A reader finds either the old or the new content, never nothing. */
static void replacing_leaves_no_gap(void) {
    write_file("current", "v0");
    pid_t child = test_fork();
    if (child == 0) {
        for (int i = 1; i <= 60; i++) {
            char text[8];
            snprintf(text, sizeof text, "v%d", i);
            write_file("next", text);
            CHECK_OK(rename("next", "current"));
        }
        _exit(0);
    }
    int status, reads = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        CHECK(read_text("current", content, sizeof content) >= 2);
        CHECK_EQUAL(content[0], 'v');
        reads++;
    }
    CHECK_EQUAL(status, 0);
    check_content("current", "v60");
    say("%d reads during 60 replacements found it whole", reads);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    a_file_gets_a_new_name();
    the_target_is_replaced();
    files_move_between_directories();
    directories_move_with_their_content();
    what_is_wrong_is_refused();
    links_are_renamed_as_links();
    replacing_leaves_no_gap();
    return test_pass();
}
