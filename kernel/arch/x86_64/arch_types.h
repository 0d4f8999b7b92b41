/* What neutral code needs to know of x86-64: frames, the saved state of a thread, the address map.
 *
 * The lower half is user space. The upper half, shared by all address spaces, maps the first 4 GiB of physical
 * memory at DIRECT_MAP_BASE and the kernel's image in the top 2 GiB.
 */
#pragma once

#include "types.h"

#define ARCH_NAME        "x86_64"
#define ARCH_MACHINE     "x86_64"
#define ARCH_ELF_MACHINE 62

#define DIRECT_MAP_BASE 0xffff888000000000ul
#define KERNEL_BASE     0xffffffff80000000ul
#define USER_END        0x0000800000000000ul
#define USER_STACK_TOP  0x00007ffffffff000ul
#define USER_MMAP_TOP   0x00007f0000000000ul
#define USER_PIE_BASE   0x0000555500000000ul
#define USER_TRAMPOLINE 0 /* none: handlers bring their own restorer, as on Linux */

/* Laid out by entry.S and, from `rip` on, by the processor. */
struct trap_frame {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    u64 vector;
    u64 original_rax; /* the system call's number, or the processor's error code */
    u64 rip, cs, rflags, rsp, ss;
};

struct fp_state {
    u8 bytes[512]; /* FXSAVE */
} __attribute__((aligned(16)));

struct arch_thread {
    u64 sp;  /* on the kernel stack, above the callee-saved registers */
    u64 tls; /* FS base */
    struct fp_state fp;
};

static inline void arch_relax(void) { __asm__ volatile("pause" ::: "memory"); }

/* The running thread is a field of the per-CPU block at GS: one instruction, so a preemption cannot split it. */
static inline void *arch_current(void) {
    void *thread;
    __asm__ volatile("movq %%gs:8, %0" : "=r"(thread));
    return thread;
}
