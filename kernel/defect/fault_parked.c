/* A data abort of the kernel whose handler says so in one line, and parks this CPU alone: from outside it looks like a
 * hang. */
#include "defect.h"

#include "arch.h"
#include "kernel.h"

static void *volatile no_object;

static void follow_null(struct trap_frame *frame) {
    arch_interrupts_disable(); /* so that the fault's own registers stay what they are */
    volatile u64 *field = (volatile u64 *)((char *)no_object + 0x18);
    *field = 1;
}

static bool park(struct trap_frame *frame, vaddr address) {
    if (arch_frame_from_user(frame) || arch_has_fixup(frame)) return false;
    kprint("unhandled data abort: address 0x%lx, pc 0x%lx\n", address, arch_frame_pc(frame));
    arch_park();
}

const struct defect defect_fault_parked = {
    .name = "fault-parked",
    .sentence = "the kernel faults in a system call of the test, and its handler halts the CPU",
    .place = DEFECT_IN_CALL,
    .strike = follow_null,
    .page_fault = park,
};
