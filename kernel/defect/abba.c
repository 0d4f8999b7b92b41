/* Two CPUs, two locks, opposite orders. Each waits, its first lock held, until the other has its own: what is a matter
 * of nanoseconds in a real race is certain here. */
#include "defect.h"

#include "../process/private.h"
#include "arch.h"
#include "cpu.h"
#include "inode.h"
#include "kernel.h"

static u32 first_locks_held;

static noreturn void lock_both(struct spinlock *first, struct spinlock *second) {
    spin_lock(first);
    __atomic_add_fetch(&first_locks_held, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&first_locks_held, __ATOMIC_SEQ_CST) < 2) arch_relax();
    spin_lock(second);
    panic("both sides of a deadlock went on");
}

static void lock_tree_then_process(void *unused) { lock_both(&tree_lock, &process_lock); }

static void lock_process_then_tree(struct trap_frame *frame) {
    if (cpus_online < 2) {
        kprint("defect=abba needs two CPUs\n");
        return;
    }
    if (kernel_thread_create("abba", lock_tree_then_process, NULL) == NULL) return;
    /* Not before it runs, elsewhere: one that is started here would never get this CPU. */
    while (__atomic_load_n(&first_locks_held, __ATOMIC_SEQ_CST) == 0) arch_relax();
    lock_both(&process_lock, &tree_lock);
}

const struct defect defect_abba = {
    .name = "abba",
    .sentence = "two CPUs take two locks in opposite order, interrupts off",
    .place = DEFECT_IN_CALL,
    .strike = lock_process_then_tree,
};
