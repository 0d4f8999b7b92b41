#include "test.h"

enum { EXIT_PASS = 0, EXIT_FAIL = 1, EXIT_SKIP = 77, WATCHDOG_SECONDS = 10, MAX_CHILDREN = 64 };

static struct {
    const char *name;
    char folder[PATH_MAX];
    char scratch[PATH_MAX];
    pid_t pid;
    pid_t children[MAX_CHILDREN];
    int child_count;
} test;

static bool is_test_itself(void) { return getpid() == test.pid; }

void say(const char *progress, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, progress);
    vsnprintf(line, sizeof line, progress, arguments);
    va_end(arguments);
    printf("%s: %s\n", test.name, line);
}

/* Removes what is in the current directory. */
static void empty_directory(void) {
    char buffer[2048];
    int directory = open(".", O_RDONLY | O_DIRECTORY);
    for (ssize_t size; directory >= 0 && (size = getdents64(directory, buffer, sizeof buffer)) > 0;) {
        for (ssize_t at = 0; at < size;) {
            struct dirent64 *entry = (struct dirent64 *)(buffer + at);
            at += entry->d_reclen;
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
            if (unlink(entry->d_name) == 0 || rmdir(entry->d_name) == 0) continue;
            if (chmod(entry->d_name, 0700) < 0 || chdir(entry->d_name) < 0) continue;
            empty_directory();
            if (chdir("..") == 0) rmdir(entry->d_name);
        }
        if (lseek(directory, 0, SEEK_SET) < 0) break;
        if (size <= (ssize_t)(2 * sizeof(struct dirent64) + 16)) break; /* "." and ".." are left */
    }
    close(directory);
}

static void end(int status) {
    for (int i = 0; i < test.child_count; i++) kill(test.children[i], SIGKILL);
    if (test.scratch[0] != '\0' && chdir(test.scratch) == 0) {
        empty_directory();
        if (chdir("/") == 0) rmdir(test.scratch);
    }
    _exit(status);
}

/* A reason stays on its line: control characters become \n or \x1b. */
static void escape(char *to, size_t size, const char *from) {
    size_t length = 0;
    for (; *from != '\0' && length + 5 < size; from++) {
        unsigned char character = (unsigned char)*from;
        if (character == '\n')
            length += (size_t)snprintf(to + length, size - length, "\\n");
        else if (character < ' ')
            length += (size_t)snprintf(to + length, size - length, "\\x%02x", character);
        else
            to[length++] = *from;
    }
    to[length] = '\0';
}

void test_fail(const char *file, int line, const char *what, ...) {
    char reason[512], text[512];
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(reason, sizeof reason, what, arguments);
    va_end(arguments);
    escape(text, sizeof text, reason);
    if (is_test_itself()) {
        printf("%s: FAIL: %s:%d: %s\n", test.name, file, line, text);
        end(EXIT_FAIL);
    }
    printf("%s: in child %d: %s:%d: %s\n", test.name, getpid(), file, line, text);
    _exit(EXIT_FAIL);
}

void test_skip(const char *reason, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, reason);
    vsnprintf(text, sizeof text, reason, arguments);
    va_end(arguments);
    printf("%s: SKIP: %s\n", test.name, text);
    end(EXIT_SKIP);
    __builtin_unreachable();
}

int test_pass(void) {
    if (!is_test_itself()) test_fail(HERE, "a child returned into main");
    printf("%s: PASS\n", test.name);
    end(EXIT_PASS);
    return EXIT_PASS;
}

/* Two periods: a machine that stood still for one of them (a starved host) gets the other. */
static void watchdog(int signal) {
    static int periods;
    (void)signal;
    if (++periods < 2) return;
    printf("%s: FAIL: no end after %d s\n", test.name, WATCHDOG_SECONDS);
    end(EXIT_FAIL);
}

/* Where this program lies, so that it finds the others: argv[0] as the shell gave it, or /bin. */
static void find_own_folder(const char *program) {
    const char *slash = strrchr(program, '/');
    char here[PATH_MAX / 2] = "";
    if (slash == NULL) {
        strcpy(test.folder, "/bin");
        return;
    }
    if (program[0] != '/' && getcwd(here, sizeof here) == NULL) here[0] = '\0';
    snprintf(test.folder, sizeof test.folder, "%s%s%.*s", here, program[0] == '/' ? "" : "/", (int)(slash - program),
             program);
}

/* Whoever starts a test may ignore or block signals, as shells and nohup do for background programs. */
static void forget_inherited_signals(void) {
    sigset_t none = 0;
    for (int signal = 1; signal < 32; signal++)
        if (signal != SIGKILL && signal != SIGSTOP) handle_signal(signal, SIG_DFL, 0);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void test_begin(int argc, char **argv) {
    test.name = argc > 0 ? base_name(argv[0]) : "test";
    test.pid = getpid();
    find_own_folder(argc > 0 ? argv[0] : "");
    setenv("PATH", test.folder);
    static const struct itimerval half = { { WATCHDOG_SECONDS / 2, 0 }, { WATCHDOG_SECONDS / 2, 0 } };
    forget_inherited_signals();
    handle_signal(SIGALRM, watchdog, SA_RESTART);
    /* Under a defect on demand the hang is what is to be looked at. */
    if (getenv("defect") == NULL) setitimer(ITIMER_REAL, &half, NULL);
}

void test_check_equal(const char *file, int line, const char *what, long actual, long expected) {
    if (actual == expected) return;
    if (actual == -1) test_fail(file, line, "%s: -1, errno %d (%s), not %ld", what, errno, errno_name(errno), expected);
    test_fail(file, line, "%s: %ld (0x%lx), not %ld", what, actual, actual, expected);
}

void test_check_text(const char *file, int line, const char *what, const char *actual, const char *expected) {
    if (strcmp(actual, expected) != 0) test_fail(file, line, "%s: \"%s\", not \"%s\"", what, actual, expected);
}

long test_check_ok(const char *file, int line, const char *what, long result) {
    if (result < 0 && result >= -4095)
        test_fail(file, line, "%s: %ld, errno %d (%s)", what, result, errno, errno_name(errno));
    return result;
}

void test_check_errno(const char *file, int line, const char *what, long result, int expected) {
    if (result != -1) test_fail(file, line, "%s: %ld, not -1 with %s", what, result, errno_name(expected));
    if (errno != expected)
        test_fail(file, line, "%s: errno %d (%s), not %s", what, errno, errno_name(errno), errno_name(expected));
}

static void describe_status(char *text, size_t size, int status) {
    if (WIFEXITED(status))
        snprintf(text, size, "exit status %d", WEXITSTATUS(status));
    else if (WIFSTOPPED(status))
        snprintf(text, size, "stopped by signal %d", WSTOPSIG(status));
    else if (WIFCONTINUED(status))
        snprintf(text, size, "continued");
    else
        snprintf(text, size, "killed by signal %d", WTERMSIG(status));
}

void test_check_child(const char *file, int line, const char *what, pid_t child, int expected) {
    int status = -1;
    char actual_text[48], expected_text[48];
    pid_t collected;
    do collected = waitpid(child, &status, 0);
    while (collected < 0 && errno == EINTR);
    if (collected != child)
        test_fail(file, line, "waitpid(%s = %d): %d, errno %d (%s)", what, child, collected, errno, errno_name(errno));
    for (int i = 0; i < test.child_count; i++)
        if (test.children[i] == child) test.children[i] = test.children[--test.child_count];
    if (status == expected) return;
    describe_status(actual_text, sizeof actual_text, status);
    describe_status(expected_text, sizeof expected_text, expected);
    test_fail(file, line, "child %s: %s, not %s", what, actual_text, expected_text);
}

void test_check_read(const char *file, int line, const char *what, int fd, const char *text) {
    char buffer[1024];
    size_t size = 0, expected = strlen(text);
    while (size < expected) {
        if (!ready_within(fd, POLLIN, 2000))
            test_fail(file, line, "read(%s): nothing more in 2 s after \"%.*s\", not \"%s\"", what, (int)size, buffer,
                      text);
        ssize_t got = read(fd, buffer + size, expected - size);
        if (got < 0) test_fail(file, line, "read(%s): errno %d (%s)", what, errno, errno_name(errno));
        if (got == 0) test_fail(file, line, "read(%s): end of file after \"%.*s\"", what, (int)size, buffer);
        size += (size_t)got;
    }
    if (memcmp(buffer, text, size) != 0)
        test_fail(file, line, "read(%s): \"%.*s\", not \"%s\"", what, (int)size, buffer, text);
}

/* SIGALRM stays blocked around the fork: the watchdog must not run its handler in the child's first moments. */
pid_t test_fork(void) {
    sigset_t alarm_signal = signal_bit(SIGALRM), old;
    sigprocmask(SIG_BLOCK, &alarm_signal, &old);
    pid_t child = fork();
    if (child == 0) {
        test.child_count = 0;
        handle_signal(SIGALRM, SIG_DFL, 0);
    } else if (child > 0 && test.child_count < MAX_CHILDREN) {
        test.children[test.child_count++] = child;
    }
    int error = errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    if (child < 0) test_fail(HERE, "fork: errno %d (%s)", error, errno_name(error));
    return child;
}

pid_t in_child(void (*body)(void)) {
    pid_t child = test_fork();
    if (child != 0) return child;
    body();
    _exit(0);
}

const char *enter_scratch_directory(void) {
    const char *parent = getenv("TMPDIR");
    if (parent == NULL) {
        parent = "/tmp";
        mkdir(parent, 01777);
    }
    snprintf(test.scratch, sizeof test.scratch, "%s/%s.%d", parent, test.name, getpid());
    CHECK_OK(mkdir(test.scratch, 0755));
    CHECK_OK(chdir(test.scratch));
    return test.scratch;
}

void write_file(const char *path, const char *content) {
    int fd = (int)CHECK_OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    CHECK_WRITE(fd, content);
    CHECK_OK(close(fd));
}

int read_text(const char *path, char *buffer, size_t size) {
    int fd = (int)CHECK_OK(open(path, O_RDONLY));
    ssize_t length = CHECK_OK(read_fully(fd, buffer, size - 1));
    buffer[length] = '\0';
    CHECK_OK(close(fd));
    return (int)length;
}

const char *tool(const char *name) {
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", test.folder, name);
    return path;
}

const char *own_path(void) { return tool(test.name); }

/* Less than a pipe holds. A program that ends without reading it is no error. */
static void feed(int fd, const char *input) {
    struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
    CHECK_OK(sigaction(SIGPIPE, &ignore, &old));
    ssize_t written = write(fd, input, strlen(input));
    CHECK(written == (ssize_t)strlen(input) || errno == EPIPE);
    CHECK_OK(sigaction(SIGPIPE, &old, NULL));
}

static int capture_arguments(const char *input, char *output, size_t size, char **argv) {
    int in[2], out[2], status;
    CHECK_OK(pipe2(in, O_CLOEXEC));
    CHECK_OK(pipe2(out, O_CLOEXEC));
    pid_t child = test_fork();
    if (child == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        execv(tool(argv[0]), argv);
        _exit(126);
    }
    close(in[0]);
    close(out[1]);
    if (input != NULL) feed(in[1], input);
    close(in[1]);
    ssize_t length = CHECK_OK(read_fully(out[0], output, size - 1));
    output[length] = '\0';
    close(out[0]);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    test.child_count--;
    return status;
}

int capture(const char *input, char *output, size_t size, const char *name, ...) {
    char *argv[16] = { (char *)name };
    va_list arguments;
    va_start(arguments, name);
    for (int count = 1; count < 15; count++)
        if ((argv[count] = va_arg(arguments, char *)) == NULL) break;
    va_end(arguments);
    return capture_arguments(input, output, size, argv);
}

int capture_shell(char *output, size_t size, const char *command) {
    return capture(NULL, output, size, "sh", "-c", command, NULL);
}

long now_ms(void) {
    struct timespec now = { 0 };
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sleep_ms(long milliseconds) {
    struct timespec duration = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
    while (nanosleep(&duration, &duration) < 0 && errno == EINTR) continue;
}

/* The signal is let in only while asleep: one that came between the look and the sleep would be waited for in vain. */
void await_calls(int signal, const volatile int *calls, int wanted) {
    sigset_t blocked = signal_bit(signal), old;
    sigprocmask(SIG_BLOCK, &blocked, &old);
    sigset_t asleep = old & ~blocked;
    while (*calls < wanted) sigsuspend(&asleep);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

bool ready_within(int fd, short events, int milliseconds) {
    struct pollfd polled = { .fd = fd, .events = events };
    int count;
    do count = poll(&polled, 1, milliseconds);
    while (count < 0 && errno == EINTR);
    return count == 1;
}

bool happens_within(bool (*condition)(void), int milliseconds) {
    long end_ms = now_ms() + milliseconds;
    while (!condition()) {
        if (now_ms() > end_ms) return false;
        sleep_ms(1);
    }
    return true;
}

ssize_t read_fully(int fd, char *buffer, size_t size) {
    size_t length = 0;
    while (length < size) {
        ssize_t got = read(fd, buffer + length, size - length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

struct gate make_gate(void) {
    struct gate gate;
    CHECK_OK(pipe(gate.fds));
    return gate;
}

void open_gate(struct gate gate) { CHECK_WRITE(gate.fds[1], "g"); }
void pass_gate(struct gate gate) { CHECK_READ(gate.fds[0], "g"); }

bool runs_under_user_emulator(void) { return getenv("USER_EMULATOR") != NULL; }

bool machine_is_small(struct sysinfo *info) {
    return sysinfo(info) == 0 && info->totalram * info->mem_unit <= 256ul << 20;
}
