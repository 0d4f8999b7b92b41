/* User code that goes round; the other CPUs were never started. */
#include "specimen.h"

static u8 user_stack[4096] __attribute__((aligned(16)));

static NOINLINE void user_program(void)
{
    for (volatile u32 round = 0;; round++) ;
}

void kernel_main(void)
{
    print("user\n");
#if defined(__aarch64__)
    u64 above = 0x40000000; /* the map's second copy, which user mode may use */
    __asm__ volatile("msr sp_el0, %0\n msr elr_el1, %1\n msr spsr_el1, xzr\n eret"
                     : : "r"((u64)user_stack + sizeof user_stack + above), "r"((u64)user_program + above));
#else
    __asm__ volatile("pushq $0x23\n pushq %0\n pushq $0x2\n pushq $0x2b\n pushq %1\n iretq"
                     : : "r"((u64)user_stack + sizeof user_stack - 8), "r"((u64)user_program));
#endif
}
