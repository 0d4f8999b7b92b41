/* Words of the kernel command line. */
#include "arch.h"
#include "kernel.h"

bool command_line_value(const char *key, char *value, usize size) {
    usize key_length = strlen(key);
    for (const char *word = arch_command_line(); *word != 0;) {
        const char *end = word;
        while (*end != 0 && *end != ' ') end++;
        if ((usize)(end - word) > key_length && strncmp(word, key, key_length) == 0 && word[key_length] == '=') {
            usize length = (usize)(end - word) - key_length - 1;
            if (length >= size) length = size - 1;
            memcpy(value, word + key_length + 1, length);
            value[length] = 0;
            return true;
        }
        word = *end == ' ' ? end + 1 : end;
    }
    return false;
}

bool command_line_list_has(const char *key, const char *word) {
    char list[256];
    if (!command_line_value(key, list, sizeof(list))) return false;
    usize length = strlen(word);
    for (const char *item = list; *item != 0;) {
        const char *end = item;
        while (*end != 0 && *end != ',') end++;
        if ((usize)(end - item) == length && strncmp(item, word, length) == 0) return true;
        item = *end == ',' ? end + 1 : end;
    }
    return false;
}
