/* Interrupt controllers: each CPU's local APIC (Intel SDM volume 3, chapter 11) and the I/O APIC (82093AA). */
#include "x86_64.h"

#include "memory.h"

enum {
    LOCAL_END = 0xb0,
    LOCAL_SPURIOUS = 0xf0,
    LOCAL_COMMAND = 0x300,
    LOCAL_COMMAND_TARGET = 0x310,
    LOCAL_TIMER = 0x320,
    LOCAL_LINT0 = 0x350,
    LOCAL_LINT1 = 0x360,
    LOCAL_TIMER_START = 0x380,
    LOCAL_TIMER_NOW = 0x390,
    LOCAL_TIMER_DIVIDE = 0x3e0,
};
#define MASKED         (1u << 16)
#define TIMER_PERIODIC (1u << 17)
#define COMMAND_BUSY   (1u << 12)
#define DIVIDE_BY_16   3u

static volatile u32 *local(unsigned offset) { return phys_to_virt(machine.local_apic + offset); }

static void io_write(u32 index, u32 value) {
    *(volatile u32 *)phys_to_virt(machine.io_apic) = index;
    *(volatile u32 *)phys_to_virt(machine.io_apic + 0x10) = value;
}

/* The old interrupt controllers: out of the way of the exceptions' vectors, and silent. */
static void mask_pic(void) {
    port_write_8(0x21, 0xff);
    port_write_8(0xa1, 0xff);
}

void apic_start(void) {
    mask_pic();
    apic_start_cpu();
}

void apic_start_cpu(void) {
    *local(LOCAL_SPURIOUS) = 0x100 | VECTOR_SPURIOUS; /* on */
    *local(LOCAL_LINT0) = MASKED;
    *local(LOCAL_LINT1) = APIC_COMMAND_NMI;
    *local(LOCAL_TIMER_DIVIDE) = DIVIDE_BY_16;
    *local(LOCAL_TIMER) = MASKED;
}

/* Edge-triggered, active high, to the boot CPU. */
void arch_console_enable_input(void) {
    io_write(0x10 + 2 * machine.serial_gsi + 1, machine.apic_id[0] << 24);
    io_write(0x10 + 2 * machine.serial_gsi, VECTOR_SERIAL);
    port_write_8(0x3f8 + 4, 0x0b); /* OUT2 lets the interrupt out */
    port_write_8(0x3f8 + 1, 0x01); /* on data */
    uart_interrupt();              /* what came before would never raise an edge */
}

void apic_end(void) { *local(LOCAL_END) = 0; }

/* Two registers, so not to be interrupted in between by code that sends, too. */
void apic_send(u32 apic_id, u32 command) {
    u64 interrupts = arch_interrupts_save();
    while ((*local(LOCAL_COMMAND) & COMMAND_BUSY) != 0) arch_relax();
    *local(LOCAL_COMMAND_TARGET) = apic_id << 24;
    *local(LOCAL_COMMAND) = command;
    arch_interrupts_restore(interrupts);
}

u32 apic_timer_count(void) { return *local(LOCAL_TIMER_NOW); }

void apic_timer_set(u32 count, bool periodic) {
    *local(LOCAL_TIMER) = periodic ? VECTOR_TIMER | TIMER_PERIODIC : MASKED;
    *local(LOCAL_TIMER_START) = count;
}
