/* rm [-r] [-f] FILE...: removes files, with -r directories and all in them; -f: silent about what does not exist. */
#include "command.h"
#include "directory.h"

static bool recursive, force;

static int remove_path(const char *path) {
    struct stat found;
    char inner[PATH_MAX], **names;
    int status = 0;
    if (lstat(path, &found) < 0) return force && errno == ENOENT ? 0 : complain(path);
    if (!S_ISDIR(found.st_mode)) return unlink(path) < 0 ? complain(path) : 0;
    if (!recursive) {
        errno = EISDIR;
        return complain(path);
    }
    int count = list_directory(path, &names);
    for (int i = 0; i < count; i++) {
        snprintf(inner, sizeof inner, "%s/%s", path, names[i]);
        status |= remove_path(inner);
    }
    return rmdir(path) < 0 ? complain(path) : status;
}

int main(int argc, char **argv) {
    int first = 1, status = 0;
    command_begin(argv);
    for (; first < argc && argv[first][0] == '-' && argv[first][1] != '\0'; first++) {
        if (strcmp(argv[first], "--") == 0) {
            first++;
            break;
        }
        for (const char *flag = argv[first] + 1; *flag != '\0'; flag++) {
            if (*flag == 'r')
                recursive = true;
            else if (*flag == 'f')
                force = true;
            else
                return usage("[-r] [-f] FILE...");
        }
    }
    if (first == argc && !force) return usage("[-r] [-f] FILE...");
    for (; first < argc; first++) status |= remove_path(argv[first]);
    return status;
}
