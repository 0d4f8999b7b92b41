/* The heap, over brk. */
#pragma once

#include <stddef.h>

void *malloc(size_t size); /* aligned to 16; NULL and ENOMEM */
void *realloc(void *block, size_t size);
void free(void *block);
