#include "environment.h"
#include "memory.h"
#include "system.h"
#include "text.h"

char **environ;
int main(int argc, char **argv);
__attribute__((noreturn)) void start_program(long *stack); /* from arch/<a>/start.S */

void start_program(long *stack) {
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);
    environ = argv + argc + 1;
    _exit(main(argc, argv));
}

static char **find_variable(const char *name) {
    size_t length = strlen(name);
    for (char **variable = environ; *variable != NULL; variable++)
        if (strncmp(*variable, name, length) == 0 && (*variable)[length] == '=') return variable;
    return NULL;
}

const char *getenv(const char *name) {
    char **variable = find_variable(name);
    return variable == NULL ? NULL : *variable + strlen(name) + 1;
}

/* The vector is copied when it grows, and the old one left: programs set few variables. */
int setenv(const char *name, const char *value) {
    char *text = malloc(strlen(name) + strlen(value) + 2);
    char **variable = find_variable(name);
    if (text == NULL) return -1;
    strcat(strcat(strcpy(text, name), "="), value);
    if (variable != NULL) {
        *variable = text;
        return 0;
    }
    size_t count = 0;
    while (environ[count] != NULL) count++;
    char **grown = malloc((count + 2) * sizeof *grown);
    if (grown == NULL) return -1;
    memcpy(grown, environ, count * sizeof *grown);
    grown[count] = text;
    grown[count + 1] = NULL;
    environ = grown;
    return 0;
}

int find_program(const char *name, char *path, size_t size) {
    const char *folders = getenv("PATH");
    if (folders == NULL || *folders == '\0') folders = "/bin";
    if (strchr(name, '/') != NULL) {
        snprintf(path, size, "%s", name);
        return access(path, F_OK);
    }
    while (*folders != '\0') {
        const char *end = strchr(folders, ':');
        int length = end != NULL ? (int)(end - folders) : (int)strlen(folders);
        struct stat found;
        snprintf(path, size, "%.*s/%s", length, folders, name);
        if (*name != '\0' && stat(path, &found) == 0 && S_ISREG(found.st_mode) && access(path, X_OK) == 0) return 0;
        folders += length;
        if (*folders == ':') folders++;
    }
    errno = ENOENT;
    return -1;
}

const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}
