/* devfs: the devices in /dev: null, zero, full where there is one, random numbers, and what kind of files they are. */
#include "test.h"

static void null_swallows_and_is_empty(void) {
    char byte;
    int fd = (int)CHECK_OK(open("/dev/null", O_RDWR));
    CHECK_EQUAL(write(fd, "anything", 8), 8);
    CHECK_EQUAL(read(fd, &byte, 1), 0);
    CHECK_OK(close(fd));
    fd = (int)CHECK_OK(open("/dev/null", O_WRONLY | O_TRUNC | O_APPEND));
    CHECK_OK(close(fd));
    say("/dev/null took eight bytes and gave none");
}

static void zero_gives_zeros(void) {
    static char buffer[10000];
    int fd = (int)CHECK_OK(open("/dev/zero", O_RDWR));
    memset(buffer, 'x', sizeof buffer);
    CHECK_EQUAL(read(fd, buffer, sizeof buffer), sizeof buffer);
    for (size_t i = 0; i < sizeof buffer; i++) CHECK_EQUAL(buffer[i], 0);
    CHECK_EQUAL(write(fd, "x", 1), 1);
    CHECK_OK(close(fd));
    say("/dev/zero gave 10000 zeros");
}

static void they_are_character_devices_with_numbers_of_their_own(void) {
    static const struct {
        const char *path;
        unsigned major, minor;
    } devices[] = { { "/dev/null", 1, 3 }, { "/dev/zero", 1, 5 }, { "/dev/tty", 5, 0 }, { "/dev/ptmx", 5, 2 } };
    struct stat status;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        CHECK_OK(stat(devices[i].path, &status));
        CHECK(S_ISCHR(status.st_mode));
        CHECK_EQUAL(status.st_rdev, devices[i].major << 8 | devices[i].minor);
        CHECK_EQUAL(status.st_size, 0);
    }
    say("null, zero, tty and ptmx have Linux's numbers");
}

static void the_directory_lists_them(void) {
    char buffer[4096];
    bool null_seen = false, zero_seen = false;
    ssize_t size;
    int fd = (int)CHECK_OK(open("/dev", O_RDONLY | O_DIRECTORY));
    while ((size = CHECK_OK(getdents64(fd, buffer, sizeof buffer))) > 0)
        for (ssize_t at = 0; at < size;) {
            struct dirent64 *entry = (struct dirent64 *)(buffer + at);
            at += entry->d_reclen;
            if (strcmp(entry->d_name, "null") == 0) null_seen = entry->d_type == DT_CHR;
            if (strcmp(entry->d_name, "zero") == 0) zero_seen = entry->d_type == DT_CHR;
        }
    CHECK(null_seen && zero_seen);
    CHECK_OK(close(fd));
    CHECK_ERRNO(open("/dev/no-such-device", O_RDONLY), ENOENT);
    say("/dev lists null and zero as character devices");
}

static void random_numbers_differ(void) {
    unsigned char first[32], second[32];
    int fd = open("/dev/urandom", O_RDONLY);
    if (fd < 0 && errno == ENOENT) {
        say("no /dev/urandom: not checked");
        return;
    }
    CHECK_EQUAL(read(fd, first, sizeof first), sizeof first);
    CHECK_EQUAL(read(fd, second, sizeof second), sizeof second);
    CHECK(memcmp(first, second, sizeof first) != 0);
    CHECK_OK(close(fd));
    say("/dev/urandom gave two different blocks");
}

static void full_is_always_full(void) {
    int fd = open("/dev/full", O_RDWR);
    if (fd < 0 && errno == ENOENT) {
        say("no /dev/full: not checked");
        return;
    }
    char byte = 'x';
    CHECK_ERRNO(write(fd, "x", 1), ENOSPC);
    CHECK_EQUAL(read(fd, &byte, 1), 1);
    CHECK_EQUAL(byte, 0);
    CHECK_OK(close(fd));
    say("/dev/full is ENOSPC");
}

static void they_are_always_ready(void) {
    int fd = (int)CHECK_OK(open("/dev/null", O_RDWR));
    struct pollfd polled = { .fd = fd, .events = POLLIN | POLLOUT };
    CHECK_EQUAL(poll(&polled, 1, 0), 1);
    CHECK_EQUAL(polled.revents, POLLIN | POLLOUT);
    CHECK(!isatty(fd));
    CHECK_EQUAL(errno, ENOTTY);
    CHECK_OK(close(fd));
    say("/dev/null is ready and no terminal");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    null_swallows_and_is_empty();
    zero_gives_zeros();
    they_are_character_devices_with_numbers_of_their_own();
    the_directory_lists_them();
    random_numbers_differ();
    full_is_always_full();
    they_are_always_ready();
    return test_pass();
}
