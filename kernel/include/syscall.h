/* System calls: Linux's semantics on both architectures, each with its own numbers.
 *
 * A call takes its six raw arguments and returns a value, or -errno ("errno.h"). The table from number to
 * function is the architecture's (arch/<a>/syscall_table.c); a number that is not in it is -ENOSYS. What one
 * table lacks is what that port has not reached.
 */
#pragma once

#include "types.h"

typedef i64 (*syscall_function)(const u64 argument[6]);

#define SYSCALL(name) i64 sys_##name(const u64 argument[6])
