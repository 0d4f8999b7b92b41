/* Whether the rings keep what is put into them: markers at a given rate on every CPU, read back. */
#pragma once

#include "types.h"

struct file_operations;

extern const struct file_operations trace_device_operations; /* /dev/trace */

extern bool trace_validation_active;
bool trace_validation_tick(void); /* in this CPU's timer interrupt; true when it was not time for a tick */
