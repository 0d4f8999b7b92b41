/* which NAME...: the paths of the programs that the names stand for; 1 when one has none. */
#include "command.h"

int main(int argc, char **argv) {
    char path[PATH_MAX];
    int status = 0;
    command_begin(argv);
    if (argc < 2) return usage("NAME...");
    for (int i = 1; i < argc; i++) {
        if (find_program(argv[i], path, sizeof path) == 0 && access(path, X_OK) == 0)
            printf("%s\n", path);
        else
            status = 1;
    }
    return status;
}
