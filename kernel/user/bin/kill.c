/* kill [-SIGNAL] PID...: sends a signal, TERM unless told; a negative pid is a process group. */
#include "command.h"

static const struct {
    const char *name;
    int number;
} signals[] = { { "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT }, { "KILL", SIGKILL },
                { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "ALRM", SIGALRM }, { "TERM", SIGTERM },
                { "CHLD", SIGCHLD }, { "CONT", SIGCONT }, { "STOP", SIGSTOP }, { "TSTP", SIGTSTP } };

static long parse_signal(const char *text) {
    long number;
    if (parse_number(text, &number)) return number;
    if (starts_with(text, "SIG")) text += 3;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (strcmp(text, signals[i].name) == 0) return signals[i].number;
    return -1;
}

int main(int argc, char **argv) {
    long signal = SIGTERM, pid;
    int first = 1, status = 0;
    command_begin(argv);
    if (argc > 2 && argv[1][0] == '-') signal = parse_signal(argv[first++] + 1);
    if (first >= argc || signal < 0) return usage("[-SIGNAL] PID...");
    for (; first < argc; first++) {
        if (!parse_number(argv[first], &pid)) return usage("[-SIGNAL] PID...");
        if (kill((pid_t)pid, (int)signal) < 0) status = complain(argv[first]);
    }
    return status;
}
