/* Power State Coordination Interface: the firmware call that starts CPUs and stops the machine (Arm DEN 0022). */
#include "aarch64.h"

#include "kernel.h"

#define CPU_ON       0xc4000003u
#define SYSTEM_OFF   0x84000008u
#define SYSTEM_RESET 0x84000009u

static i64 call(u32 function, u64 first, u64 second, u64 third) {
    register u64 x0 __asm__("x0") = function;
    register u64 x1 __asm__("x1") = first;
    register u64 x2 __asm__("x2") = second;
    register u64 x3 __asm__("x3") = third;
    if (machine.psci_smc)
        __asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    else
        __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    return (i64)x0;
}

i64 psci_cpu_on(u64 affinity, paddr entry, u64 context) { return call(CPU_ON, affinity, entry, context); }

noreturn void arch_power_off(void) {
    call(SYSTEM_OFF, 0, 0, 0);
    arch_park();
}

noreturn void arch_restart(void) {
    call(SYSTEM_RESET, 0, 0, 0);
    arch_park();
}

void arch_exit_device(u32 status) { semihosting_exit(status); }
