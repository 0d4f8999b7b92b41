/* cp FROM TO, cp FROM... DIRECTORY: copies files with their permissions. */
#include "command.h"

static int copy(const char *from, const char *to) {
    struct stat source, target;
    int input = open(from, O_RDONLY);
    if (input < 0 || fstat(input, &source) < 0) return complain(from);
    if (S_ISDIR(source.st_mode)) {
        errno = EISDIR;
        return complain(from);
    }
    if (stat(to, &target) == 0 && target.st_dev == source.st_dev && target.st_ino == source.st_ino) {
        dprintf(2, "cp: %s and %s are the same file\n", from, to);
        return 1;
    }
    int output = open(to, O_WRONLY | O_CREAT | O_TRUNC, source.st_mode & 0777);
    if (output < 0) return complain(to);
    if (!copy_bytes(input, output)) return complain(to);
    close(input);
    return close(output) < 0 ? complain(to) : 0;
}

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
    for (int i = 1; i < argc - 1; i++) status |= copy(argv[i], into_directory(to, argv[i], buffer, sizeof buffer));
    return status;
}
