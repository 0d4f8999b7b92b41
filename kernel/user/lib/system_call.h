/* From the kernel's convention (-errno) to C's (-1 and errno). For the system_*.c files alone. */
#pragma once

#include "system.h"

#define SYSTEM_CALL_6(number, a, b, c, d, e, f, ...)                                                                   \
    system_call_result(system_call6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))
#define system_call(...) SYSTEM_CALL_6(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

static inline long system_call_result(long result) {
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}
