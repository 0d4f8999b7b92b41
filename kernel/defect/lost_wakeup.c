/* waitpid looks for a child that ended, finds none, and goes to sleep without looking again under the same lock: the
 * child's exit, with its wake-up, falls in between. */
#include "defect.h"

#include "../process/private.h"
#include "arch.h"
#include "scheduler.h"

static bool is_awaited(const struct process *child, i64 pid) { return pid <= 0 || child->pid == (u32)pid; }

/* The caller holds process_lock. */
static bool any_awaited_alive(i64 pid) {
    const struct process *child = current_process()->private->first_child;
    for (; child != NULL; child = child->private->next_sibling) {
        if (is_awaited(child, pid) && child->private->state == PROCESS_ALIVE) return true;
    }
    return false;
}

static void miss_the_exit(i64 pid, u64 *interrupts) {
    if (!defect_is_target()) return;
    while (any_awaited_alive(pid) && !signal_pending()) {
        spin_unlock(&process_lock, *interrupts);
        sleep_until(arch_clock_ns() + TICK_NS);
        *interrupts = spin_lock(&process_lock);
    }
    if (!signal_pending()) defect_mark_struck();
}

const struct defect defect_lost_wakeup = {
    .name = "lost-wakeup",
    .sentence = "waitpid sleeps although its child ended between the look and the sleep",
    .wait = miss_the_exit,
};
