/* What neutral code needs to know of aarch64: frames, the saved state of a thread, the address map.
 *
 * Virtual addresses have 39 bits. TTBR0 maps user space from 0; TTBR1 maps all of physical memory, the kernel's
 * own image and the devices included, at DIRECT_MAP_BASE.
 */
#pragma once

#include "types.h"

#define ARCH_NAME        "aarch64"
#define ARCH_MACHINE     "aarch64"
#define ARCH_ELF_MACHINE 183

#define DIRECT_MAP_BASE 0xffffff8000000000ul
#define USER_END        0x0000008000000000ul
#define USER_STACK_TOP  0x0000007ffffff000ul
#define USER_MMAP_TOP   0x0000007000000000ul
#define USER_PIE_BASE   0x0000005500000000ul
#define USER_TRAMPOLINE 0x0000007ffffff000ul /* one page above the stack: see arch_trampoline_fill */

/* Laid out by entry.S. */
struct trap_frame {
    u64 x[31];
    u64 sp; /* SP_EL0, or the kernel's stack pointer before the trap */
    u64 pc;
    u64 pstate;
    u64 esr;
    u64 far;
    u64 original_x0; /* the first argument, which the result overwrites, for a restart */
    u64 padding;
};

struct fp_state {
    unsigned __int128 v[32];
    u32 fpsr, fpcr;
} __attribute__((aligned(16)));

struct arch_thread {
    u64 sp;  /* on the kernel stack, above the callee-saved registers */
    u64 tls; /* TPIDR_EL0 */
    struct fp_state fp;
};

static inline void arch_relax(void) { __asm__ volatile("yield" ::: "memory"); }

/* TPIDR_EL1 holds the running thread: one instruction, so a preemption cannot split the read. */
static inline void *arch_current(void) {
    void *thread;
    __asm__ volatile("mrs %0, tpidr_el1" : "=r"(thread));
    return thread;
}
