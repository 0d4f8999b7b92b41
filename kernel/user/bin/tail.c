/* tail [-n LINES] [FILE...]: the last lines, 10 unless told. The input may be a pipe, so all of it is kept. */
#include "command.h"

static long lines = 10;

/* Where the last lines begin. A newline at the very end closes the last line, it starts none. */
static size_t find_tail(const char *text, size_t size) {
    long left = lines;
    size_t at = size;
    if (lines == 0) return size;
    if (at > 0 && text[at - 1] == '\n') at--;
    while (at > 0) {
        if (text[at - 1] == '\n' && --left == 0) break;
        at--;
    }
    return at;
}

static bool print_tail(int fd, const char *name) {
    size_t size = 0, capacity = 0;
    char *text = NULL;
    (void)name;
    for (;;) {
        if (size == capacity) text = realloc(text, capacity = capacity * 2 + 4096);
        if (text == NULL) return false;
        ssize_t got = read(fd, text + size, capacity - size);
        if (got < 0) return false;
        if (got == 0) break;
        size += (size_t)got;
    }
    size_t start = find_tail(text, size);
    bool written = write_fully(1, text + start, size - start);
    free(text);
    return written;
}

int main(int argc, char **argv) {
    char **names = argv + 1;
    command_begin(argv);
    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        if (!parse_number(argv[2], &lines) || lines < 0) return usage("[-n LINES] [FILE...]");
        names += 2;
    }
    return for_each_input(names, print_tail);
}
