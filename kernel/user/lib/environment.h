/* What a program gets from the one that started it, and where it finds others. */
#pragma once

#include <stddef.h>

extern char **environ;
const char *getenv(const char *name); /* NULL when it is not set */
int setenv(const char *name, const char *value);

/* The path of program `name`: as it is when it has a slash, else in the folders of $PATH (or /bin). -1 and errno. */
int find_program(const char *name, char *path, size_t size);
const char *base_name(const char *path);
