/* What everything may call: text, panic, and memory that is only bytes. */
#pragma once

#include "types.h"

void kprint(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
int format_text(char *to, usize size, const char *format, ...) __attribute__((format(printf, 3, 4)));

void *memcpy(void *to, const void *from, usize count);
void *memmove(void *to, const void *from, usize count);
void *memset(void *to, int byte, usize count);
int memcmp(const void *left, const void *right, usize count);
usize strlen(const char *text);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, usize count);

#define ASSERT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) panic("%s:%d: " #condition, __FILE__, __LINE__);                                   \
    } while (0)
