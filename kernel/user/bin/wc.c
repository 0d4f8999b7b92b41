/* wc [FILE...]: lines, words and bytes of each file, and their sums when there is more than one. */
#include "command.h"

static unsigned long total[3];

static void print_counts(const unsigned long *counts, const char *name) {
    printf("%7lu %7lu %7lu%s%s\n", counts[0], counts[1], counts[2], name ? " " : "", name ? name : "");
}

static bool count(int fd, const char *name) {
    static char buffer[16384];
    unsigned long counts[3] = { 0 };
    bool in_word = false;
    ssize_t size;
    while ((size = read(fd, buffer, sizeof buffer)) > 0) {
        counts[2] += (unsigned long)size;
        for (ssize_t i = 0; i < size; i++) {
            bool space = buffer[i] == ' ' || (buffer[i] >= '\t' && buffer[i] <= '\r');
            counts[0] += buffer[i] == '\n';
            counts[1] += !space && !in_word;
            in_word = !space;
        }
    }
    if (size < 0) return false;
    print_counts(counts, name);
    for (int i = 0; i < 3; i++) total[i] += counts[i];
    return true;
}

int main(int argc, char **argv) {
    command_begin(argv);
    int status = for_each_input(argv + 1, count);
    if (argc > 2) print_counts(total, "total");
    return status;
}
