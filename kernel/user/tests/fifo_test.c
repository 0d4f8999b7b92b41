/* fifo: a pipe with a name: opening waits for the other side, then it is a pipe, also between strangers. */
#include "test.h"

static void it_is_made_as_a_fifo(void) {
    struct stat status;
    umask(022);
    CHECK_OK(mkfifo("fifo", 0666));
    CHECK_OK(stat("fifo", &status));
    CHECK_EQUAL(status.st_mode, S_IFIFO | 0644);
    CHECK_ERRNO(mkfifo("fifo", 0666), EEXIST);
    CHECK_ERRNO(mkfifo("missing/fifo", 0666), ENOENT);
    say("mkfifo made a FIFO");
}

static void opening_waits_for_the_other_side(void) {
    long started = now_ms();
    pid_t child = test_fork();
    if (child == 0) {
        sleep_ms(30);
        int writer = (int)CHECK_OK(open("fifo", O_WRONLY));
        CHECK_WRITE(writer, "message");
        _exit(0);
    }
    int reader = (int)CHECK_OK(open("fifo", O_RDONLY));
    long elapsed = now_ms() - started;
    CHECK(elapsed >= 29);
    CHECK_READ(reader, "message");
    char byte;
    CHECK_EQUAL(read(reader, &byte, 1), 0);
    CHECK_EXIT(child, 0);
    CHECK_OK(close(reader));
    say("the reader's open waited %ld ms for the writer", elapsed);
}

static void the_writers_open_waits_as_well(void) {
    struct gate opened = make_gate();
    pid_t child = test_fork();
    if (child == 0) {
        int writer = (int)CHECK_OK(open("fifo", O_WRONLY));
        open_gate(opened);
        CHECK_WRITE(writer, "m");
        _exit(0);
    }
    CHECK(!ready_within(opened.fds[0], POLLIN, 20));
    int reader = (int)CHECK_OK(open("fifo", O_RDONLY));
    pass_gate(opened);
    CHECK_READ(reader, "m");
    CHECK_EXIT(child, 0);
    CHECK_OK(close(reader));
    say("so did the writer's for the reader");
}

static void nonblocking_opens_do_not_wait(void) {
    char byte;
    CHECK_ERRNO(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
    int reader = (int)CHECK_OK(open("fifo", O_RDONLY | O_NONBLOCK));
    CHECK_EQUAL(read(reader, &byte, 1), 0); /* no writer: end of file */
    int writer = (int)CHECK_OK(open("fifo", O_WRONLY | O_NONBLOCK));
    CHECK_ERRNO(read(reader, &byte, 1), EAGAIN);
    CHECK_WRITE(writer, "now");
    CHECK_READ(reader, "now");
    CHECK_OK(close(writer));
    CHECK_EQUAL(read(reader, &byte, 1), 0);
    CHECK_OK(close(reader));
    say("with O_NONBLOCK: ENXIO without a reader, end of file without a writer");
}

static void it_can_be_opened_again_after_an_end(void) {
    char byte;
    int reader = (int)CHECK_OK(open("fifo", O_RDONLY | O_NONBLOCK));
    for (int round = 0; round < 3; round++) {
        int writer = (int)CHECK_OK(open("fifo", O_WRONLY));
        CHECK_WRITE(writer, "again");
        CHECK_OK(close(writer));
        CHECK_READ(reader, "again");
        CHECK_EQUAL(read(reader, &byte, 1), 0);
    }
    CHECK_OK(close(reader));
    say("three writers one after another");
}

static void the_name_can_go_while_it_is_open(void) {
    struct stat status;
    int both = (int)CHECK_OK(open("fifo", O_RDWR));
    CHECK_OK(unlink("fifo"));
    CHECK_ERRNO(stat("fifo", &status), ENOENT);
    CHECK_WRITE(both, "unnamed");
    CHECK_READ(both, "unnamed");
    CHECK_OK(close(both));
    say("open for both, it worked on without its name");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    it_is_made_as_a_fifo();
    opening_waits_for_the_other_side();
    the_writers_open_waits_as_well();
    nonblocking_opens_do_not_wait();
    it_can_be_opened_again_after_an_end();
    the_name_can_go_while_it_is_open();
    return test_pass();
}
