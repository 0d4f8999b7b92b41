/* cat [FILE...]: writes the files, or standard input, one after another. */
#include "command.h"

static bool print_content(int fd, const char *name) {
    (void)name;
    return copy_bytes(fd, 1);
}

int main(int argc, char **argv) {
    (void)argc;
    command_begin(argv);
    return for_each_input(argv + 1, print_content);
}
