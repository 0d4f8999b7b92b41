/* Slow, and alive: each system call of a test, and of what it forks, sleeps first. All ends well, but late. The return
 * from a signal's handler is spared: at a timer's next signal it would be late already, and no test would get on. */
#include "defect.h"

#include "arch.h"
#include "process.h"
#include "syscall.h"

#define DELAY_NS 50000000ul

static void sleep_first(struct trap_frame *frame) {
    u64 number = arch_frame_syscall_number(frame);
    if (number < syscall_table_size && syscall_table[number] == sys_rt_sigreturn) return;
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
