/* For defects that have the test read from a pipe that stays empty. */
#pragma once

#include "types.h"

struct trap_frame;

/* Makes a pipe, both of its ends in the test's own table, and the system call under way a read from it. */
bool defect_read_empty_pipe(struct trap_frame *frame, u32 flags);
