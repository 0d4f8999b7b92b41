/* mv FROM TO, mv FROM... DIRECTORY: renames. */
#include "command.h"

int main(int argc, char **argv) {
    char buffer[PATH_MAX];
    struct stat target;
    int status = 0;
    command_begin(argv);
    if (argc < 3) return usage("FROM... TO");
    const char *to = argv[argc - 1];
    if (argc > 3 && (stat(to, &target) < 0 || !S_ISDIR(target.st_mode))) {
        errno = ENOTDIR;
        return complain(to);
    }
    for (int i = 1; i < argc - 1; i++)
        if (rename(argv[i], into_directory(to, argv[i], buffer, sizeof buffer)) < 0) status = complain(argv[i]);
    return status;
}
