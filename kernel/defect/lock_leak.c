/* A guard that is never dropped: exec takes the file system's lock, and leaves for user space without giving it back.
 * Whoever looks up a path next spins, with interrupts as they were, so its CPU goes on ticking. The holder runs on, and
 * ends; no stack shows it. */
#include "defect.h"

#include "arch.h"
#include "inode.h"

static void leak(struct trap_frame *frame) { arch_interrupts_restore(spin_lock(&tree_lock)); }

const struct defect defect_lock_leak = {
    .name = "lock-leak",
    .sentence = "exec enters the test without releasing the file system's lock",
    .place = DEFECT_AT_EXEC,
    .strike = leak,
};
