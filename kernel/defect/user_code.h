/* For defects that change the test's own program. */
#pragma once

#include "defect.h"

/* Writes `code` where the system call under way returns to. The page is private to the test and what it forks. */
bool defect_patch_return(struct trap_frame *frame, const struct defect_code *code);
