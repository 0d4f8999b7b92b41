/* fcntl: descriptor flags belong to the descriptor, status flags to the open file, and the access mode stays. */
#include "test.h"

static void status_flags_are_those_of_open(void) {
    static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
    write_file("file", "content");
    for (int i = 0; i < 3; i++) {
        int fd = (int)CHECK_OK(open("file", modes[i] | O_APPEND | O_NONBLOCK));
        int flags = (int)CHECK_OK(fcntl(fd, F_GETFL));
        CHECK_EQUAL(flags & O_ACCMODE, modes[i]);
        CHECK((flags & O_APPEND) != 0);
        CHECK((flags & O_NONBLOCK) != 0);
        CHECK_EQUAL(flags & (O_CREAT | O_TRUNC | O_EXCL | O_CLOEXEC), 0);
        CHECK_OK(close(fd));
    }
    say("access mode, O_APPEND and O_NONBLOCK are remembered");
}

static void the_access_mode_cannot_be_changed(void) {
    int fd = (int)CHECK_OK(open("file", O_RDONLY));
    CHECK_OK(fcntl(fd, F_SETFL, (long)(O_RDWR | O_APPEND)));
    CHECK_EQUAL(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND), O_RDONLY | O_APPEND);
    CHECK_ERRNO(write(fd, "x", 1), EBADF);
    CHECK_OK(close(fd));
    fd = (int)CHECK_OK(open("file", O_WRONLY));
    char byte;
    CHECK_ERRNO(read(fd, &byte, 1), EBADF);
    CHECK_OK(close(fd));
    say("O_RDONLY stayed O_RDONLY");
}

static void append_can_be_switched_on_and_off(void) {
    char content[32];
    int fd = (int)CHECK_OK(open("append", O_RDWR | O_CREAT, 0644));
    CHECK_WRITE(fd, "12345");
    CHECK_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    CHECK_OK(fcntl(fd, F_SETFL, (long)O_APPEND));
    CHECK_WRITE(fd, "6");
    CHECK_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    CHECK_OK(fcntl(fd, F_SETFL, 0l));
    CHECK_WRITE(fd, "X");
    CHECK_OK(close(fd));
    read_text("append", content, sizeof content);
    CHECK_TEXT(content, "X23456");
    say("O_APPEND worked while it was on");
}

static void nonblock_can_be_switched_on_and_off(void) {
    int fds[2];
    char byte;
    CHECK_OK(pipe(fds));
    CHECK_OK(fcntl(fds[0], F_SETFL, (long)O_NONBLOCK));
    CHECK_EQUAL(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0); /* each end is an open file of its own */
    CHECK_ERRNO(read(fds[0], &byte, 1), EAGAIN);
    CHECK_OK(fcntl(fds[0], F_SETFL, 0l));
    pid_t child = test_fork();
    if (child == 0) {
        sleep_ms(10);
        CHECK_WRITE(fds[1], "x");
        _exit(0);
    }
    CHECK_EQUAL(read(fds[0], &byte, 1), 1);
    CHECK_EXIT(child, 0);
    say("O_NONBLOCK worked while it was on");
}

static void the_descriptor_flag_is_the_descriptors_own(void) {
    int fd = (int)CHECK_OK(open("file", O_RDONLY)), copy = (int)CHECK_OK(dup(fd));
    CHECK_EQUAL(fcntl(fd, F_GETFD), 0);
    CHECK_OK(fcntl(fd, F_SETFD, (long)FD_CLOEXEC));
    CHECK_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(fcntl(copy, F_GETFD), 0);
    CHECK_EQUAL(fcntl(fd, F_GETFL) & O_CLOEXEC, 0);
    int moved = (int)CHECK_OK(fcntl(fd, F_DUPFD, 100l));
    CHECK(moved >= 100);
    CHECK_EQUAL(fcntl(moved, F_GETFD), 0);
    int marked = (int)CHECK_OK(fcntl(fd, F_DUPFD_CLOEXEC, 100l));
    CHECK(marked > moved);
    CHECK_EQUAL(fcntl(marked, F_GETFD), FD_CLOEXEC);
    say("FD_CLOEXEC is not shared between copies");
}

static void errors_are_told(void) {
    CHECK_ERRNO(fcntl(99, F_GETFD), EBADF);
    CHECK_ERRNO(fcntl(-1, F_GETFL), EBADF);
    CHECK_ERRNO(fcntl(0, 9999), EINVAL);
    CHECK_ERRNO(fcntl(0, F_DUPFD, -1l), EINVAL);
    say("closed descriptors and unknown commands are refused");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    status_flags_are_those_of_open();
    the_access_mode_cannot_be_changed();
    append_can_be_switched_on_and_off();
    nonblock_can_be_switched_on_and_off();
    the_descriptor_flag_is_the_descriptors_own();
    errors_are_told();
    return test_pass();
}
