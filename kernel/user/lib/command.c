#include "command.h"

const char *command_name = "";

void command_begin(char **argv) { command_name = argv[0] != NULL ? base_name(argv[0]) : ""; }

int complain(const char *what) {
    dprintf(2, "%s: %s: errno %d (%s)\n", command_name, what, errno, errno_name(errno));
    return 1;
}

int usage(const char *text) {
    dprintf(2, "usage: %s %s\n", command_name, text);
    return 2;
}

bool write_fully(int fd, const void *bytes, size_t size) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        at += written;
        size -= (size_t)written;
    }
    return true;
}

bool copy_bytes(int from, int to) {
    static char buffer[16384];
    for (;;) {
        ssize_t size = read(from, buffer, sizeof buffer);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return size == 0;
        if (!write_fully(to, buffer, (size_t)size)) return false;
    }
}

const char *into_directory(const char *path, const char *name, char *buffer, size_t size) {
    struct stat target;
    if (stat(path, &target) < 0 || !S_ISDIR(target.st_mode)) return path;
    snprintf(buffer, size, "%s/%s", path, base_name(name));
    return buffer;
}

int for_each_input(char **names, bool (*visit)(int fd, const char *name)) {
    int status = 0;
    if (*names == NULL) return visit(0, NULL) ? 0 : complain("standard input");
    for (; *names != NULL; names++) {
        int fd = open(*names, O_RDONLY);
        if (fd < 0 || !visit(fd, *names)) status = complain(*names);
        if (fd >= 0) close(fd);
    }
    return status;
}
