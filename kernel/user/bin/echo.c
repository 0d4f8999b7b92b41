/* echo [-n] [WORD...]: the words with spaces between them, and a newline unless -n. */
#include "command.h"

int main(int argc, char **argv) {
    bool newline = argc < 2 || strcmp(argv[1], "-n") != 0;
    char buffer[4096];
    size_t length = 0;
    command_begin(argv);
    for (char **word = argv + (newline ? 1 : 2); *word != NULL; word++) {
        size_t size = strlen(*word);
        if (length + size + 2 > sizeof buffer) {
            if (!write_fully(1, buffer, length) || !write_fully(1, *word, size)) return complain("write");
            length = 0;
        } else {
            memcpy(buffer + length, *word, size);
            length += size;
        }
        if (word[1] != NULL) buffer[length++] = ' ';
    }
    if (newline) buffer[length++] = '\n';
    return write_fully(1, buffer, length) ? 0 : complain("write");
}
