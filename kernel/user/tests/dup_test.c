/* dup: copies of a descriptor are the same open file: one offset, one set of flags, open until the last is closed. */
#include "test.h"

static void dup_takes_the_lowest_number(void) {
    int first = (int)CHECK_OK(open("/dev/null", O_RDONLY));
    int second = (int)CHECK_OK(dup(first));
    int third = (int)CHECK_OK(dup(first));
    CHECK(second > first && third > second);
    CHECK_OK(close(second));
    CHECK_EQUAL(dup(first), second);
    CHECK_OK(close(first));
    CHECK_OK(close(second));
    CHECK_OK(close(third));
    say("a closed number is used again");
}

static void copies_share_offset_and_flags(void) {
    write_file("file", "abcdefghij");
    int fd = (int)CHECK_OK(open("file", O_RDWR)), copy = (int)CHECK_OK(dup(fd));
    CHECK_READ(fd, "abc");
    CHECK_READ(copy, "def");
    CHECK_EQUAL(lseek(copy, 1, SEEK_SET), 1);
    CHECK_READ(fd, "bc");
    CHECK_OK(fcntl(fd, F_SETFL, (long)O_APPEND));
    CHECK((fcntl(copy, F_GETFL) & O_APPEND) != 0);
    int independent = (int)CHECK_OK(open("file", O_RDONLY));
    CHECK_EQUAL(lseek(independent, 0, SEEK_CUR), 0);
    CHECK_OK(close(fd));
    CHECK_READ(copy, "def");
    CHECK_OK(close(copy));
    CHECK_OK(close(independent));
    say("one offset for both, another for a second open");
}

static void dup2_replaces_what_was_there(void) {
    int pipe_fds[2], target = (int)CHECK_OK(open("file", O_RDONLY));
    CHECK_OK(pipe(pipe_fds));
    CHECK_EQUAL(dup2(pipe_fds[1], target), target);
    CHECK_WRITE(target, "through");
    CHECK_READ(pipe_fds[0], "through");
    CHECK_OK(close(pipe_fds[1]));
    CHECK_WRITE(target, "still");
    CHECK_READ(pipe_fds[0], "still");
    CHECK_OK(close(target)); /* the last one: end of file */
    char nothing;
    CHECK_EQUAL(read(pipe_fds[0], &nothing, 1), 0);
    CHECK_OK(close(pipe_fds[0]));
    say("the pipe stayed open until its last descriptor was closed");
}

static void dup3_is_strict(void) {
    int fd = (int)CHECK_OK(open("file", O_RDONLY));
    CHECK_ERRNO(dup3(fd, fd, 0), EINVAL);
    CHECK_ERRNO(dup3(fd, 77, 1), EINVAL);
    CHECK_EQUAL(dup3(fd, 77, 0), 77);
    CHECK_EQUAL(fcntl(fd, F_DUPFD, 70l), 70);
    CHECK_EQUAL(fcntl(fd, F_DUPFD, 77l), 78);
    CHECK_OK(close(70));
    CHECK_OK(close(77));
    CHECK_OK(close(78));
    CHECK_OK(close(fd));
    say("dup3 and F_DUPFD gave the numbers asked for");
}

static void bad_descriptors_are_ebadf(void) {
    struct rlimit limit;
    CHECK_ERRNO(dup(-1), EBADF);
    CHECK_ERRNO(dup(99), EBADF);
    CHECK_ERRNO(dup2(99, 5), EBADF);
    CHECK_ERRNO(close(99), EBADF);
    CHECK_ERRNO(dup3(0, -1, 0), EBADF);
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    CHECK_ERRNO(dup3(0, (int)limit.rlim_cur, 0), EBADF);
    say("closed, negative and too large numbers are EBADF");
}

static void the_table_ends_with_emfile(void) {
    struct rlimit limit = { 64, 64 };
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    int last = -1, fd;
    while ((fd = dup(0)) >= 0) last = fd;
    CHECK_EQUAL(errno, EMFILE);
    CHECK_EQUAL(last, 63);
    CHECK_OK(close(10));
    CHECK_EQUAL(dup(0), 10);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    dup_takes_the_lowest_number();
    copies_share_offset_and_flags();
    dup2_replaces_what_was_there();
    dup3_is_strict();
    bad_descriptors_are_ebadf();
    CHECK_EXIT(in_child(the_table_ends_with_emfile), 0);
    say("descriptor 64 was EMFILE under a limit of 64");
    return test_pass();
}
