/* Bytes, strings and formatted output. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
void *memchr(const void *bytes, int byte, size_t size);

size_t strlen(const char *text);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t size);
char *strchr(const char *text, int character);
char *strrchr(const char *text, int character);
char *strstr(const char *text, const char *part);
char *strcpy(char *to, const char *from);
char *strcat(char *to, const char *from);
bool starts_with(const char *text, const char *prefix);
bool ends_with(const char *text, const char *suffix);
bool parse_number(const char *text, long *result); /* decimal with an optional sign, nothing after it */

/* %d %i %u %x %X %o %c %s %p %%, the lengths l, ll, z and h, the flags 0 and -, a width, a precision for %s.
 * The descriptor versions write a line with one call, so that the lines of several processes do not mix. */
#define FORMAT(text, first) __attribute__((format(printf, text, first)))
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
int snprintf(char *buffer, size_t size, const char *format, ...) FORMAT(3, 4);
int vdprintf(int fd, const char *format, va_list arguments);
int dprintf(int fd, const char *format, ...) FORMAT(2, 3);
int printf(const char *format, ...) FORMAT(1, 2);
