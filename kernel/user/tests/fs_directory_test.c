/* fs_directory: making and removing directories, deep trees, many names, and all that is refused. */
#include "test.h"

static void directories_are_made_and_removed(void) {
    struct stat status;
    umask(022);
    CHECK_OK(mkdir("one", 0777));
    CHECK_OK(stat("one", &status));
    CHECK_EQUAL(status.st_mode, S_IFDIR | 0755);
    CHECK_OK(mkdir("one/two/", 0700));
    CHECK_OK(stat("one/two", &status));
    CHECK_EQUAL(status.st_mode, S_IFDIR | 0700);
    CHECK_OK(rmdir("one/two"));
    CHECK_OK(rmdir("one"));
    CHECK_ERRNO(stat("one", &status), ENOENT);
    say("made and removed");
}

static void what_is_wrong_is_refused(void) {
    CHECK_OK(mkdir("full", 0755));
    write_file("full/file", "x");
    CHECK_ERRNO(mkdir("full", 0755), EEXIST);
    CHECK_ERRNO(mkdir("full/file", 0755), EEXIST);
    CHECK_ERRNO(mkdir("missing/new", 0755), ENOENT);
    CHECK_ERRNO(mkdir("full/file/new", 0755), ENOTDIR);
    CHECK_ERRNO(rmdir("full"), ENOTEMPTY);
    CHECK_ERRNO(rmdir("full/file"), ENOTDIR);
    CHECK_ERRNO(rmdir("missing"), ENOENT);
    CHECK_ERRNO(rmdir("full/."), EINVAL);
    CHECK_ERRNO(unlink("full"), EISDIR);
    CHECK_ERRNO(mkdir("/", 0755), EEXIST);
    char long_name[300];
    memset(long_name, 'n', 299);
    long_name[299] = '\0';
    CHECK_ERRNO(mkdir(long_name, 0755), ENAMETOOLONG);
    long_name[255] = '\0';
    CHECK_OK(mkdir(long_name, 0755)); /* the longest there may be */
    CHECK_OK(rmdir(long_name));
    CHECK_OK(unlink("full/file"));
    CHECK_OK(rmdir("full"));
    say("full, missing, twice, through a file and too long are refused");
}

static void links_count_the_subdirectories(void) {
    struct stat status;
    CHECK_OK(mkdir("parent", 0755));
    CHECK_OK(stat("parent", &status));
    if (status.st_nlink < 2) {
        say("this file system does not count: not checked");
    } else {
        CHECK_EQUAL(status.st_nlink, 2);
        CHECK_OK(mkdir("parent/first", 0755));
        CHECK_OK(mkdir("parent/second", 0755));
        CHECK_OK(stat("parent", &status));
        CHECK_EQUAL(status.st_nlink, 4);
        CHECK_OK(rmdir("parent/first"));
        CHECK_OK(rmdir("parent/second"));
        CHECK_OK(stat("parent", &status));
        CHECK_EQUAL(status.st_nlink, 2);
        say("two subdirectories are two links more");
    }
    CHECK_OK(rmdir("parent"));
}

static void dot_and_dotdot_lead_where_they_should(void) {
    struct stat here, status;
    CHECK_OK(mkdir("child", 0755));
    CHECK_OK(stat(".", &here));
    CHECK_OK(stat("child/..", &status));
    CHECK(status.st_ino == here.st_ino && status.st_dev == here.st_dev);
    CHECK_OK(stat("child/./.././child/..", &status));
    CHECK_EQUAL(status.st_ino, here.st_ino);
    CHECK_OK(stat("child//", &status));
    CHECK(status.st_ino != here.st_ino);
    CHECK_OK(rmdir("child"));
    say(". and .. are the directory and its parent");
}

static void a_deep_tree_can_be_built(void) {
    enum { DEPTH = 30 };
    char path[DEPTH * 4 + 8] = "t";
    CHECK_OK(mkdir(path, 0755));
    for (int i = 1; i < DEPTH; i++) {
        strcat(path, "/dir");
        CHECK_OK(mkdir(path, 0755));
    }
    char file[sizeof path + 8];
    snprintf(file, sizeof file, "%s/f", path);
    write_file(file, "deep");
    CHECK_OK(access(file, R_OK));
    CHECK_OK(unlink(file));
    for (int i = 1; i < DEPTH; i++) {
        CHECK_OK(rmdir(path));
        path[strlen(path) - 4] = '\0';
    }
    CHECK_OK(rmdir(path));
    say("%d levels down and up again", DEPTH);
}

static void many_names_fit_into_one_directory(void) {
    enum { COUNT = 200 };
    char name[32];
    CHECK_OK(mkdir("many", 0755));
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "many/name-%d", i);
        write_file(name, name);
    }
    for (int i = 0; i < COUNT; i++) {
        char content[32];
        snprintf(name, sizeof name, "many/name-%d", i);
        read_text(name, content, sizeof content);
        CHECK_TEXT(content, name);
        CHECK_OK(unlink(name));
    }
    CHECK_OK(rmdir("many"));
    say("%d files in one directory", COUNT);
}

static void openat_starts_at_its_directory(void) {
    CHECK_OK(mkdir("base", 0755));
    int directory = (int)CHECK_OK(open("base", O_RDONLY | O_DIRECTORY));
    int fd = (int)CHECK_OK(openat(directory, "inside", O_WRONLY | O_CREAT, 0644));
    CHECK_OK(close(fd));
    CHECK_OK(access("base/inside", F_OK));
    CHECK_ERRNO(openat(99, "inside", O_RDONLY), EBADF);
    CHECK_OK(unlink("base/inside"));
    CHECK_OK(rmdir("base"));
    CHECK_ERRNO(openat(directory, "late", O_WRONLY | O_CREAT, 0644), ENOENT);
    CHECK_OK(close(directory));
    say("openat in a directory, and ENOENT when it was removed");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    directories_are_made_and_removed();
    what_is_wrong_is_refused();
    links_count_the_subdirectories();
    dot_and_dotdot_lead_where_they_should();
    a_deep_tree_can_be_built();
    many_names_fit_into_one_directory();
    openat_starts_at_its_directory();
    return test_pass();
}
