/* The test itself spins: a stray write has made two instructions of its text, where a system call returns to, a loop. */
#include "defect.h"

#include "user_code.h"

static void patch_loop(struct trap_frame *frame) { defect_patch_return(frame, &arch_defect_spin); }

const struct defect defect_user_spin = {
    .name = "user-spin",
    .sentence = "the test loops in user mode, in its own text",
    .place = DEFECT_BEFORE_CALL,
    .strike = patch_loop,
};
