/* Slow, and alive: each system call of a test, and of what it forks, sleeps first. All ends well, but late. */
#include "defect.h"

#include "arch.h"
#include "process.h"

#define DELAY_NS 50000000ul

static void sleep_first(struct trap_frame *frame) {
    struct thread *thread = current_thread();
    thread->uninterruptible = true; /* signals wait, too */
    sleep_until(arch_clock_ns() + DELAY_NS);
    thread->uninterruptible = false;
}

const struct defect defect_slow = {
    .name = "slow",
    .sentence = "each system call of a test takes 50 ms longer",
    .place = DEFECT_IN_CALL,
    .every_call = true,
    .strike = sleep_first,
};
