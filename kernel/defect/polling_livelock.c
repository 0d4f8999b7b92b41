/* The test polls: it reads from a pipe that is never made ready, gets -EAGAIN, and reads again. The loop is in its own
 * text, around the system call's instruction. */
#include "defect.h"

#include "linux_abi.h"
#include "pipe_read.h"
#include "user_code.h"

static void poll_for_ever(struct trap_frame *frame) {
    if (defect_patch_return(frame, &arch_defect_poll)) defect_read_empty_pipe(frame, O_NONBLOCK);
}

const struct defect defect_polling_livelock = {
    .name = "polling-livelock",
    .sentence = "the test polls with a call that gives EAGAIN for ever",
    .place = DEFECT_BEFORE_CALL,
    .strike = poll_for_ever,
};
