/* Interrupts left off in a loop: it waits for a tick of its own CPU, which cannot come. */
#include "defect.h"

#include "arch.h"
#include "cpu.h"

static void wait_for_tick_with_interrupts_off(struct trap_frame *frame) {
    arch_interrupts_disable();
    const struct cpu *cpu = this_cpu();
    u64 before = cpu->ticks;
    while (__atomic_load_n(&cpu->ticks, __ATOMIC_RELAXED) < before + 2) arch_relax();
}

const struct defect defect_irq_off_loop = {
    .name = "irq-off-loop",
    .sentence = "a CPU waits in a loop for its own tick, with interrupts off",
    .place = DEFECT_IN_CALL,
    .strike = wait_for_tick_with_interrupts_off,
};
