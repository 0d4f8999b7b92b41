/* What is aarch64's own in Linux's ABI. */
#pragma once

#include "numbers.h"
#include <stdint.h>

#define O_DIRECTORY 040000
#define O_NOFOLLOW  0100000

struct stat {
    uint64_t st_dev;
    uint64_t st_ino;
    uint32_t st_mode;
    uint32_t st_nlink;
    uint32_t st_uid;
    uint32_t st_gid;
    uint64_t st_rdev;
    uint64_t padding;
    int64_t st_size;
    int32_t st_blksize;
    int32_t padding_2;
    int64_t st_blocks; /* of 512 bytes */
    int64_t st_atime, st_atime_ns;
    int64_t st_mtime, st_mtime_ns;
    int64_t st_ctime, st_ctime_ns;
    uint32_t unused[2];
};

/* Returns a value, or -errno. */
static inline long system_call6(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

/* Has no meaning to any processor: SIGILL. */
static inline void execute_undefined_instruction(void) { __asm__ volatile("udf #0"); }
