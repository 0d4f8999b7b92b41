/* From a trap to a call and back. */
#include "syscall.h"

#include "arch.h"
#include "cpu.h"
#include "defect.h"
#include "errno.h"
#include "private.h"
#include "process.h"
#include "scheduler.h"
#include "trace.h"

/* signal(7): "never restarted after being interrupted by a signal handler, regardless of SA_RESTART". */
static bool is_restartable(syscall_function function) {
    static const syscall_function never[] = {
        sys_ppoll, sys_pselect6, sys_nanosleep, sys_clock_nanosleep, sys_rt_sigsuspend, sys_rt_sigtimedwait,
    };
    for (usize index = 0; index < ARRAY_SIZE(never); index++) {
        if (function == never[index]) return false;
    }
    return true;
}

void syscall_dispatch(struct trap_frame *frame) {
    defect_at(DEFECT_BEFORE_CALL, frame);
    u64 number = arch_frame_syscall_number(frame);
    u64 argument[6];
    for (unsigned index = 0; index < 6; index++) argument[index] = arch_frame_argument(frame, index);
    trace_count(&SYSCALL_TOTAL);
    trace(TRACE_SYSCALL_ENTRY, (u32)number);
    defect_at(DEFECT_IN_CALL, frame);

    syscall_function function = number < syscall_table_size ? syscall_table[number] : NULL;
    i64 result = function != NULL ? function(argument) : -ENOSYS;

    trace(TRACE_SYSCALL_EXIT, (u32)result);
    if (function == sys_rt_sigreturn) return; /* it has filled the whole frame */
    struct process_private *private = current_process()->private;
    private->syscall_interrupted = result == -EINTR && function != sys_rt_sigtimedwait;
    private->syscall_restartable = is_restartable(function);
    arch_frame_set_result(frame, result);
}

/* Interrupts are off. What came up while we were in the kernel is done before user code goes on; interrupts stay
 * off between the last look and the return, so nothing is missed: a later signal's interrupt hits user mode. */
void trap_leave_to_user(struct trap_frame *frame) {
    struct process_private *private = current_process()->private;
    for (;;) {
        preempt_if_needed();
        bool work = signal_pending() || private->syscall_interrupted || private->signals.restore_mask;
        if (!work) return;
        arch_interrupts_enable();
        signal_deliver(frame);
        arch_interrupts_disable();
    }
}
