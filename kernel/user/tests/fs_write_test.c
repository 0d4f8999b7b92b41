/* fs_write: what is written is there: creating, overwriting, appending, truncating, at offsets, by several processes. */
#include "test.h"

static char content[256];

static void check_content(const char *path, const char *expected) {
    struct stat status;
    read_text(path, content, sizeof content);
    CHECK_TEXT(content, expected);
    CHECK_OK(stat(path, &status));
    CHECK_EQUAL(status.st_size, strlen(expected));
}

static void creating_and_overwriting(void) {
    write_file("file", "first content");
    check_content("file", "first content");
    int fd = (int)CHECK_OK(open("file", O_WRONLY));
    CHECK_WRITE(fd, "FIRST");
    CHECK_OK(close(fd));
    check_content("file", "FIRST content");
    write_file("file", "new");
    check_content("file", "new");
    fd = (int)CHECK_OK(open("file", O_WRONLY | O_CREAT, 0600));
    CHECK_OK(close(fd));
    check_content("file", "new");
    CHECK_ERRNO(open("file", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_ERRNO(open("missing/file", O_WRONLY | O_CREAT, 0600), ENOENT);
    CHECK_ERRNO(open(".", O_WRONLY), EISDIR);
    say("created, overwritten in part, truncated, not made twice");
}

static void appending_goes_to_the_end(void) {
    write_file("log", "1");
    int first = (int)CHECK_OK(open("log", O_WRONLY | O_APPEND)),
        second = (int)CHECK_OK(open("log", O_WRONLY | O_APPEND));
    CHECK_WRITE(first, "2");
    CHECK_WRITE(second, "3");
    CHECK_WRITE(first, "4");
    CHECK_OK(lseek(first, 0, SEEK_SET));
    CHECK_WRITE(first, "5");
    CHECK_OK(close(first));
    CHECK_OK(close(second));
    check_content("log", "12345");
    say("two appenders kept the order");
}

static void truncating_cuts_and_extends(void) {
    struct stat status;
    write_file("cut", "0123456789");
    CHECK_OK(truncate("cut", 4));
    check_content("cut", "0123");
    int fd = (int)CHECK_OK(open("cut", O_RDWR));
    CHECK_OK(ftruncate(fd, 8));
    CHECK_OK(fstat(fd, &status));
    CHECK_EQUAL(status.st_size, 8);
    char bytes[8];
    CHECK_EQUAL(pread(fd, bytes, 8, 0), 8);
    CHECK_EQUAL(memcmp(bytes, "0123\0\0\0\0", 8), 0); /* not the old 4567 */
    CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
    CHECK_OK(close(fd));
    CHECK_ERRNO(truncate("missing", 0), ENOENT);
    say("cut to 4, extended with zeros to 8");
}

static void pwrite_and_writev(void) {
    struct iovec vector[] = { { "abc", 3 }, { "", 0 }, { "defg", 4 } };
    int fd = (int)CHECK_OK(open("vector", O_RDWR | O_CREAT, 0644));
    CHECK_EQUAL(writev(fd, vector, 3), 7);
    CHECK_EQUAL(pwrite(fd, "XY", 2, 1), 2);
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 7);
    CHECK_WRITE(fd, "!");
    CHECK_OK(close(fd));
    check_content("vector", "aXYdefg!");
    say("gathered from two buffers, changed in the middle");
}

static void writes_are_seen_at_once_by_others(void) {
    int reader = (int)CHECK_OK(open("shared", O_RDONLY | O_CREAT, 0644));
    pid_t child = test_fork();
    if (child == 0) {
        int fd = (int)CHECK_OK(open("shared", O_WRONLY));
        CHECK_WRITE(fd, "from the child");
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_READ(reader, "from the child");
    CHECK_OK(close(reader));
    say("another process's write was read");
}

static void appends_of_many_processes_do_not_overwrite(void) {
    enum { WRITERS = 4, LINES = 25 };
    pid_t writers[WRITERS];
    int counts[WRITERS] = { 0 };
    for (int writer = 0; writer < WRITERS; writer++) {
        writers[writer] = test_fork();
        if (writers[writer] != 0) continue;
        char line[] = "w-written\n";
        int fd = (int)CHECK_OK(open("common", O_WRONLY | O_CREAT | O_APPEND, 0644));
        line[0] = (char)('0' + writer);
        for (int i = 0; i < LINES; i++) CHECK_WRITE(fd, line);
        _exit(0);
    }
    for (int i = 0; i < WRITERS; i++) CHECK_EXIT(writers[i], 0);
    static char all[WRITERS * LINES * 10 + 1];
    CHECK_EQUAL(read_text("common", all, sizeof all), WRITERS * LINES * 10);
    for (char *line = all; *line != '\0'; line += 10) {
        CHECK(starts_with(line + 1, "-written\n"));
        CHECK(line[0] >= '0' && line[0] < '0' + WRITERS);
        CHECK(counts[line[0] - '0']++ < LINES);
    }
    say("%d appenders wrote %d lines each, all there", WRITERS, LINES);
}

static void an_unlinked_file_lives_while_it_is_open(void) {
    char bytes[8];
    int fd = (int)CHECK_OK(open("gone", O_RDWR | O_CREAT, 0644));
    CHECK_OK(unlink("gone"));
    CHECK_WRITE(fd, "alive");
    CHECK_EQUAL(pread(fd, bytes, 8, 0), 5);
    CHECK_ERRNO(open("gone", O_RDONLY), ENOENT);
    CHECK_OK(close(fd));
    say("written and read after its name was gone");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    creating_and_overwriting();
    appending_goes_to_the_end();
    truncating_cuts_and_extends();
    pwrite_and_writev();
    writes_are_seen_at_once_by_others();
    appends_of_many_processes_do_not_overwrite();
    an_unlinked_file_lives_while_it_is_open();
    return test_pass();
}
