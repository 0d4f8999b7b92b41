#include "directory.h"
#include "memory.h"
#include "system.h"
#include "text.h"

static void insert_sorted(char **names, int count, char *name) {
    while (count > 0 && strcmp(names[count - 1], name) > 0) {
        names[count] = names[count - 1];
        count--;
    }
    names[count] = name;
}

int list_directory(const char *path, char ***names) {
    char buffer[2048];
    char **list = NULL;
    int count = 0, fd = open(path, O_RDONLY | O_DIRECTORY);
    ssize_t size;
    if (fd < 0) return -1;
    while ((size = getdents64(fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < size;) {
            struct dirent64 *entry = (struct dirent64 *)(buffer + at);
            at += entry->d_reclen;
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
            if (count % 64 == 0) list = realloc(list, (size_t)(count + 64) * sizeof *list);
            char *name = malloc(strlen(entry->d_name) + 1);
            if (list == NULL || name == NULL) return -1;
            insert_sorted(list, count++, strcpy(name, entry->d_name));
        }
    }
    close(fd);
    *names = list;
    return size < 0 ? -1 : count;
}
