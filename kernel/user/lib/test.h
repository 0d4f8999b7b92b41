/* What every test program is made of.
 *
 *     int main(int argc, char **argv) {
 *         test_begin(argc, argv);
 *         a_claim_written_as_a_sentence();
 *         another_claim();
 *         return test_pass();
 *     }
 *
 * The last line of a test is `NAME: PASS`, `NAME: FAIL: file:line: what (errno ...)` or `NAME: SKIP: reason`, its
 * exit status 0, 1 or 77. A check that fails ends the test. In a child process it ends the child with status 1 and a
 * line that is no verdict; the parent's CHECK_EXIT then fails, so that there is one FAIL line, the test's own. */
#pragma once

#include "environment.h"
#include "memory.h"
#include "system.h"
#include "text.h"

#define HERE __FILE__, __LINE__

/* A condition holds. */
#define CHECK(condition) ((condition) ? (void)0 : test_fail(HERE, "%s", #condition))
/* Two integers are equal; the message has both. */
#define CHECK_EQUAL(actual, expected) test_check_equal(HERE, #actual " == " #expected, (long)(actual), (long)(expected))
/* Two strings are equal. */
#define CHECK_TEXT(actual, expected) test_check_text(HERE, #actual, actual, expected)
/* A call does not fail; gives its result. */
#define CHECK_OK(call) test_check_ok(HERE, #call, (long)(call))
/* A call fails, with this errno. */
#define CHECK_ERRNO(call, expected) test_check_errno(HERE, #call, (long)(call), expected)
/* The child ends by itself with this status, or by this signal; it is collected. */
#define CHECK_EXIT(child, status)   test_check_child(HERE, #child, child, (status) << 8)
#define CHECK_KILLED(child, signal) test_check_child(HERE, #child, child, signal)
/* Exactly this text can be read from the descriptor, within two seconds. */
#define CHECK_READ(fd, text) test_check_read(HERE, #fd, fd, text)
/* All of the text can be written. */
#define CHECK_WRITE(fd, text) CHECK_EQUAL(write(fd, text, strlen(text)), strlen(text))

void test_begin(int argc, char **argv); /* arms a watchdog of 10 s, unless $defect is set: SIGALRM, ITIMER_REAL */
int test_pass(void);                    /* the program's exit status */
__attribute__((noreturn)) void test_skip(const char *reason, ...) FORMAT(1, 2);
__attribute__((noreturn)) void test_fail(const char *file, int line, const char *what, ...) FORMAT(3, 4);
void say(const char *progress, ...) FORMAT(1, 2); /* a line with the test's name before it */

void test_check_equal(const char *file, int line, const char *what, long actual, long expected);
void test_check_text(const char *file, int line, const char *what, const char *actual, const char *expected);
long test_check_ok(const char *file, int line, const char *what, long result);
void test_check_errno(const char *file, int line, const char *what, long result, int expected);
void test_check_child(const char *file, int line, const char *what, pid_t child, int status);
void test_check_read(const char *file, int line, const char *what, int fd, const char *text);

/* fork, where children that are still there when the test fails are killed with it. The child has no watchdog, and
 * SIGALRM its default action: a test of timers runs its checks in a child. */
pid_t test_fork(void);
pid_t in_child(void (*body)(void)); /* runs it there, then exits with 0 */

/* A directory of the test's own, now the current one; it goes away with everything in it when the test ends. */
const char *enter_scratch_directory(void);
void write_file(const char *path, const char *content);
int read_text(const char *path, char *buffer, size_t size); /* the whole file as a string: its length */

/* Programs beside this one: the test's own folder, which also becomes $PATH. */
const char *tool(const char *name); /* its path; the four newest results are good */
const char *own_path(void);         /* of this program, absolute */
/* Runs a program with its standard output and error as a string: the wait status. `input` may be NULL: no input. */
int capture(const char *input, char *output, size_t size, const char *name, ...) __attribute__((sentinel));
int capture_shell(char *output, size_t size, const char *command);

/* Time and waiting. */
long now_ms(void); /* CLOCK_MONOTONIC */
void sleep_ms(long milliseconds);
void await_calls(int signal, const volatile int *calls, int wanted); /* of the signal's handler, which counts them */
bool ready_within(int fd, short events, int milliseconds);      /* poll for it */
bool happens_within(bool (*condition)(void), int milliseconds); /* asked each millisecond */
ssize_t read_fully(int fd, char *buffer, size_t size);          /* until the size or the end of file */

/* Lets one process wait until another has got somewhere: a pipe. */
struct gate {
    int fds[2];
};
struct gate make_gate(void);
void open_gate(struct gate gate);
void pass_gate(struct gate gate); /* fails after two seconds */

/* Emulators of user programs (qemu-user) differ from a kernel in a few places. A test that leaves a check out for one
 * asks here; the runner sets the variable $USER_EMULATOR. */
bool runs_under_user_emulator(void);
/* 256 MiB or less in all: exhausting the memory is then a fair test. */
bool machine_is_small(struct sysinfo *info);
