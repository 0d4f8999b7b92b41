/* The kernel's own end. */
#include "defect.h"

#include "kernel.h"

static void panic_in_call(struct trap_frame *frame) { panic("a system call found the kernel inconsistent"); }

const struct defect defect_panic = {
    .name = "panic",
    .sentence = "a system call of the test panics",
    .place = DEFECT_IN_CALL,
    .strike = panic_in_call,
};
