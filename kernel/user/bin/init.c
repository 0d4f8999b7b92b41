/* init: the first process. What it does stands on the kernel's command line, whose words of the form key=value
 * are its environment:
 *
 *   nothing                 a shell on the console, started again when it ends
 *   test=NAME nonce=N       /bin/NAME once, between begin and end lines; then power off
 *   suite=1 [tests=a,b,c]   every /bin/NAME_test, or these, as KTAP; then power off
 *   exit_device=1           end through QEMU's exit device, with the test's status, or 1 for a failed suite
 */
#include "directory.h"
#include "environment.h"
#include "job.h"
#include "text.h"

enum { EXIT_SKIP = 77, MAX_TESTS = 256 };

static void open_console(void) {
    if (fcntl(2, F_GETFD) >= 0) return;
    int fd = open("/dev/console", O_RDWR);
    for (int standard = 0; standard <= 2; standard++)
        if (fd != standard) dup2(fd, standard);
}

static void take_console_as_terminal(void) {
    setsid();
    ioctl(0, TIOCSCTTY, 0);
}

static void power_off(int status) {
    char command[16];
    snprintf(command, sizeof command, "exit:%d", status);
    if (getenv("exit_device") != NULL) reboot(REBOOT_RESTART_2, command);
    reboot(REBOOT_POWER_OFF, NULL);
    printf("init: cannot power off: errno %d (%s)\n", errno, errno_name(errno));
    for (;;) pause();
}

static int run_test(const char *name) {
    char path[256];
    char *argv[] = { path, NULL };
    snprintf(path, sizeof path, "/bin/%s", name);
    int status = run_job(argv);
    while (waitpid(-1, NULL, WNOHANG) > 0) continue; /* orphans */
    return status;
}

static void run_one_test(const char *name) {
    const char *nonce = getenv("nonce");
    char path[256];
    if (nonce == NULL) nonce = "0";
    snprintf(path, sizeof path, "/bin/%s", name);
    print_begin(nonce, path);
    int status = run_test(name);
    print_end(nonce, status);
    power_off(status_as_number(status));
}

/* Cuts a copy of "a,b,c" into its words. */
static int split_names(const char *list, char **names) {
    static char copy[4096];
    int count = 0;
    snprintf(copy, sizeof copy, "%s", list);
    for (char *at = copy; at != NULL && count < MAX_TESTS;) {
        names[count++] = at;
        at = strchr(at, ',');
        if (at != NULL) *at++ = '\0';
    }
    return count;
}

static int find_tests(char **tests) {
    char **names;
    int count = 0, found = list_directory("/bin", &names);
    for (int i = 0; i < found && count < MAX_TESTS; i++)
        if (ends_with(names[i], "_test")) tests[count++] = names[i];
    return count;
}

static void run_suite(void) {
    char *tests[MAX_TESTS];
    const char *list = getenv("tests");
    int count = list != NULL ? split_names(list, tests) : find_tests(tests), failed = 0;
    printf("KTAP version 1\n1..%d\n", count);
    for (int i = 0; i < count; i++) {
        int status = run_test(tests[i]);
        int number = status_as_number(status);
        if (number == 0)
            printf("ok %d %s\n", i + 1, tests[i]);
        else if (number == EXIT_SKIP)
            printf("ok %d %s # SKIP\n", i + 1, tests[i]);
        else if (WIFSIGNALED(status))
            printf("not ok %d %s # signal %d\n", i + 1, tests[i], WTERMSIG(status));
        else
            printf("not ok %d %s # exit status %d\n", i + 1, tests[i], number);
        if (number != 0 && number != EXIT_SKIP) failed++;
    }
    printf("# %d of %d failed\n", failed, count);
    power_off(failed > 0);
}

static void keep_a_shell_running(void) {
    for (;;) {
        pid_t shell = fork(), ended;
        if (shell == 0) {
            take_console_as_terminal();
            char *argv[] = { "sh", NULL };
            execv("/bin/sh", argv);
            printf("init: /bin/sh: errno %d (%s)\n", errno, errno_name(errno));
            _exit(127);
        }
        do ended = wait(NULL);
        while (ended != shell && (ended > 0 || errno == EINTR));
        if (ended < 0) pause();
    }
}

int main(void) {
    const char *test = getenv("test");
    open_console();
    mkdir("/tmp", 01777);
    setenv("PATH", "/bin");
    setenv("HOME", "/");
    if (test == NULL && getenv("suite") == NULL) keep_a_shell_running();
    take_console_as_terminal();
    if (test != NULL) run_one_test(test);
    run_suite();
    return 1;
}
