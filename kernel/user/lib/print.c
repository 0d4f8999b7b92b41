#include "system.h"
#include "text.h"

struct sink {
    char *buffer;
    size_t size;
    size_t length; /* what it would be without end: may exceed the size */
};

static void put(struct sink *sink, char character) {
    if (sink->length + 1 < sink->size) sink->buffer[sink->length] = character;
    sink->length++;
}

struct field {
    bool left, zero;
    int width;
    int precision; /* -1: none */
    int length;    /* count of l and z */
};

static void put_padded(struct sink *sink, const struct field *field, const char *sign, const char *text,
                       size_t length) {
    long padding = field->width - (long)(length + strlen(sign));
    if (!field->left && !field->zero)
        for (; padding > 0; padding--) put(sink, ' ');
    while (*sign != '\0') put(sink, *sign++);
    if (!field->left)
        for (; padding > 0; padding--) put(sink, '0');
    for (size_t i = 0; i < length; i++) put(sink, text[i]);
    for (; padding > 0; padding--) put(sink, ' ');
}

static void put_number(struct sink *sink, const struct field *field, const char *sign, unsigned long value,
                       unsigned base, const char *digits) {
    char text[24];
    size_t start = sizeof text;
    do {
        text[--start] = digits[value % base];
        value /= base;
    } while (value != 0);
    put_padded(sink, field, sign, text + start, sizeof text - start);
}

static const char *parse_field(const char *format, struct field *field, va_list *arguments) {
    *field = (struct field){ .precision = -1 };
    for (;; format++) {
        if (*format == '-')
            field->left = true;
        else if (*format == '0')
            field->zero = true;
        else
            break;
    }
    for (; *format >= '0' && *format <= '9'; format++) field->width = field->width * 10 + *format - '0';
    if (*format == '*') {
        field->width = va_arg(*arguments, int);
        format++;
    }
    if (*format == '.') {
        field->precision = 0;
        if (*++format == '*') {
            field->precision = va_arg(*arguments, int);
            format++;
        }
        for (; *format >= '0' && *format <= '9'; format++) field->precision = field->precision * 10 + *format - '0';
    }
    for (; *format == 'l' || *format == 'z' || *format == 'h'; format++)
        if (*format != 'h') field->length++;
    return format;
}

static void put_conversion(struct sink *sink, char conversion, struct field *field, va_list *arguments) {
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    unsigned long value;
    const char *text;
    char character;
    size_t length = 0;

    switch (conversion) {
    case 'd':
    case 'i': {
        long number = field->length ? va_arg(*arguments, long) : va_arg(*arguments, int);
        put_number(sink, field, number < 0 ? "-" : "", number < 0 ? -(unsigned long)number : (unsigned long)number, 10,
                   lower);
        break;
    }
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        value = field->length ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned);
        put_number(sink, field, "", value,
                   conversion == 'u'   ? 10
                   : conversion == 'o' ? 8
                                       : 16,
                   conversion == 'X' ? upper : lower);
        break;
    case 'p': put_number(sink, field, "0x", (unsigned long)va_arg(*arguments, void *), 16, lower); break;
    case 'c':
        character = (char)va_arg(*arguments, int);
        put_padded(sink, field, "", &character, 1);
        break;
    case 's':
        text = va_arg(*arguments, const char *);
        if (text == NULL) text = "(null)";
        while ((field->precision < 0 || length < (size_t)field->precision) && text[length] != '\0') length++;
        field->zero = false;
        put_padded(sink, field, "", text, length);
        break;
    default: put(sink, conversion);
    }
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments) {
    struct sink sink = { buffer, size, 0 };
    va_list copy;
    va_copy(copy, arguments); /* an array on x86-64: only a copy of our own has an address of the right type */
    for (; *format != '\0'; format++) {
        struct field field;
        if (*format != '%') {
            put(&sink, *format);
            continue;
        }
        format = parse_field(format + 1, &field, &copy);
        if (*format == '\0') break;
        put_conversion(&sink, *format, &field, &copy);
    }
    va_end(copy);
    if (size > 0) buffer[sink.length < size ? sink.length : size - 1] = '\0';
    return (int)sink.length;
}

int snprintf(char *buffer, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

int vdprintf(int fd, const char *format, va_list arguments) {
    char buffer[1024];
    int length = vsnprintf(buffer, sizeof buffer, format, arguments);
    if (length >= (int)sizeof buffer) length = sizeof buffer - 1;
    return (int)write(fd, buffer, (size_t)length);
}

int dprintf(int fd, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vdprintf(fd, format, arguments);
    va_end(arguments);
    return length;
}

int printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vdprintf(1, format, arguments);
    va_end(arguments);
    return length;
}
