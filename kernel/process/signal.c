/* Signals: sending, and delivering on the way back to user space. The calls are in signal_calls.c. */
#include "signal.h"

#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "private.h"
#include "process.h"
#include "scheduler.h"
#include "trace.h"

#define STOP_SIGNALS       (signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU))
#define IGNORED_BY_DEFAULT (signal_bit(SIGCHLD) | signal_bit(SIGCONT) | signal_bit(SIGURG) | signal_bit(SIGWINCH))
#define FAULT_SIGNALS                                                                                                  \
    (signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) | signal_bit(SIGFPE) | signal_bit(SIGTRAP))
#define UNBLOCKABLE (signal_bit(SIGKILL) | signal_bit(SIGSTOP))

static u64 deliverable(const struct process *process) {
    const struct signal_state *signals = &process->private->signals;
    u64 pending = __atomic_load_n(&signals->pending, __ATOMIC_ACQUIRE);
    return pending & ~__atomic_load_n(&signals->blocked, __ATOMIC_RELAXED);
}

bool signal_is_deliverable(const struct process *process) { return deliverable(process) != 0; }

bool signal_pending(void) {
    struct process *process = current_process();
    return process != NULL && deliverable(process) != 0;
}

static bool is_ignored(const struct process *process, int signal) {
    u64 handler = process->private->signals.actions[signal].handler;
    return handler == SIG_IGN || (handler == SIG_DFL && (signal_bit(signal) & IGNORED_BY_DEFAULT) != 0);
}

bool signal_is_ignored_or_blocked(int signal) {
    struct process *process = current_process();
    u64 interrupts = spin_lock(&process_lock);
    struct signal_state *signals = &process->private->signals;
    bool result = (signals->blocked & signal_bit(signal)) != 0 || signals->actions[signal].handler == SIG_IGN;
    spin_unlock(&process_lock, interrupts);
    return result;
}

/* A stopped process goes on. */
static void resume(struct process *process) {
    if (process->private->state != PROCESS_STOPPED) return;
    process->private->state = PROCESS_ALIVE;
    process->private->report_stop = false;
    wake_all(&process->private->continue_wait);
}

void signal_send_locked(struct process *process, const struct signal_info *info) {
    struct process_private *private = process->private;
    struct signal_state *signals = &private->signals;
    int signal = info->signal;
    if (signal == 0 || private->state == PROCESS_ZOMBIE) return;
    u64 bit = signal_bit(signal);
    /* init has no default deaths: a stray signal must not take the system down. */
    if (process == init_process && signals->actions[signal].handler == SIG_DFL && (bit & FAULT_SIGNALS) == 0) return;

    if (signal == SIGCONT) {
        signals->pending &= ~STOP_SIGNALS;
        if (private->state == PROCESS_STOPPED) {
            resume(process);
            private->report_continue = true;
            process_notify_parent(process, CLD_CONTINUED);
        }
    }
    if ((bit & STOP_SIGNALS) != 0) signals->pending &= ~signal_bit(SIGCONT);
    if (signal == SIGKILL) resume(process);

    bool blocked = (signals->blocked & bit) != 0;
    if (!blocked && is_ignored(process, signal) && (signals->awaited & bit) == 0) return;
    if ((signals->pending & bit) == 0) signals->info[signal] = *info; /* the first of several is kept */
    __atomic_fetch_or(&signals->pending, bit, __ATOMIC_RELEASE);
    if ((signals->awaited & bit) != 0) wake_all(&private->signal_wait);
    if (!blocked) thread_interrupt(process->thread);
}

static struct signal_info from_kernel(int signal) {
    return (struct signal_info){ .signal = signal, .code = SI_KERNEL };
}

int signal_send(struct process *process, int signal) {
    struct signal_info info = from_kernel(signal);
    u64 interrupts = spin_lock(&process_lock);
    bool gone = process->private->state == PROCESS_ZOMBIE;
    signal_send_locked(process, &info);
    spin_unlock(&process_lock, interrupts);
    return gone ? -ESRCH : 0;
}

void signal_send_group_locked(u32 pgid, int signal, int *found) {
    struct signal_info info = from_kernel(signal);
    for (struct process *process = all_processes; process != NULL; process = process->private->next) {
        if (process->pgid != pgid || process->private->state == PROCESS_ZOMBIE) continue;
        ++*found;
        signal_send_locked(process, &info);
    }
}

int signal_send_group(u32 pgid, int signal) {
    int found = 0;
    u64 interrupts = spin_lock(&process_lock);
    signal_send_group_locked(pgid, signal, &found);
    spin_unlock(&process_lock, interrupts);
    return found > 0 ? 0 : -ESRCH;
}

void signal_set_blocked(struct process *process, u64 mask) {
    __atomic_store_n(&process->private->signals.blocked, mask & ~UNBLOCKABLE, __ATOMIC_RELAXED);
}

void signal_mask_temporarily(u64 mask) {
    struct process *process = current_process();
    u64 interrupts = spin_lock(&process_lock);
    struct signal_state *signals = &process->private->signals;
    if (!signals->restore_mask) signals->saved_mask = signals->blocked;
    signals->restore_mask = true;
    signal_set_blocked(process, mask);
    spin_unlock(&process_lock, interrupts);
}

/* Handlers go with the program that had them; ignored signals stay ignored. */
void signal_reset_for_exec(struct process *process) {
    struct signal_state *signals = &process->private->signals;
    for (int signal = 1; signal <= SIGNALS; signal++) {
        u64 handler = signals->actions[signal].handler;
        signals->actions[signal] = (struct signal_action){ .handler = handler == SIG_IGN ? SIG_IGN : SIG_DFL };
    }
    signals->stack = (struct signal_stack){ .flags = SS_DISABLE };
}

u64 signal_take(struct process *process, u64 set, struct signal_info *info) {
    struct signal_state *signals = &process->private->signals;
    u64 ready = signals->pending & set;
    if (ready == 0) return 0;
    /* SIGKILL first; then faults, whose handlers expect the program where it faulted; then by number. */
    u64 first = ready & signal_bit(SIGKILL) ? signal_bit(SIGKILL)
                : ready & FAULT_SIGNALS     ? ready & FAULT_SIGNALS
                                            : ready;
    u64 bit = first & -first;
    *info = signals->info[__builtin_ctzl(bit) + 1];
    __atomic_fetch_and(&signals->pending, ~bit, __ATOMIC_RELAXED);
    return bit;
}

/* The default action of a stop signal: tell the parent, and wait for SIGCONT or SIGKILL. */
static void stop_here(struct process *process, int signal, u64 *interrupts) {
    struct process_private *private = process->private;
    private->state = PROCESS_STOPPED;
    private->wait_status = signal << 8 | 0x7f;
    private->report_stop = true;
    private->report_continue = false;
    process_notify_parent(process, CLD_STOPPED);
    process->thread->uninterruptible = true;
    while (private->state == PROCESS_STOPPED) {
        wait_on(&private->continue_wait, &process_lock, interrupts, 0);
    }
    process->thread->uninterruptible = false;
}

static noreturn void die(struct trap_frame *frame, struct process *process, const struct signal_info *info) {
    if ((signal_bit(info->signal) & FAULT_SIGNALS) != 0 && info->code > SI_USER && info->code != SI_KERNEL) {
        trace(TRACE_DATA_ABORT, trace_pair(process->pid, (u32)info->signal));
        kprint("pid %u (%s): signal %d at pc 0x%lx, address 0x%lx\n", process->pid, process->name, info->signal,
               arch_frame_pc(frame), info->address);
    }
    process_exit(info->signal);
}

/* What becomes of the interrupted call when its process goes on in a handler. */
static void settle_syscall(struct trap_frame *frame, struct process_private *private,
                           const struct signal_action *action) {
    if (!private->syscall_interrupted) return;
    private->syscall_interrupted = false;
    private->sleep_deadline_ns = 0;
    if (private->syscall_restartable && (action->flags & SA_RESTART) != 0) arch_frame_restart_syscall(frame);
}

static void run_handler(struct trap_frame *frame, struct process *process, struct signal_delivery *delivery) {
    struct signal_state *signals = &process->private->signals;
    int signal = delivery->signal;
    settle_syscall(frame, process->private, &delivery->action);
    delivery->stack = signals->stack;
    vaddr sp = arch_frame_user_sp(frame);
    bool on_stack = signals->stack.flags != SS_DISABLE && sp > signals->stack.base &&
                    sp <= signals->stack.base + signals->stack.size;
    bool switch_stack = (delivery->action.flags & SA_ONSTACK) != 0 && signals->stack.flags != SS_DISABLE &&
                        signals->stack.size != 0 && !on_stack;
    delivery->top = switch_stack ? signals->stack.base + signals->stack.size : sp;
    if (arch_signal_push(frame, delivery) == 0) return;
    /* No room for the frame: SIGSEGV, and no handler can run for that either. */
    struct signal_info info = { .signal = SIGSEGV, .code = SEGV_MAPERR, .address = delivery->top };
    kprint("pid %u (%s): no stack for the handler of signal %d\n", process->pid, process->name, signal);
    die(frame, process, &info);
}

/* Take one signal. False when there is none. */
static bool deliver_one(struct trap_frame *frame, struct process *process) {
    struct signal_state *signals = &process->private->signals;
    struct signal_delivery delivery;
    u64 interrupts = spin_lock(&process_lock);
    u64 bit = signal_take(process, ~signals->blocked, &delivery.info);
    if (bit == 0) {
        spin_unlock(&process_lock, interrupts);
        return false;
    }
    int signal = delivery.signal = delivery.info.signal;
    struct signal_action *action = &signals->actions[signal];
    delivery.action = *action;
    if (action->handler > SIG_IGN) {
        delivery.mask = signals->restore_mask ? signals->saved_mask : signals->blocked;
        signals->restore_mask = false;
        u64 blocked = signals->blocked | action->mask;
        if ((action->flags & SA_NODEFER) == 0) blocked |= bit;
        signal_set_blocked(process, blocked);
        if ((action->flags & SA_RESETHAND) != 0) action->handler = SIG_DFL;
        spin_unlock(&process_lock, interrupts);
        run_handler(frame, process, &delivery);
        return true;
    }
    bool ignored = is_ignored(process, signal);
    bool stops = !ignored && (bit & STOP_SIGNALS) != 0;
    if (stops && signal != SIGSTOP) { /* in an orphaned group nobody could continue it */
        spin_unlock(&process_lock, interrupts);
        stops = !process_group_is_orphaned(process->pgid);
        ignored = !stops;
        interrupts = spin_lock(&process_lock);
        /* A SIGCONT or SIGKILL that came meanwhile counts as later than the stop. */
        if ((signals->pending & (signal_bit(SIGCONT) | signal_bit(SIGKILL))) != 0) ignored = true, stops = false;
    }
    if (stops) stop_here(process, signal, &interrupts);
    spin_unlock(&process_lock, interrupts);
    if (!ignored && !stops) die(frame, process, &delivery.info);
    return true;
}

void signal_deliver(struct trap_frame *frame) {
    struct process *process = current_process();
    struct process_private *private = process->private;
    while (deliver_one(frame, process)) {}
    /* No handler took it: the call starts again as if nothing had been. */
    if (private->syscall_interrupted) {
        private->syscall_interrupted = false;
        arch_frame_restart_syscall(frame);
    }
    u64 interrupts = spin_lock(&process_lock);
    if (private->signals.restore_mask) {
        private->signals.restore_mask = false;
        signal_set_blocked(process, private->signals.saved_mask);
    }
    spin_unlock(&process_lock, interrupts);
}

void signal_fault(struct trap_frame *frame, int signal, int code, vaddr address) {
    struct process *process = current_process();
    struct signal_state *signals = &process->private->signals;
    struct signal_info info = { .signal = signal, .code = code };
    info.address = address;
    if (signal == SIGKILL)
        kprint("pid %u (%s): out of memory at address 0x%lx\n", process->pid, process->name, address);
    u64 interrupts = spin_lock(&process_lock);
    u64 bit = signal_bit(signal);
    if ((signals->blocked & bit) != 0 || signals->actions[signal].handler == SIG_IGN) {
        signals->actions[signal].handler = SIG_DFL;
        signal_set_blocked(process, signals->blocked & ~bit);
    }
    signals->info[signal] = info;
    __atomic_fetch_or(&signals->pending, bit, __ATOMIC_RELEASE);
    spin_unlock(&process_lock, interrupts);
}
