/* A lock that an interrupt takes, too, is held with interrupts on: the tick comes, and waits for the code below it. */
#include "defect.h"

#include "../process/private.h"
#include "arch.h"

static i32 section_cpu = -1; /* where the critical section runs */

static void hold_with_interrupts_on(struct trap_frame *frame) {
    spin_lock(&process_lock);
    __atomic_store_n(&section_cpu, (i32)arch_cpu_id(), __ATOMIC_RELAXED);
    arch_interrupts_enable();
    for (;;) arch_relax();
}

static void lock_in_tick(void) {
    if (__atomic_load_n(&section_cpu, __ATOMIC_RELAXED) != (i32)arch_cpu_id()) return;
    spin_unlock(&process_lock, spin_lock(&process_lock));
}

const struct defect defect_self_deadlock = {
    .name = "self-deadlock",
    .sentence = "the timer interrupt takes a lock that the code it interrupts holds",
    .place = DEFECT_IN_CALL,
    .strike = hold_with_interrupts_on,
    .tick = lock_in_tick,
};
