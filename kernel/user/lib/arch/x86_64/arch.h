/* What is x86-64's own in Linux's ABI. */
#pragma once

#include "numbers.h"
#include <stdint.h>

#define O_DIRECTORY 0200000
#define O_NOFOLLOW  0400000

struct stat {
    uint64_t st_dev;
    uint64_t st_ino;
    uint64_t st_nlink;
    uint32_t st_mode;
    uint32_t st_uid;
    uint32_t st_gid;
    uint32_t padding;
    uint64_t st_rdev;
    int64_t st_size;
    int64_t st_blksize;
    int64_t st_blocks; /* of 512 bytes */
    int64_t st_atime, st_atime_ns;
    int64_t st_mtime, st_mtime_ns;
    int64_t st_ctime, st_ctime_ns;
    int64_t unused[3];
};

/* Returns a value, or -errno. The kernel keeps all registers but rax, rcx and r11. */
static inline long system_call6(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* Has no meaning to any processor: SIGILL. */
static inline void execute_undefined_instruction(void) { __asm__ volatile("ud2"); }
