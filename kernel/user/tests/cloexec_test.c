/* cloexec: descriptors marked close-on-exec are gone in the new program, the others are there; fork keeps all. */
#include "test.h"

/* This program again: each argument is a descriptor with + (open) or - (closed) before it. */
static int check_descriptors(int argc, char **argv) {
    for (int i = 2; i < argc; i++) {
        long fd = -1;
        parse_number(argv[i] + 1, &fd);
        bool is_open = fcntl((int)fd, F_GETFD) >= 0;
        if (is_open != (argv[i][0] == '+')) {
            printf("cloexec_test: after exec: %ld is %s\n", fd, is_open ? "open" : "closed");
            return 1;
        }
    }
    return 0;
}

static char *expect(bool open, int fd) {
    static char texts[16][8];
    static int used;
    char *text = texts[used++ % 16];
    snprintf(text, 8, "%c%d", open ? '+' : '-', fd);
    return text;
}

static void every_way_to_set_the_flag_works(void) {
    int plain = (int)CHECK_OK(open("/dev/null", O_RDONLY));
    int by_open = (int)CHECK_OK(open("/dev/null", O_RDONLY | O_CLOEXEC));
    int by_fcntl = (int)CHECK_OK(dup(plain));
    int by_dup3 = (int)CHECK_OK(dup3(plain, 40, O_CLOEXEC));
    int by_dupfd = (int)CHECK_OK(fcntl(plain, F_DUPFD_CLOEXEC, 50l));
    int by_pipe2[2];
    CHECK_OK(pipe2(by_pipe2, O_CLOEXEC));
    CHECK_OK(fcntl(by_fcntl, F_SETFD, (long)FD_CLOEXEC));
    int cleared = (int)CHECK_OK(dup3(plain, 60, O_CLOEXEC));
    CHECK_OK(fcntl(cleared, F_SETFD, 0l));
    int copied = (int)CHECK_OK(dup(by_open)); /* a copy has a flag of its own */

    CHECK_EQUAL(fcntl(plain, F_GETFD), 0);
    CHECK_EQUAL(fcntl(by_open, F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(fcntl(by_dup3, F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(fcntl(by_dupfd, F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(fcntl(by_pipe2[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(fcntl(by_pipe2[1], F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(fcntl(cleared, F_GETFD), 0);
    CHECK_EQUAL(fcntl(copied, F_GETFD), 0);

    pid_t child = test_fork();
    if (child == 0) {
        CHECK_EQUAL(fcntl(by_open, F_GETFD), FD_CLOEXEC); /* fork closes nothing */
        CHECK_OK(execv(own_path(), (char *[]){ "cloexec_test", "check", expect(true, plain), expect(false, by_open),
                                               expect(false, by_fcntl), expect(false, by_dup3), expect(false, by_dupfd),
                                               expect(false, by_pipe2[0]), expect(false, by_pipe2[1]),
                                               expect(true, cleared), expect(true, copied), NULL }));
    }
    CHECK_EXIT(child, 0);
    CHECK_EQUAL(fcntl(by_open, F_GETFD), FD_CLOEXEC);
    say("six marked descriptors closed, three others open");
}

static void an_exec_closes_the_last_end_of_a_pipe(void) {
    int fds[2];
    char nothing;
    CHECK_OK(pipe2(fds, O_CLOEXEC));
    pid_t child = test_fork();
    if (child == 0) CHECK_OK(execv(tool("sleep"), (char *[]){ "sleep", "5", NULL }));
    CHECK_OK(close(fds[1]));
    CHECK_EQUAL(read(fds[0], &nothing, 1), 0);
    CHECK_EQUAL(waitpid(child, NULL, WNOHANG), 0);
    CHECK_OK(kill(child, SIGKILL));
    CHECK_KILLED(child, SIGKILL);
    say("the reader saw the end of file when the writer executed");
}

static void a_failed_exec_closes_nothing(void) {
    int fd = (int)CHECK_OK(open("/dev/null", O_RDONLY | O_CLOEXEC));
    CHECK_ERRNO(execv("/nowhere/at/all", (char *[]){ "x", NULL }), ENOENT);
    CHECK_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    say("a failed exec left the descriptors");
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "check") == 0) return check_descriptors(argc, argv);
    test_begin(argc, argv);
    every_way_to_set_the_flag_works();
    an_exec_closes_the_last_end_of_a_pipe();
    a_failed_exec_closes_nothing();
    return test_pass();
}
