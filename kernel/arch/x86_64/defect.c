/* What the defects on demand need of this architecture. */
#include "defect.h"

#include "x86_64.h"

#include "memory.h"

#define LOCAL_TIMER    0x320
#define TIMER_MASKED   (1u << 16)
#define LEVEL_TRIGGER  (1u << 15)
#define SERIAL_ENABLES 0x3f9
#define ON_DATA        0x01
#define ON_EMPTY       0x02

#define CALL_READ 0

void arch_defect_mask_timer(void) {
    volatile u32 *timer = phys_to_virt(machine.local_apic + LOCAL_TIMER);
    *timer |= TIMER_MASKED;
}

static void io_write(u32 index, u32 value) {
    *(volatile u32 *)phys_to_virt(machine.io_apic) = index;
    *(volatile u32 *)phys_to_virt(machine.io_apic + 0x10) = value;
}

/* The 16550's transmitter is empty, and says so until somebody reads its identification register. */
void arch_defect_storm(void) {
    io_write(0x10 + 2 * machine.serial_gsi + 1, machine.apic_id[arch_cpu_id()] << 24);
    io_write(0x10 + 2 * machine.serial_gsi, VECTOR_SERIAL | LEVEL_TRIGGER);
    port_write_8(SERIAL_ENABLES, ON_DATA | ON_EMPTY);
}

void arch_defect_make_call_read(struct trap_frame *frame, int fd, vaddr to, usize size) {
    frame->rax = frame->original_rax = CALL_READ;
    frame->rdi = (u64)fd;
    frame->rsi = to;
    frame->rdx = size;
}

extern const u8 spin_code[], spin_code_end[], poll_code[], poll_code_end[];

__asm__(".pushsection .rodata\n"
        "spin_code:\n"
        "    pause\n"
        "    jmp     spin_code\n"
        "spin_code_end:\n"
        "poll_code:                      # follows the SYSCALL, which is two bytes\n"
        "    cmpq    $-11, %rax          # -EAGAIN?\n"
        "    movl    $0, %eax            # read\n"
        "    je      poll_code - 2\n"
        "    jmp     .\n"
        "poll_code_end:\n"
        ".popsection");

const struct defect_code arch_defect_spin = { spin_code, spin_code_end };
const struct defect_code arch_defect_poll = { poll_code, poll_code_end };
