/* ls [-l] [-a] [PATH...]: a directory's names, one a line and sorted; -l: type, permissions, links, size. */
#include "command.h"
#include "directory.h"

static bool long_form, all;

static char type_letter(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR: return 'd';
    case S_IFLNK: return 'l';
    case S_IFCHR: return 'c';
    case S_IFBLK: return 'b';
    case S_IFIFO: return 'p';
    case S_IFSOCK: return 's';
    default: return '-';
    }
}

static int print_entry(const char *path, const char *name) {
    char mode[11] = "?rwxrwxrwx", target[PATH_MAX] = "";
    struct stat found;
    if (!long_form) {
        printf("%s\n", name);
        return 0;
    }
    if (lstat(path, &found) < 0) return complain(path);
    mode[0] = type_letter(found.st_mode);
    for (int bit = 0; bit < 9; bit++)
        if (!(found.st_mode & (0400u >> bit))) mode[1 + bit] = '-';
    if (mode[0] == 'l') {
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
    }
    printf("%s %2ld %8ld %s%s%s\n", mode, (long)found.st_nlink, (long)found.st_size, name, mode[0] == 'l' ? " -> " : "",
           target);
    return 0;
}

static int list(const char *path) {
    struct stat found;
    char inner[PATH_MAX], **names;
    int status = 0;
    if (stat(path, &found) < 0 && lstat(path, &found) < 0) return complain(path);
    if (!S_ISDIR(found.st_mode)) return print_entry(path, path);
    int count = list_directory(path, &names);
    if (count < 0) return complain(path);
    for (int i = 0; i < count; i++) {
        if (names[i][0] == '.' && !all) continue;
        snprintf(inner, sizeof inner, "%s/%s", path, names[i]);
        status |= print_entry(inner, names[i]);
    }
    return status;
}

int main(int argc, char **argv) {
    int first = 1, status = 0;
    command_begin(argv);
    for (; first < argc && argv[first][0] == '-' && argv[first][1] != '\0'; first++) {
        for (const char *flag = argv[first] + 1; *flag != '\0'; flag++) {
            if (*flag == 'l')
                long_form = true;
            else if (*flag == 'a')
                all = true;
            else
                return usage("[-l] [-a] [PATH...]");
        }
    }
    if (first == argc) return list(".");
    bool headings = argc - first > 1;
    for (; first < argc; first++) {
        if (headings) printf("%s:\n", argv[first]);
        status |= list(argv[first]);
    }
    return status;
}
