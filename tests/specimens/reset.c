/* Boots, prints, and resets the machine. */
#include "specimen.h"

void kernel_main(void)
{
    print("up\n");
#if defined(__aarch64__)
    register u64 function __asm__("x0") = 0x84000009; /* PSCI SYSTEM_RESET */
    __asm__ volatile("hvc #0" : "+r"(function) : : "memory");
#else
    struct { u16 limit; u64 base; } __attribute__((packed)) none = {0, 0};
    __asm__ volatile("lidt %0\n int3" : : "m"(none)); /* a triple fault */
#endif
}
