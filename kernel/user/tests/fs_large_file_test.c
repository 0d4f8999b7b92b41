/* fs_large_file: files of megabytes: every byte, sparse ones, offsets beyond 4 GiB, growing and shrinking. */
#include "test.h"

enum { SIZE = 2 << 20, BLOCK = 32768 };

static unsigned buffer[BLOCK / 4];

static void fill_block(int block) {
    for (int i = 0; i < BLOCK / 4; i++) buffer[i] = (unsigned)(block * (BLOCK / 4) + i) * 2654435761u;
}

static void check_block(int block) {
    for (int i = 0; i < BLOCK / 4; i++) CHECK_EQUAL(buffer[i], (unsigned)(block * (BLOCK / 4) + i) * 2654435761u);
}

static void megabytes_come_back_as_written(void) {
    struct stat status;
    int fd = (int)CHECK_OK(open("large", O_RDWR | O_CREAT, 0644));
    for (int block = 0; block < SIZE / BLOCK; block++) {
        fill_block(block);
        CHECK_EQUAL(write(fd, buffer, BLOCK), BLOCK);
    }
    CHECK_OK(fstat(fd, &status));
    CHECK_EQUAL(status.st_size, SIZE);
    CHECK_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    for (int block = 0; block < SIZE / BLOCK; block++) {
        CHECK_EQUAL(read(fd, buffer, BLOCK), BLOCK);
        check_block(block);
    }
    CHECK_EQUAL(read(fd, buffer, BLOCK), 0);
    CHECK_OK(close(fd));
    say("%d KiB written and compared", SIZE / 1024);
}

static void blocks_can_be_read_and_changed_in_any_order(void) {
    int fd = (int)CHECK_OK(open("large", O_RDWR));
    for (int i = 0; i < SIZE / BLOCK; i++) {
        int block = i * 29 % (SIZE / BLOCK);
        CHECK_EQUAL(pread(fd, buffer, BLOCK, (off_t)block * BLOCK), BLOCK);
        check_block(block);
    }
    CHECK_EQUAL(pwrite(fd, "changed", 7, 1000003), 7);
    char text[9];
    CHECK_EQUAL(pread(fd, text, 9, 1000002), 9);
    CHECK_EQUAL(memcmp(text + 1, "changed", 7), 0);
    CHECK_OK(close(fd));
    say("in another order, and across a page's border");
}

static void shrinking_frees_and_growing_zeroes(void) {
    struct stat status;
    int fd = (int)CHECK_OK(open("large", O_RDWR));
    CHECK_OK(ftruncate(fd, BLOCK / 2 + 3));
    CHECK_OK(ftruncate(fd, SIZE));
    CHECK_OK(fstat(fd, &status));
    CHECK_EQUAL(status.st_size, SIZE);
    CHECK_EQUAL(pread(fd, buffer, BLOCK, BLOCK / 2 + 4), BLOCK);
    for (int i = 0; i < BLOCK / 4; i++) CHECK_EQUAL(buffer[i], 0);
    CHECK_OK(close(fd));
    CHECK_OK(unlink("large"));
    say("what was cut off came back as zeros");
}

static void a_hole_reads_as_zeros_and_takes_no_room(void) {
    struct stat status;
    int fd = (int)CHECK_OK(open("sparse", O_RDWR | O_CREAT, 0644));
    CHECK_EQUAL(pwrite(fd, "end", 3, 64 << 20), 3);
    CHECK_OK(fstat(fd, &status));
    CHECK_EQUAL(status.st_size, (64 << 20) + 3);
    CHECK(status.st_blocks * 512 < 4 << 20);
    CHECK_EQUAL(pread(fd, buffer, BLOCK, 32 << 20), BLOCK);
    for (int i = 0; i < BLOCK / 4; i++) CHECK_EQUAL(buffer[i], 0);
    CHECK_OK(close(fd));
    say("64 MiB of hole in %ld KiB", (long)status.st_blocks / 2);
}

static void offsets_are_of_64_bits(void) {
    const off_t far = (1l << 32) + 12345;
    char text[8];
    int fd = (int)CHECK_OK(open("sparse", O_RDWR));
    CHECK_EQUAL(lseek(fd, far, SEEK_SET), far);
    ssize_t written = write(fd, "far", 3);
    if (written < 0 && errno == EFBIG) {
        say("no file of 4 GiB here, which EFBIG says");
    } else {
        CHECK_EQUAL(written, 3);
        CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), far + 3);
        CHECK_EQUAL(pread(fd, text, 3, far), 3);
        CHECK_EQUAL(memcmp(text, "far", 3), 0);
        CHECK_EQUAL(pread(fd, text, 3, 12345), 3); /* not the same place cut to 32 bits */
        CHECK_EQUAL(memcmp(text, "\0\0\0", 3), 0);
        say("three bytes beyond 4 GiB");
    }
    CHECK_OK(close(fd));
    CHECK_OK(unlink("sparse"));
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    megabytes_come_back_as_written();
    blocks_can_be_read_and_changed_in_any_order();
    shrinking_frees_and_growing_zeroes();
    a_hole_reads_as_zeros_and_takes_no_room();
    offsets_are_of_64_bits();
    return test_pass();
}
