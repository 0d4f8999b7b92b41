/* sleep SECONDS: a decimal number, as 0.25. */
#include "command.h"

int main(int argc, char **argv) {
    struct timespec duration = { 0 };
    command_begin(argv);
    if (argc != 2) return usage("SECONDS");
    const char *at = argv[1];
    for (; *at >= '0' && *at <= '9'; at++) duration.tv_sec = duration.tv_sec * 10 + *at - '0';
    if (*at == '.') {
        long unit = 100000000;
        for (at++; *at >= '0' && *at <= '9'; at++, unit /= 10) duration.tv_nsec += (*at - '0') * unit;
    }
    if (at == argv[1] || *at != '\0') return usage("SECONDS");
    while (nanosleep(&duration, &duration) < 0 && errno == EINTR) continue;
    return 0;
}
