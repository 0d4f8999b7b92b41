/* What the small commands share. */
#pragma once

#include "environment.h"
#include "memory.h"
#include "system.h"
#include "text.h"

extern const char *command_name; /* set by command_begin from argv[0] */
void command_begin(char **argv);

/* `NAME: what: No such file...` in the form `cat: x: errno 2 (ENOENT)`; gives 1, the exit status. */
int complain(const char *what);
int usage(const char *text); /* gives 2 */

bool copy_bytes(int from, int to); /* until the end of file */
bool write_fully(int fd, const void *bytes, size_t size);

/* The path of `name` when `path` is a directory: path/base-name. */
const char *into_directory(const char *path, const char *name, char *buffer, size_t size);

/* Calls visit for each file named in the arguments, or for standard input without one: 1 when one fails. */
int for_each_input(char **names, bool (*visit)(int fd, const char *name));
