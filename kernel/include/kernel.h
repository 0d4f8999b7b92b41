/* What everything may call: text, panic, and memory that is only bytes. */
#pragma once

#include "types.h"

#include <stdarg.h>

struct trap_frame;

/* One console line, `[kernel] ` put before it; a newline at the end of `format` is the caller's. */
void kprint(const char *format, ...) __attribute__((format(printf, 1, 2)));
void console_write(const char *bytes, usize count); /* as they are; one call's bytes stay together */
noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void panic_with_frame(const struct trap_frame *frame, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool panic_started(void);
int format_text(char *to, usize size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int format_arguments(char *to, usize size, const char *format, va_list arguments);

void *memcpy(void *to, const void *from, usize count);
void *memmove(void *to, const void *from, usize count);
void *memset(void *to, int byte, usize count);
int memcmp(const void *left, const void *right, usize count);
usize strlen(const char *text);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, usize count);
void string_copy(char *to, const char *from, usize size); /* cut to size - 1, always ended */

/* Unpredictable enough for hash seeds and test data, not for keys. */
u64 random_word(void);

/* The value of `key=value` on the kernel command line, copied to `value`; false when it is not there. */
bool command_line_value(const char *key, char *value, usize size);
bool command_line_list_has(const char *key, const char *word); /* key=a,b,c */

void kernel_main(void); /* each architecture's boot code ends here, with the MMU on and a stack */
void secondary_main(void);
void console_receive(char byte); /* the tty's; called from the serial interrupt */

#define ASSERT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) panic("%s:%d: " #condition, __FILE__, __LINE__);                                   \
    } while (0)
