/* The names in a directory, sorted, without "." and "..". */
#pragma once

#include <stddef.h>

/* Gives their number and a vector from the heap, or -1 and errno. */
int list_directory(const char *path, char ***names);
