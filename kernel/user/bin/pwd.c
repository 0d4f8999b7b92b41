/* pwd: the current directory. */
#include "command.h"

int main(int argc, char **argv) {
    char path[PATH_MAX];
    (void)argc;
    command_begin(argv);
    if (getcwd(path, sizeof path) == NULL) return complain("getcwd");
    printf("%s\n", path);
    return 0;
}
