/* lseek: the offset of an open file goes where it is told, also beyond the end, and not before the beginning. */
#include "test.h"

static int fd;

static void it_counts_from_start_place_and_end(void) {
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQUAL(lseek(fd, 3, SEEK_SET), 3);
    CHECK_READ(fd, "3");
    CHECK_EQUAL(lseek(fd, 2, SEEK_CUR), 6);
    CHECK_READ(fd, "6");
    CHECK_EQUAL(lseek(fd, -3, SEEK_CUR), 4);
    CHECK_READ(fd, "4");
    CHECK_EQUAL(lseek(fd, -1, SEEK_END), 9);
    CHECK_READ(fd, "9");
    CHECK_EQUAL(lseek(fd, 0, SEEK_END), 10);
    say("from the start, from here, from the end");
}

static void before_the_beginning_is_refused(void) {
    CHECK_EQUAL(lseek(fd, 5, SEEK_SET), 5);
    CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERRNO(lseek(fd, -6, SEEK_CUR), EINVAL);
    CHECK_ERRNO(lseek(fd, -11, SEEK_END), EINVAL);
    CHECK_ERRNO(lseek(fd, 0, 99), EINVAL);
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 5);
    say("EINVAL, and the offset stayed");
}

static void a_write_beyond_the_end_leaves_a_hole(void) {
    char bytes[6];
    struct stat status;
    CHECK_EQUAL(lseek(fd, 14, SEEK_SET), 14);
    CHECK_OK(fstat(fd, &status));
    CHECK_EQUAL(status.st_size, 10); /* going there is not yet being there */
    CHECK_EQUAL(read(fd, bytes, 6), 0);
    CHECK_WRITE(fd, "e");
    CHECK_OK(fstat(fd, &status));
    CHECK_EQUAL(status.st_size, 15);
    CHECK_EQUAL(lseek(fd, 9, SEEK_SET), 9);
    CHECK_EQUAL(read(fd, bytes, 6), 6);
    CHECK_EQUAL(memcmp(bytes, "9\0\0\0\0e", 6), 0);
    say("four zeros between the old end and the new byte");
}

static void writing_moves_the_offset_like_reading(void) {
    CHECK_EQUAL(lseek(fd, 2, SEEK_SET), 2);
    CHECK_WRITE(fd, "ab");
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 4);
    CHECK_READ(fd, "45");
    CHECK_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    CHECK_READ(fd, "01ab45");
    say("one offset for reading and writing");
}

static void what_has_no_offset_is_espipe(void) {
    int fds[2];
    CHECK_OK(pipe(fds));
    CHECK_ERRNO(lseek(fds[0], 0, SEEK_CUR), ESPIPE);
    CHECK_ERRNO(lseek(fds[1], 0, SEEK_SET), ESPIPE);
    CHECK_ERRNO(lseek(99, 0, SEEK_SET), EBADF);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    say("pipes are ESPIPE");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    write_file("file", "0123456789");
    fd = (int)CHECK_OK(open("file", O_RDWR));
    it_counts_from_start_place_and_end();
    before_the_beginning_is_refused();
    a_write_beyond_the_end_leaves_a_hole();
    writing_moves_the_offset_like_reading();
    what_has_no_offset_is_espipe();
    return test_pass();
}
