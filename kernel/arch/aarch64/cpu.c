/* CPUs: starting them, their interrupt state, messages between them. */
#include "aarch64.h"

#include "cpu.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"
#include "scheduler.h"

unsigned arch_cpu_id(void) { return (unsigned)current_thread()->cpu; }
unsigned arch_cpus_present(void) { return machine.cpu_count; }

u64 arch_interrupts_save(void) {
    u64 state = read_register(daif);
    __asm__ volatile("msr daifset, #2" ::: "memory");
    return state;
}

void arch_interrupts_restore(u64 state) { write_register(daif, state); }
bool arch_interrupts_enabled(void) { return (read_register(daif) & 0x80) == 0; }
void arch_interrupts_enable(void) { __asm__ volatile("msr daifclr, #2" ::: "memory"); }
void arch_interrupts_disable(void) { __asm__ volatile("msr daifset, #2" ::: "memory"); }

/* WFI ends at a pending interrupt even while it is masked, so none that comes before it is slept through. */
void arch_wait_for_interrupt(void) { __asm__ volatile("dsb sy; wfi; msr daifclr, #2" ::: "memory"); }

noreturn void arch_park(void) {
    arch_interrupts_disable();
    for (;;) __asm__ volatile("wfi");
}

void arch_send_reschedule(unsigned cpu) { gic_send(cpu, IPI_RESCHEDULE); }

void arch_stop_other_cpus(void) {
    for (unsigned cpu = 0; cpu < cpus_online; cpu++) {
        if (cpu != arch_cpu_id()) gic_send(cpu, IPI_STOP);
    }
}

/* What boot_secondary reads, with its caches off. */
static struct {
    struct thread *idle;
    void *stack_end;
} secondary_start[MAX_CPUS] __attribute__((aligned(64)));

static bool start_cpu(unsigned cpu) {
    struct thread *idle = idle_thread_create(cpu);
    secondary_start[cpu].idle = idle;
    secondary_start[cpu].stack_end = (char *)idle->kernel_stack + KERNEL_STACK_SIZE;
    __asm__ volatile("dc cvac, %0; dsb sy" ::"r"(&secondary_start[cpu]) : "memory");
    i64 error =
        psci_cpu_on(machine.cpu_affinity[cpu], virt_to_phys(boot_secondary), virt_to_phys(&secondary_start[cpu]));
    u64 deadline = arch_clock_ns() + 1000000000ul;
    while (error == 0 && !__atomic_load_n(&cpus[cpu].online, __ATOMIC_ACQUIRE)) {
        if (arch_clock_ns() > deadline) error = -1;
        arch_relax();
    }
    if (error != 0) kprint("CPU %u does not start: PSCI error %ld\n", cpu, error);
    return error == 0;
}

/* CPU numbers are without holes: the first that does not start ends the row. */
unsigned arch_start_cpus(void) {
    gic_start();
    gic_start_cpu();
    for (unsigned cpu = 1; cpu < machine.cpu_count; cpu++) {
        if (!start_cpu(cpu)) break;
        __atomic_store_n(&cpus_online, cpu + 1, __ATOMIC_RELEASE);
    }
    return cpus_online;
}

noreturn void primary_main(void) {
    mmu_start();
    device_tree_read();
    mmu_map_memory(machine.memory_base, machine.memory_size);
    kernel_main();
    arch_park();
}

noreturn void arch_secondary_main(void) {
    mmu_start();
    gic_start_cpu();
    secondary_main();
    arch_park();
}
