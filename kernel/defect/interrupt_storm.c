/* The serial port's transmitter interrupt, a level, is let in on the test's CPU, whose handler knows the receiver's
 * alone: it comes again before the interrupted code gets on. The test waits for a transmission that nobody reports. */
#include "defect.h"

#include "arch.h"

static u32 transmitted; /* the handler would set it */

static void wait_for_transmission(struct trap_frame *frame) {
    arch_interrupts_disable(); /* not to be moved in between */
    arch_defect_storm();
    arch_interrupts_enable();
    while (__atomic_load_n(&transmitted, __ATOMIC_RELAXED) == 0) arch_relax();
}

const struct defect defect_interrupt_storm = {
    .name = "interrupt-storm",
    .sentence = "a device interrupt of the test's CPU is never acknowledged at its source",
    .place = DEFECT_IN_CALL,
    .strike = wait_for_transmission,
};
