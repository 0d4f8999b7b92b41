/* mkdir [-p] DIRECTORY...: makes them, with -p also the ones above, and none that exists is an error. */
#include "command.h"

static int make_with_parents(const char *path) {
    char part[PATH_MAX];
    struct stat found;
    for (size_t i = 0; i + 1 < sizeof part; i++) {
        part[i] = path[i];
        if (i > 0 && (path[i] == '/' || path[i] == '\0')) {
            part[i] = '\0';
            if (mkdir(part, 0777) < 0 && errno != EEXIST) return complain(part);
            if (stat(part, &found) < 0) return complain(part);
            if (!S_ISDIR(found.st_mode)) {
                errno = ENOTDIR;
                return complain(part);
            }
            part[i] = path[i];
        }
        if (path[i] == '\0') return 0;
    }
    errno = ENAMETOOLONG;
    return complain(path);
}

int main(int argc, char **argv) {
    bool parents = argc > 1 && strcmp(argv[1], "-p") == 0;
    int first = parents ? 2 : 1, status = 0;
    command_begin(argv);
    if (first >= argc) return usage("[-p] DIRECTORY...");
    for (; first < argc; first++) {
        if (parents)
            status |= make_with_parents(argv[first]);
        else if (mkdir(argv[first], 0777) < 0)
            status = complain(argv[first]);
    }
    return status;
}
