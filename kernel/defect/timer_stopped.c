/* The tick of the test's CPU is masked at its timer, and the test waits for it, with interrupts on. The others go on. */
#include "defect.h"

#include "arch.h"
#include "cpu.h"

static void stop_timer_and_wait(struct trap_frame *frame) {
    arch_interrupts_disable(); /* not to be moved in between */
    const struct cpu *cpu = this_cpu();
    u64 before = cpu->ticks;
    arch_defect_mask_timer();
    arch_interrupts_enable();
    while (__atomic_load_n(&cpu->ticks, __ATOMIC_RELAXED) < before + 2) arch_relax();
}

const struct defect defect_timer_stopped = {
    .name = "timer-stopped",
    .sentence = "the timer of the test's CPU is masked, and the test waits for its tick",
    .place = DEFECT_IN_CALL,
    .strike = stop_timer_and_wait,
};
