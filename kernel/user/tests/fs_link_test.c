/* fs_link: hard links are names of one file; symbolic links are paths, followed where they should be. */
#include "test.h"

static void two_names_are_one_file(void) {
    struct stat first, second;
    char content[16];
    write_file("file", "one");
    CHECK_OK(link("file", "other"));
    CHECK_OK(stat("file", &first));
    CHECK_OK(stat("other", &second));
    CHECK(first.st_ino == second.st_ino && first.st_dev == second.st_dev);
    CHECK_EQUAL(first.st_nlink, 2);
    write_file("other", "two");
    read_text("file", content, sizeof content);
    CHECK_TEXT(content, "two");
    CHECK_OK(unlink("file"));
    CHECK_OK(stat("other", &second));
    CHECK_EQUAL(second.st_nlink, 1);
    read_text("other", content, sizeof content);
    CHECK_TEXT(content, "two");
    say("written by one name, read by the other, alive by the last");
}

static void wrong_hard_links_are_refused(void) {
    write_file("exists", "x");
    CHECK_OK(mkdir("directory", 0755));
    CHECK_ERRNO(link("missing", "new"), ENOENT);
    CHECK_ERRNO(link("other", "exists"), EEXIST);
    CHECK_ERRNO(link("other", "missing/new"), ENOENT);
    CHECK_ERRNO(link("directory", "new"), EPERM);
    CHECK_ERRNO(link("other", "exists/new"), ENOTDIR);
    say("of nothing, onto something, of a directory: refused");
}

static void a_symbolic_link_keeps_its_path(void) {
    struct stat status;
    char target[64];
    CHECK_OK(symlink("other", "soft"));
    CHECK_OK(lstat("soft", &status));
    CHECK_EQUAL(status.st_mode & S_IFMT, S_IFLNK);
    CHECK_EQUAL(status.st_size, 5);
    CHECK_EQUAL(readlink("soft", target, sizeof target), 5);
    CHECK_EQUAL(memcmp(target, "other", 5), 0);
    CHECK_EQUAL(readlink("soft", target, 3), 3);
    CHECK_ERRNO(readlink("other", target, sizeof target), EINVAL);
    CHECK_ERRNO(readlink("missing", target, sizeof target), ENOENT);
    CHECK_ERRNO(symlink("x", "soft"), EEXIST);
    CHECK_OK(stat("soft", &status));
    CHECK_EQUAL(status.st_mode & S_IFMT, S_IFREG);
    say("lstat and readlink see the link, stat the file");
}

static void it_is_followed_by_open_and_not_by_unlink(void) {
    char content[16];
    write_file("soft", "through");
    read_text("other", content, sizeof content);
    CHECK_TEXT(content, "through");
    CHECK_ERRNO(open("soft", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERRNO(open("soft", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
    CHECK_OK(unlink("soft"));
    CHECK_OK(access("other", F_OK));
    say("open went through it, unlink took the link");
}

static void links_lead_through_directories(void) {
    char content[16], base[PATH_MAX], path[2 * PATH_MAX];
    CHECK(getcwd(base, sizeof base) != NULL);
    CHECK_OK(mkdir("directory/inner", 0755));
    write_file("directory/inner/file", "inner");
    CHECK_OK(symlink("directory/inner", "relative"));
    read_text("relative/file", content, sizeof content);
    CHECK_TEXT(content, "inner");
    CHECK_OK(symlink("../../other", "directory/inner/up"));
    read_text("relative/up", content, sizeof content); /* relative to where the link lies */
    CHECK_TEXT(content, "through");
    snprintf(path, sizeof path, "%s/directory", base);
    CHECK_OK(symlink(path, "absolute"));
    read_text("absolute/inner/file", content, sizeof content);
    CHECK_TEXT(content, "inner");
    CHECK_OK(chdir("relative"));
    read_text("file", content, sizeof content);
    CHECK_OK(chdir(".."));
    CHECK_OK(access("inner", F_OK)); /* .. of the real directory */
    CHECK_OK(chdir(base));
    say("relative and absolute links to directories");
}

static void a_dangling_link_can_be_created_through(void) {
    char content[16];
    CHECK_OK(symlink("not-yet", "dangling"));
    CHECK_ERRNO(open("dangling", O_RDONLY), ENOENT);
    CHECK_ERRNO(access("dangling", F_OK), ENOENT);
    write_file("dangling", "made");
    read_text("not-yet", content, sizeof content);
    CHECK_TEXT(content, "made");
    say("opening a dangling link made its target");
}

static void loops_are_eloop(void) {
    char name[16], next[16];
    CHECK_OK(symlink("loop-b", "loop-a"));
    CHECK_OK(symlink("loop-a", "loop-b"));
    CHECK_ERRNO(open("loop-a", O_RDONLY), ELOOP);
    CHECK_ERRNO(chdir("loop-a"), ELOOP);
    for (int i = 0; i < 10; i++) { /* a chain of ten is none */
        snprintf(name, sizeof name, "chain-%d", i);
        snprintf(next, sizeof next, i < 9 ? "chain-%d" : "other", i + 1);
        CHECK_OK(symlink(next, name));
    }
    CHECK_OK(access("chain-0", F_OK));
    say("a loop is ELOOP, a chain of ten is not");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    two_names_are_one_file();
    wrong_hard_links_are_refused();
    a_symbolic_link_keeps_its_path();
    it_is_followed_by_open_and_not_by_unlink();
    links_lead_through_directories();
    a_dangling_link_can_be_created_through();
    loops_are_eloop();
    return test_pass();
}
