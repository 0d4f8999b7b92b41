/* The system calls about signals. */
#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "private.h"
#include "process.h"
#include "scheduler.h"
#include "signal.h"
#include "syscall.h"

#define MASK_SIZE sizeof(u64)

static bool is_signal(u64 number) { return number >= 1 && number <= SIGNALS; }

SYSCALL(rt_sigaction) {
    struct process *process = current_process();
    struct signal_state *signals = &process->private->signals;
    int signal = (int)argument[0];
    struct signal_action new, old;
    if (argument[3] != MASK_SIZE || !is_signal(argument[0])) return -EINVAL;
    if (argument[1] != 0) {
        if (signal == SIGKILL || signal == SIGSTOP) return -EINVAL;
        if (copy_from_user(&new, argument[1], sizeof(new)) != 0) return -EFAULT;
    }
    u64 interrupts = spin_lock(&process_lock);
    old = signals->actions[signal];
    if (argument[1] != 0) {
        new.mask &= ~(signal_bit(SIGKILL) | signal_bit(SIGSTOP));
        signals->actions[signal] = new;
        bool default_ignored = signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH;
        if (new.handler == SIG_IGN || (new.handler == SIG_DFL &&default_ignored)) {
            __atomic_fetch_and(&signals->pending, ~signal_bit(signal), __ATOMIC_RELAXED);
        }
    }
    spin_unlock(&process_lock, interrupts);
    return argument[2] != 0 && copy_to_user(argument[2], &old, sizeof(old)) != 0 ? -EFAULT : 0;
}

SYSCALL(rt_sigprocmask) {
    enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
    struct process *process = current_process();
    u64 set = 0;
    if (argument[3] != MASK_SIZE) return -EINVAL;
    if (argument[1] != 0) {
        if (copy_from_user(&set, argument[1], sizeof(set)) != 0) return -EFAULT;
        if (argument[0] > SIG_SETMASK) return -EINVAL;
    }
    u64 interrupts = spin_lock(&process_lock);
    u64 old = process->private->signals.blocked;
    if (argument[1] != 0) {
        u64 mask = argument[0] == SIG_BLOCK ? old | set : argument[0] == SIG_UNBLOCK ? old & ~set : set;
        signal_set_blocked(process, mask);
    }
    spin_unlock(&process_lock, interrupts);
    return argument[2] != 0 && copy_to_user(argument[2], &old, sizeof(old)) != 0 ? -EFAULT : 0;
}

SYSCALL(rt_sigpending) {
    const struct signal_state *signals = &current_process()->private->signals;
    u64 pending = __atomic_load_n(&signals->pending, __ATOMIC_RELAXED) & signals->blocked;
    if (argument[1] > MASK_SIZE) return -EINVAL;
    return copy_to_user(argument[0], &pending, argument[1]) != 0 ? -EFAULT : 0;
}

SYSCALL(rt_sigsuspend) {
    u64 mask;
    if (argument[1] != MASK_SIZE) return -EINVAL;
    if (copy_from_user(&mask, argument[0], sizeof(mask)) != 0) return -EFAULT;
    struct process_private *private = current_process()->private;
    signal_mask_temporarily(mask);
    u64 interrupts = spin_lock(&process_lock);
    while (wait_on(&private->signal_wait, &process_lock, &interrupts, 0) != -EINTR) {}
    spin_unlock(&process_lock, interrupts);
    return -EINTR;
}

SYSCALL(rt_sigtimedwait) {
    struct process *process = current_process();
    struct process_private *private = process->private;
    u64 set, deadline_ns = 0;
    if (argument[3] != MASK_SIZE) return -EINVAL;
    if (copy_from_user(&set, argument[0], sizeof(set)) != 0) return -EFAULT;
    set &= ~(signal_bit(SIGKILL) | signal_bit(SIGSTOP));
    if (argument[2] != 0) {
        i64 timeout[2];
        if (copy_from_user(timeout, argument[2], sizeof(timeout)) != 0) return -EFAULT;
        if (timeout[0] < 0 || timeout[1] < 0 || timeout[1] >= 1000000000) return -EINVAL;
        deadline_ns = arch_clock_ns() + (u64)timeout[0] * 1000000000ul + (u64)timeout[1];
    }
    struct signal_info info;
    int error = 0;
    u64 interrupts = spin_lock(&process_lock);
    private->signals.awaited = set;
    for (;;) {
        if (signal_take(process, set, &info) != 0) {
            error = 0; /* also one that came with the end of the wait */
            break;
        }
        if (error != 0) break;
        error = wait_on(&private->signal_wait, &process_lock, &interrupts, deadline_ns);
    }
    private->signals.awaited = 0;
    spin_unlock(&process_lock, interrupts);
    if (error != 0) return error == -ETIMEDOUT ? -EAGAIN : -EINTR;
    if (argument[1] != 0 && copy_to_user(argument[1], &info, sizeof(info)) != 0) return -EFAULT;
    return info.signal;
}

SYSCALL(rt_sigreturn) {
    struct process *process = current_process();
    struct trap_frame *frame = arch_user_frame(current_thread());
    u64 mask;
    if (arch_signal_return(frame, &mask) != 0) {
        signal_fault(frame, SIGSEGV, SEGV_MAPERR, arch_frame_user_sp(frame));
        return 0;
    }
    process->private->syscall_interrupted = false;
    u64 interrupts = spin_lock(&process_lock);
    signal_set_blocked(process, mask);
    spin_unlock(&process_lock, interrupts);
    return 0;
}

SYSCALL(sigaltstack) {
    struct signal_state *signals = &current_process()->private->signals;
    struct signal_stack new, old = signals->stack;
    vaddr sp = arch_frame_user_sp(arch_user_frame(current_thread()));
    bool on_stack = old.flags != SS_DISABLE && sp > old.base && sp <= old.base + old.size;
    if (argument[0] != 0) {
        if (copy_from_user(&new, argument[0], sizeof(new)) != 0) return -EFAULT;
        if (on_stack) return -EPERM;
        if (new.flags != 0 && new.flags != SS_DISABLE &&new.flags != SS_ONSTACK) return -EINVAL;
        if (new.flags != SS_DISABLE &&new.size < MINIMUM_SIGNAL_STACK) return -ENOMEM;
        new.flags &= SS_DISABLE;
        signals->stack = new;
    }
    if (old.size == 0) old.flags = SS_DISABLE;
    if (on_stack) old.flags = SS_ONSTACK;
    return argument[1] != 0 && copy_to_user(argument[1], &old, sizeof(old)) != 0 ? -EFAULT : 0;
}

/* Sending */

static struct signal_info from_self(int signal, int code) {
    struct signal_info info = { .signal = signal, .code = code };
    info.sender.pid = current_process()->pid;
    info.sender.uid = current_process()->uid;
    return info;
}

static bool may_signal(const struct process *target) {
    const struct process *self = current_process();
    return self->uid == 0 || self->uid == target->uid;
}

SYSCALL(kill) {
    i64 pid = (i32)argument[0];
    if (argument[1] != 0 && !is_signal(argument[1])) return -EINVAL;
    struct signal_info info = from_self((int)argument[1], SI_USER);
    struct process *self = current_process();
    unsigned found = 0, permitted = 0;
    u64 interrupts = spin_lock(&process_lock);
    for (struct process *process = all_processes; process != NULL; process = process->private->next) {
        bool wanted = pid > 0    ? process->pid == (u32)pid
                      : pid == 0 ? process->pgid == self->pgid
                      : pid < -1 ? process->pgid == (u32)-pid
                                 : process != init_process && process != self;
        if (!wanted) continue;
        found++;
        if (!may_signal(process)) continue;
        permitted++;
        signal_send_locked(process, &info);
    }
    spin_unlock(&process_lock, interrupts);
    return found == 0 ? -ESRCH : permitted == 0 ? -EPERM : 0;
}

static i64 send_to_thread(i64 tgid, i64 tid, u64 signal) {
    if (tid <= 0 || (signal != 0 && !is_signal(signal))) return -EINVAL;
    struct signal_info info = from_self((int)signal, SI_TKILL);
    u64 interrupts = spin_lock(&process_lock);
    struct process *process = process_find((u32)tid);
    i64 result = -ESRCH;
    if (process != NULL && (tgid < 0 || process->pid == (u32)tgid)) {
        result = may_signal(process) ? 0 : -EPERM;
        if (result == 0) signal_send_locked(process, &info);
    }
    spin_unlock(&process_lock, interrupts);
    return result;
}

SYSCALL(tkill) { return send_to_thread(-1, (i32)argument[0], argument[1]); }

SYSCALL(tgkill) {
    if ((i32)argument[0] <= 0) return -EINVAL;
    return send_to_thread((i32)argument[0], (i32)argument[1], argument[2]);
}
