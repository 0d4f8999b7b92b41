/* What the defects on demand need of this architecture. */
#include "defect.h"

#include "aarch64.h"

#define GICD_ITARGETSR 0x800
#define GICD_IROUTER   0x6000

#define UART_INTERRUPT_MASK 0x38
#define RECEIVE_INTERRUPTS  0x50
#define TRANSMIT_INTERRUPT  0x20

#define CALL_READ 63

void arch_defect_mask_timer(void) {
    write_register(cntv_ctl_el0, 3); /* ENABLE, IMASK: ISTATUS comes, the interrupt does not */
    __asm__ volatile("isb");
}

/* The PL011's transmitter has interrupted since the first character was sent; only the mask held it back. */
void arch_defect_storm(void) {
    unsigned cpu = arch_cpu_id();
    if (machine.gic_version == 3) {
        *(volatile u64 *)device_register(machine.gic_distributor, GICD_IROUTER + UART_INTERRUPT * 8ul) =
            machine.cpu_affinity[cpu] & 0xff00ffffff;
    } else {
        ((volatile u8 *)device_register(machine.gic_distributor, GICD_ITARGETSR))[UART_INTERRUPT] = (u8)(1 << cpu);
    }
    device_write(UART_BASE, UART_INTERRUPT_MASK, RECEIVE_INTERRUPTS | TRANSMIT_INTERRUPT);
}

void arch_defect_make_call_read(struct trap_frame *frame, int fd, vaddr to, usize size) {
    frame->x[8] = CALL_READ;
    frame->x[0] = frame->original_x0 = (u64)fd;
    frame->x[1] = to;
    frame->x[2] = size;
    frame->x[9] = (u64)fd; /* for poll_code: a call changes x0 alone */
}

extern const u8 spin_code[], spin_code_end[], poll_code[], poll_code_end[];

__asm__(".pushsection .rodata\n"
        "    .balign 4\n"
        "spin_code:\n"
        "    nop\n"
        "    b       spin_code\n"
        "spin_code_end:\n"
        "poll_code:                      // follows the SVC\n"
        "    cmn     x0, #11             // -EAGAIN?\n"
        "    mov     x0, x9\n"
        "    b.eq    poll_code - 4\n"
        "    b       .\n"
        "poll_code_end:\n"
        ".popsection");

const struct defect_code arch_defect_spin = { spin_code, spin_code_end };
const struct defect_code arch_defect_poll = { poll_code, poll_code_end };
