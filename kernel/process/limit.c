/* Resource limits: kept for all of Linux's numbers, enforced for the address space (memory/mmap.c), open files
 * (fs/file.c) and processes (fork.c). The stack's size is fixed. */
#include "arch.h"
#include "errno.h"
#include "private.h"
#include "process.h"
#include "syscall.h"

#define UNLIMITED (~0ul)

void process_set_default_limits(struct process *process) {
    for (unsigned resource = 0; resource < LIMITS; resource++) {
        u64 value = resource == LIMIT_STACK       ? USER_STACK_SIZE
                    : resource == LIMIT_CORE      ? 0
                    : resource == LIMIT_PROCESSES ? MAX_PROCESSES
                    : resource == LIMIT_FILES     ? MAX_FILES
                                                  : UNLIMITED;
        process->private->limits[resource][0] = process->private->limits[resource][1] = value;
    }
}

u64 process_limit(unsigned resource) { return current_process()->private->limits[resource][0]; }

static i64 set_limit(u64 resource, u64 soft, u64 hard) {
    struct process *process = current_process();
    u64 *limit = process->private->limits[resource];
    if (soft > hard) return -EINVAL;
    if (hard > limit[1] && process->uid != 0) return -EPERM;
    if (resource == LIMIT_STACK && (soft != limit[0] || hard != limit[1])) return -EINVAL;
    if (resource == LIMIT_FILES && hard > MAX_FILES) return -EPERM; /* Linux has its nr_open here */
    limit[0] = soft;
    limit[1] = hard;
    return 0;
}

SYSCALL(getrlimit) {
    if (argument[0] >= LIMITS) return -EINVAL;
    return copy_to_user(argument[1], current_process()->private->limits[argument[0]], 2 * sizeof(u64));
}

SYSCALL(setrlimit) {
    u64 limit[2];
    if (argument[0] >= LIMITS) return -EINVAL;
    if (copy_from_user(limit, argument[1], sizeof(limit)) != 0) return -EFAULT;
    return set_limit(argument[0], limit[0], limit[1]);
}

SYSCALL(prlimit64) {
    u64 old[2], new[2];
    if (argument[1] >= LIMITS) return -EINVAL;
    if ((i32)argument[0] != 0 && (u32)argument[0] != current_process()->pid) return -EPERM;
    if (argument[2] != 0 && copy_from_user(new, argument[2], sizeof(new)) != 0) return -EFAULT;
    old[0] = current_process()->private->limits[argument[1]][0];
    old[1] = current_process()->private->limits[argument[1]][1];
    i64 error = argument[2] != 0 ? set_limit(argument[1], new[0], new[1]) : 0;
    if (error != 0) return error;
    return argument[3] == 0 ? 0 : copy_to_user(argument[3], old, sizeof(old));
}
