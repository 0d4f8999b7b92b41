/* Memory and text, as far as the kernel needs them. The compiler itself calls the first four. */
#include "kernel.h"

/* Words where both ends allow it: pages and stacks, the common case, are aligned. */
void *memcpy(void *to, const void *from, usize count) {
    u8 *target = to;
    const u8 *source = from;
    if ((((vaddr)target | (vaddr)source) & 7) == 0) {
        for (; count >= 8; count -= 8, target += 8, source += 8) {
            *(volatile u64 *)target = *(const u64 *)source;
        }
    }
    for (; count > 0; count--) *(volatile u8 *)target++ = *source++;
    return to;
}

void *memmove(void *to, const void *from, usize count) {
    u8 *target = to;
    const u8 *source = from;
    if (target <= source || target >= source + count) return memcpy(to, from, count);
    while (count-- > 0) ((volatile u8 *)target)[count] = source[count];
    return to;
}

/* The stores are volatile so that the compiler does not turn the loop into a call of memset. */
void *memset(void *to, int byte, usize count) {
    u8 *target = to;
    u64 word = 0x0101010101010101ul * (u8)byte;
    for (; count > 0 && ((vaddr)target & 7) != 0; count--) *(volatile u8 *)target++ = (u8)byte;
    for (; count >= 8; count -= 8, target += 8) *(volatile u64 *)target = word;
    for (; count > 0; count--) *(volatile u8 *)target++ = (u8)byte;
    return to;
}

int memcmp(const void *left, const void *right, usize count) {
    const u8 *a = left, *b = right;
    for (; count > 0; count--, a++, b++) {
        if (*a != *b) return *a - *b;
    }
    return 0;
}

usize strlen(const char *text) {
    usize length = 0;
    while (text[length] != 0) length++;
    return length;
}

int strcmp(const char *left, const char *right) {
    while (*left != 0 && *left == *right) left++, right++;
    return (u8)*left - (u8)*right;
}

int strncmp(const char *left, const char *right, usize count) {
    for (; count > 0; count--, left++, right++) {
        if (*left != *right || *left == 0) return (u8)*left - (u8)*right;
    }
    return 0;
}

void string_copy(char *to, const char *from, usize size) {
    usize index = 0;
    for (; index + 1 < size && from[index] != 0; index++) to[index] = from[index];
    if (size > 0) to[index] = 0;
}
