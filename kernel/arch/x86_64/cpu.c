/* CPUs: starting them, their interrupt state, messages between them, the end. */
#include "x86_64.h"

#include "cpu.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"
#include "scheduler.h"

#define TRAMPOLINE_BASE 0x8000ul

struct cpu_block cpu_blocks[MAX_CPUS];
extern struct thread boot_thread;
extern u8 trampoline_start[], trampoline_end[];
u64 secondary_stack_end; /* for the CPU that is starting; boot.S reads it */
static unsigned starting_cpu;

unsigned arch_cpu_id(void) { return cpu_block()->id; }
unsigned arch_cpus_present(void) { return machine.cpu_count; }

u64 arch_interrupts_save(void) {
    u64 flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
    return flags;
}

void arch_interrupts_restore(u64 state) {
    if ((state & RFLAGS_IF) != 0)
        __asm__ volatile("sti" ::: "memory");
    else
        __asm__ volatile("cli" ::: "memory");
}

bool arch_interrupts_enabled(void) {
    u64 flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
    return (flags & RFLAGS_IF) != 0;
}

void arch_interrupts_enable(void) { __asm__ volatile("sti" ::: "memory"); }
void arch_interrupts_disable(void) { __asm__ volatile("cli" ::: "memory"); }

/* STI takes effect after the next instruction: an interrupt that was pending ends the HLT, it cannot come before it. */
void arch_wait_for_interrupt(void) { __asm__ volatile("sti; hlt" ::: "memory"); }

noreturn void arch_park(void) {
    for (;;) __asm__ volatile("cli; hlt");
}

void arch_send_reschedule(unsigned cpu) { apic_send(cpu_blocks[cpu].apic_id, VECTOR_RESCHEDULE); }

/* By NMI: it also reaches a CPU that spins with interrupts off. */
void arch_stop_other_cpus(void) {
    for (unsigned cpu = 0; cpu < cpus_online; cpu++) {
        if (cpu != arch_cpu_id()) apic_send(cpu_blocks[cpu].apic_id, APIC_COMMAND_NMI);
    }
}

static void fill_block(unsigned cpu, struct thread *current) {
    cpu_blocks[cpu] = (struct cpu_block){
        .self = &cpu_blocks[cpu],
        .current = current,
        .id = cpu,
        .apic_id = machine.apic_id[cpu],
    };
}

static void wait_ns(u64 ns) {
    u64 deadline = arch_clock_ns() + ns;
    while (arch_clock_ns() < deadline) arch_relax();
}

static bool wait_online(unsigned cpu, u64 ns) {
    u64 deadline = arch_clock_ns() + ns;
    while (!__atomic_load_n(&cpus[cpu].online, __ATOMIC_ACQUIRE)) {
        if (arch_clock_ns() > deadline) return false;
        arch_relax();
    }
    return true;
}

/* SDM volume 3, 8.4.4.1: INIT, then the start-up message with the page number, a second time if need be. */
static bool start_cpu(unsigned cpu) {
    struct thread *idle = idle_thread_create(cpu);
    fill_block(cpu, idle);
    secondary_stack_end = (u64)idle->kernel_stack + KERNEL_STACK_SIZE;
    __atomic_store_n(&starting_cpu, cpu, __ATOMIC_SEQ_CST);
    apic_send(machine.apic_id[cpu], APIC_COMMAND_INIT);
    wait_ns(200000);
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        apic_send(machine.apic_id[cpu], APIC_COMMAND_STARTUP | TRAMPOLINE_BASE >> 12);
        if (wait_online(cpu, attempt == 0 ? 100000000 : 1000000000)) return true;
    }
    kprint("CPU %u (APIC %u) does not start\n", cpu, machine.apic_id[cpu]);
    return false;
}

/* CPU numbers are without holes: the first that does not start ends the row. */
unsigned arch_start_cpus(void) {
    memcpy(phys_to_virt(TRAMPOLINE_BASE), trampoline_start, (usize)(trampoline_end - trampoline_start));
    for (unsigned cpu = 1; cpu < machine.cpu_count; cpu++) {
        if (!start_cpu(cpu)) break;
        __atomic_store_n(&cpus_online, cpu + 1, __ATOMIC_RELEASE);
    }
    return cpus_online;
}

noreturn void primary_main(void) {
    fill_block(0, &boot_thread);
    segments_start(0);
    start_info_read();
    mmu_start();
    acpi_read();
    cpu_blocks[0].apic_id = machine.apic_id[0];
    apic_start();
    clock_calibrate();
    kernel_main();
    arch_park();
}

noreturn void arch_secondary_main(void) {
    mmu_load_kernel_root();
    segments_start(starting_cpu);
    apic_start_cpu();
    secondary_main();
    arch_park();
}

/* ACPI's S5: sleep type 0 is what QEMU's DSDT gives for it, with the enable bit. */
noreturn void arch_power_off(void) {
    port_write_16(machine.power_port, 0x2000);
    arch_park();
}

noreturn void arch_restart(void) {
    port_write_8(0xcf9, 0x06); /* ICH9 reset control */
    port_write_8(0x64, 0xfe);  /* the keyboard controller's way */
    arch_park();
}

/* isa-debug-exit: QEMU ends with status << 1 | 1. */
void arch_exit_device(u32 status) { port_write_32(0xf4, status); }
