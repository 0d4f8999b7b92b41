/* A read that nobody completes: from a pipe whose other end is open, and never written to. */
#include "defect.h"

#include "pipe_read.h"

static void read_for_ever(struct trap_frame *frame) { defect_read_empty_pipe(frame, 0); }

const struct defect defect_blocked_in_syscall = {
    .name = "blocked-in-syscall",
    .sentence = "the test blocks in a read that nobody completes",
    .place = DEFECT_BEFORE_CALL,
    .strike = read_for_ever,
};
