#include "job.h"
#include "text.h"

void restore_default_signals(void) {
    static const int changed[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU };
    sigset_t none = 0;
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) handle_signal(changed[i], SIG_DFL, 0);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A member of a background group that takes the terminal gets SIGTTOU unless it is blocked. */
static void take_terminal(pid_t group) {
    sigset_t block = signal_bit(SIGTTOU), old;
    sigprocmask(SIG_BLOCK, &block, &old);
    tcsetpgrp(0, group);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

void join_foreground_group(pid_t group, bool foreground) {
    setpgid(0, group);
    if (foreground) take_terminal(getpgrp());
}

/* Returns when the members are gone, since none may print behind its job's end. Orphans are collected by init, which may
 * be this very process, or a slow one: then they are zombies, and 100 ms have to do. */
static void kill_group(pid_t group) {
    struct timespec millisecond = { 0, 1000000 };
    kill(-group, SIGKILL);
    for (int waited_ms = 0; waited_ms < 100; waited_ms++) {
        while (waitpid(-group, NULL, WNOHANG) > 0) continue;
        if (kill(-group, 0) < 0) break;
        nanosleep(&millisecond, NULL);
    }
}

int run_job(char *const argv[]) {
    struct termios modes;
    bool terminal = tcgetattr(0, &modes) == 0;
    pid_t own_group = getpgrp(), child = fork();
    int status = 127 << 8;
    if (child < 0) return status;
    if (child == 0) {
        join_foreground_group(0, terminal);
        restore_default_signals();
        execvp(argv[0], argv);
        dprintf(2, errno == ENOENT ? "sh: %s: not found\n" : "sh: %s: cannot be run\n", argv[0]);
        _exit(127);
    }
    setpgid(child, child); /* both do: neither may run on before it is so */
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (terminal) {
        take_terminal(own_group);
        tcsetattr(0, &modes);
    }
    kill_group(child);
    return status;
}

void print_begin(const char *nonce, const char *path) { printf("[begin %s %s]\n", nonce, path); }

/* The program may have ended in the middle of a line. */
void print_end(const char *nonce, int status) {
    if (WIFSIGNALED(status))
        printf("\n[end %s signal %d]\n", nonce, WTERMSIG(status));
    else
        printf("\n[end %s exit %d]\n", nonce, WEXITSTATUS(status));
}

int status_as_number(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }
