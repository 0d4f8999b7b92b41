/* Text for people: format_text, and the kernel's own console lines. */
#include "arch.h"
#include "kernel.h"
#include "spinlock.h"

/* Innermost of all locks: anything may print. */
static struct spinlock console_lock = SPINLOCK_INIT("console");

struct text_sink {
    char *to;
    usize size, length;
};

static void put(struct text_sink *sink, char character) {
    if (sink->length + 1 < sink->size) sink->to[sink->length] = character;
    sink->length++;
}

static void put_padded(struct text_sink *sink, const char *text, usize length, int width, char padding, bool left) {
    int missing = width - (int)length;
    for (; !left && missing > 0; missing--) put(sink, padding);
    for (usize index = 0; index < length; index++) put(sink, text[index]);
    for (; missing > 0; missing--) put(sink, ' ');
}

static usize digits_of(u64 value, unsigned base, bool negative, char *end_of_buffer, char **start) {
    char *cursor = end_of_buffer;
    do {
        *--cursor = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    if (negative) *--cursor = '-';
    *start = cursor;
    return (usize)(end_of_buffer - cursor);
}

/* %[-0][width][l|ll|z](d|i|u|x|p|s|c|%), with a precision for %s only. */
int format_arguments(char *to, usize size, const char *format, va_list arguments) {
    struct text_sink sink = { to, size, 0 };
    for (; *format != 0; format++) {
        if (*format != '%') {
            put(&sink, *format);
            continue;
        }
        bool left = false, wide = false;
        char padding = ' ';
        int width = 0, precision = -1;
        for (format++; *format == '-' || *format == '0'; format++) {
            if (*format == '-') left = true;
            if (*format == '0') padding = '0';
        }
        if (*format == '*') width = va_arg(arguments, int), format++;
        for (; *format >= '0' && *format <= '9'; format++) width = width * 10 + (*format - '0');
        if (*format == '.') {
            format++, precision = 0;
            if (*format == '*') precision = va_arg(arguments, int), format++;
            for (; *format >= '0' && *format <= '9'; format++) precision = precision * 10 + (*format - '0');
        }
        for (; *format == 'l' || *format == 'z'; format++) wide = true;

        char buffer[24], *start = buffer;
        usize length = 0;
        switch (*format) {
        case 'd':
        case 'i': {
            i64 value = wide ? va_arg(arguments, i64) : va_arg(arguments, int);
            length = digits_of(value < 0 ? -(u64)value : (u64)value, 10, value < 0, buffer + sizeof(buffer), &start);
            break;
        }
        case 'u':
        case 'x': {
            u64 value = wide ? va_arg(arguments, u64) : va_arg(arguments, unsigned);
            length = digits_of(value, *format == 'x' ? 16 : 10, false, buffer + sizeof(buffer), &start);
            break;
        }
        case 'p':
            put(&sink, '0'), put(&sink, 'x');
            length = digits_of((u64)va_arg(arguments, void *), 16, false, buffer + sizeof(buffer), &start);
            break;
        case 's':
            start = va_arg(arguments, char *);
            if (start == NULL) start = "(null)";
            while ((precision < 0 || length < (usize)precision) && start[length] != 0) length++;
            padding = ' ';
            break;
        case 'c': buffer[0] = (char)va_arg(arguments, int), length = 1; break;
        case '%': buffer[0] = '%', length = 1; break;
        default: goto done;
        }
        put_padded(&sink, start, length, width, padding, left);
    }
done:
    if (size > 0) to[sink.length < size ? sink.length : size - 1] = 0;
    return (int)sink.length;
}

int format_text(char *to, usize size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = format_arguments(to, size, format, arguments);
    va_end(arguments);
    return length;
}

void console_write(const char *bytes, usize count) {
    if (panic_started()) { /* whoever held the lock may never release it */
        arch_console_write(bytes, count);
        return;
    }
    u64 interrupts = spin_lock(&console_lock);
    arch_console_write(bytes, count);
    spin_unlock(&console_lock, interrupts);
}

void kprint(const char *format, ...) {
    static const char prefix[] = "[kernel] ";
    char line[256];
    usize length = sizeof(prefix) - 1;
    memcpy(line, prefix, length);
    va_list arguments;
    va_start(arguments, format);
    length += (usize)format_arguments(line + length, sizeof(line) - length - 1, format, arguments);
    va_end(arguments);
    if (length > sizeof(line) - 2) length = sizeof(line) - 2;
    if (line[length - 1] == '\n') {
        line[length - 1] = '\r';
        line[length++] = '\n';
    }
    console_write(line, length);
}
