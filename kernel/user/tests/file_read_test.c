/* file_read: reading files: in pieces of every size, at offsets, scattered, by several readers, and the errors. */
#include "test.h"

enum { SIZE = 20000 };
static char content[SIZE + 1], buffer[SIZE + 100];

static void make_file(void) {
    for (int i = 0; i < SIZE; i++) content[i] = (char)('a' + (i * 31 + i / 100) % 26);
    int fd = (int)CHECK_OK(open("file", O_WRONLY | O_CREAT | O_TRUNC, 0644));
    CHECK_EQUAL(write(fd, content, SIZE), SIZE);
    CHECK_OK(close(fd));
}

static void pieces_of_every_size_give_the_whole(void) {
    static const size_t sizes[] = { 1, 7, 512, 4095, 4096, 4097, SIZE, SIZE + 100 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int fd = (int)CHECK_OK(open("file", O_RDONLY));
        size_t total = 0;
        ssize_t got;
        memset(buffer, 0, sizeof buffer);
        while ((got = CHECK_OK(read(fd, buffer + total, sizes[i]))) > 0) {
            CHECK(got == (ssize_t)sizes[i] || total + (size_t)got == SIZE); /* a file gives all it has */
            total += (size_t)got;
            if (sizes[i] == 1 && total == 300) break; /* enough of single bytes */
        }
        CHECK(total == SIZE || sizes[i] == 1);
        CHECK_EQUAL(memcmp(buffer, content, total), 0);
        CHECK_OK(close(fd));
    }
    say("eight sizes of pieces gave the same content");
}

static void the_end_is_zero_again_and_again(void) {
    int fd = (int)CHECK_OK(open("file", O_RDONLY));
    CHECK_EQUAL(lseek(fd, 0, SEEK_END), SIZE);
    CHECK_EQUAL(read(fd, buffer, 10), 0);
    CHECK_EQUAL(read(fd, buffer, 10), 0);
    CHECK_EQUAL(lseek(fd, -4, SEEK_END), SIZE - 4);
    CHECK_EQUAL(read(fd, buffer, 10), 4);
    CHECK_EQUAL(read(fd, buffer, 0), 0);
    CHECK_OK(close(fd));
    say("0 at the end, and what is left before it");
}

static void pread_does_not_move_the_offset(void) {
    int fd = (int)CHECK_OK(open("file", O_RDONLY));
    CHECK_EQUAL(pread(fd, buffer, 100, 5000), 100);
    CHECK_EQUAL(memcmp(buffer, content + 5000, 100), 0);
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQUAL(pread(fd, buffer, 100, SIZE - 30), 30);
    CHECK_EQUAL(pread(fd, buffer, 100, SIZE + 30), 0);
    CHECK_ERRNO(pread(fd, buffer, 100, -1), EINVAL);
    CHECK_OK(close(fd));
    say("pread reads where it is told");
}

static void readv_fills_one_buffer_after_another(void) {
    char first[10], second[20];
    struct iovec vector[] = { { first, sizeof first }, { NULL, 0 }, { second, sizeof second } };
    int fd = (int)CHECK_OK(open("file", O_RDONLY));
    CHECK_EQUAL(readv(fd, vector, 3), 30);
    CHECK_EQUAL(memcmp(first, content, 10), 0);
    CHECK_EQUAL(memcmp(second, content + 10, 20), 0);
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 30);
    CHECK_OK(close(fd));
    say("readv filled two buffers");
}

static void readers_do_not_disturb_each_other(void) {
    int first = (int)CHECK_OK(open("file", O_RDONLY)), second = (int)CHECK_OK(open("file", O_RDONLY));
    char one[100], other[100];
    for (int i = 0; i < 20; i++) {
        CHECK_EQUAL(read(first, one, 100), 100);
        CHECK_EQUAL(read(second, other, 50), 50);
        CHECK_EQUAL(memcmp(one, content + i * 100, 100), 0);
        CHECK_EQUAL(memcmp(other, content + i * 50, 50), 0);
    }
    CHECK_OK(close(first));
    CHECK_OK(close(second));
    say("two readers, two offsets");
}

static void what_cannot_be_read_is_refused(void) {
    int directory = (int)CHECK_OK(open(".", O_RDONLY)), fd = (int)CHECK_OK(open("file", O_RDONLY));
    CHECK_ERRNO(read(directory, buffer, 10), EISDIR);
    CHECK_ERRNO(read(fd, (char *)8, 10), EFAULT);
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_ERRNO(read(-1, buffer, 10), EBADF);
    CHECK_ERRNO(open("missing", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("file/below", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_OK(close(directory));
    CHECK_OK(close(fd));
    say("a directory, a bad address and missing names are refused");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    make_file();
    pieces_of_every_size_give_the_whole();
    the_end_is_zero_again_and_again();
    pread_does_not_move_the_offset();
    readv_fills_one_buffer_after_another();
    readers_do_not_disturb_each_other();
    what_cannot_be_read_is_refused();
    return test_pass();
}
