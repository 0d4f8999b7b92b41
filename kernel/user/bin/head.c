/* head [-n LINES] [FILE...]: the first lines, 10 unless told. */
#include "command.h"

static long lines = 10;

static bool print_head(int fd, const char *name) {
    char buffer[4096];
    long left = lines;
    (void)name;
    while (left > 0) {
        ssize_t size = read(fd, buffer, sizeof buffer);
        if (size <= 0) return size == 0;
        ssize_t end = 0;
        while (end < size && left > 0)
            if (buffer[end++] == '\n') left--;
        if (!write_fully(1, buffer, (size_t)end)) return false;
    }
    return true;
}

int main(int argc, char **argv) {
    char **names = argv + 1;
    command_begin(argv);
    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        if (!parse_number(argv[2], &lines) || lines < 0) return usage("[-n LINES] [FILE...]");
        names += 2;
    }
    return for_each_input(names, print_head);
}
