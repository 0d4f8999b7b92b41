/* The end of a process, and its parent's wait for it. */
#include "arch.h"
#include "cpu.h"
#include "defect.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "private.h"
#include "process.h"
#include "scheduler.h"
#include "syscall.h"
#include "trace.h"

#define WNOHANG    1
#define WUNTRACED  2 /* waitid: WSTOPPED */
#define WEXITED    4
#define WCONTINUED 8
#define WNOWAIT    0x01000000

__attribute__((weak)) void tty_session_leader_exit(struct process *leader) {}

/* Children go to init. A group that becomes orphaned by this and has a stopped member would never be continued:
 * POSIX has it hung up. */
static void give_children_away(struct process *process) {
    struct process *child;
    while ((child = process->private->first_child) != NULL) {
        process->private->first_child = child->private->next_sibling;
        child->parent = init_process;
        child->private->next_sibling = init_process->private->first_child;
        init_process->private->first_child = child;
        if (child->private->state == PROCESS_ZOMBIE) process_notify_parent(child, CLD_EXITED);
        if (child->private->state == PROCESS_STOPPED && process_group_is_orphaned_locked(child->pgid)) {
            int found = 0;
            signal_send_group_locked(child->pgid, SIGHUP, &found);
            signal_send_group_locked(child->pgid, SIGCONT, &found);
        }
    }
}

/* The parent does not want to know: nobody will wait for us. */
static bool parent_ignores(const struct process *process) {
    const struct signal_action *action = &process->parent->private->signals.actions[SIGCHLD];
    return action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT) != 0;
}

static void release_resources(struct process *process) {
    struct process_private *private = process->private;
    if (process->files != NULL) file_table_destroy(process->files);
    process->files = NULL;
    if (process->cwd != NULL) inode_put(process->cwd);
    process->cwd = NULL;
    if (process->sid == process->pid && process->tty != NULL) tty_session_leader_exit(process);
    u64 interrupts = spin_lock(&process_lock);
    arch_space_switch(0);
    struct space *space = private->space;
    private->space = NULL;
    process->space = 0;
    process_end_vfork(process);
    spin_unlock(&process_lock, interrupts);
    if (space != NULL) space_put(space);
}

noreturn void process_exit(int wait_status) {
    struct thread *thread = current_thread();
    struct process *process = thread->process;
    if (process == init_process) panic("init ended with wait status 0x%x", (unsigned)wait_status);
    trace(TRACE_PROCESS_EXIT, trace_pair(process->pid, (u32)wait_status));
    if (process->private->clear_child_tid != 0) {
        u32 zero = 0;
        copy_to_user(process->private->clear_child_tid, &zero, sizeof(zero));
    }
    release_resources(process);

    u64 interrupts = spin_lock(&process_lock);
    /* From here on the parent may free the process; the thread goes on without it, and without user state. */
    thread->process = NULL;
    process->thread = NULL;
    process->private->wait_status = wait_status;
    process->private->state = PROCESS_ZOMBIE; /* and no member of its group any more, for the next step */
    give_children_away(process);
    bool ignored = parent_ignores(process);
    process_notify_parent(process, (wait_status & 0x7f) != 0 ? CLD_KILLED : CLD_EXITED);
    if (ignored) process_unlink(process);
    spin_unlock(&process_lock, interrupts);
    if (ignored) process_free(process);
    thread_exit();
}

SYSCALL(exit) { process_exit((int)(argument[0] & 0xff) << 8); }
SYSCALL(exit_group) { process_exit((int)(argument[0] & 0xff) << 8); }

/* Waiting */

struct wait_request {
    i64 pid; /* > 0 that child, 0 our group, -1 any, < -1 that group */
    unsigned options;
    int status, code;
    u32 uid;
    u64 user_ticks, system_ticks;
};

static bool is_wanted(const struct process *child, const struct wait_request *request) {
    if (request->pid > 0) return child->pid == (u32)request->pid;
    if (request->pid == 0) return child->pgid == current_process()->pgid;
    return request->pid == -1 || child->pgid == (u32)-request->pid;
}

/* Whether `child` has something to report; takes the report unless WNOWAIT. */
static bool take_report(struct process *child, struct wait_request *request) {
    struct process_private *private = child->private;
    bool keep = (request->options & WNOWAIT) != 0;
    if (private->state == PROCESS_ZOMBIE && (request->options & WEXITED) != 0) {
        request->status = private->wait_status;
        request->code = (request->status & 0x7f) != 0 ? CLD_KILLED : CLD_EXITED;
        return true;
    }
    if (private->report_stop && (request->options & WUNTRACED) != 0) {
        private->report_stop = keep;
        request->status = private->wait_status;
        request->code = CLD_STOPPED;
        return true;
    }
    if (private->report_continue && (request->options & WCONTINUED) != 0) {
        private->report_continue = keep;
        request->status = 0xffff;
        request->code = CLD_CONTINUED;
        return true;
    }
    return false;
}

/* Takes the zombie out of the tree; its record dies with it. */
static void reap(struct process *child, struct wait_request *request) {
    struct process_private *parent = current_process()->private, *private = child->private;
    request->user_ticks = private->user_ticks + private->child_user_ticks;
    request->system_ticks = private->system_ticks + private->child_system_ticks;
    parent->child_user_ticks += request->user_ticks;
    parent->child_system_ticks += request->system_ticks;
    process_unlink(child);
}

/* The child's pid, 0 under WNOHANG, or -errno. */
static i64 wait_for_child(struct wait_request *request) {
    struct process *self = current_process();
    struct process *reaped = NULL;
    i64 result = -ECHILD;
    u64 interrupts = spin_lock(&process_lock);
    for (;;) {
        result = -ECHILD;
        struct process *child = self->private->first_child;
        for (; child != NULL; child = child->private->next_sibling) {
            if (!is_wanted(child, request)) continue;
            result = 0;
            if (take_report(child, request)) break;
        }
        if (child != NULL) {
            result = child->pid;
            request->uid = child->uid;
            if (child->private->state == PROCESS_ZOMBIE && (request->options & WNOWAIT) == 0) {
                reap(child, request);
                reaped = child;
            }
            trace(TRACE_WAITPID_WAKE, trace_pair(current_thread()->tid, (u32)result));
            break;
        }
        if (result < 0 || (request->options & WNOHANG) != 0) break;
        defect_at_wait(request->pid, &interrupts);
        trace(TRACE_WAITPID_BLOCK, trace_pair(current_thread()->tid, request->pid > 0 ? (u32)request->pid : 0));
        result = wait_on(&self->private->child_wait, &process_lock, &interrupts, 0);
        if (result < 0) break;
    }
    spin_unlock(&process_lock, interrupts);
    if (reaped != NULL) process_free(reaped);
    return result;
}

static int write_usage(vaddr to, const struct wait_request *request) {
    u64 usage[18] = { 0 }; /* struct rusage: two timevals, then 14 longs */
    usage[0] = request->user_ticks / 100;
    usage[1] = request->user_ticks % 100 * 10000;
    usage[2] = request->system_ticks / 100;
    usage[3] = request->system_ticks % 100 * 10000;
    return to == 0 ? 0 : copy_to_user(to, usage, sizeof(usage));
}

SYSCALL(wait4) {
    unsigned options = (unsigned)argument[2];
    if ((options & ~(unsigned)(WNOHANG | WUNTRACED | WCONTINUED)) != 0) return -EINVAL;
    struct wait_request request = { .pid = (i32)argument[0], .options = options | WEXITED };
    i64 pid = wait_for_child(&request);
    if (pid <= 0) return pid;
    if (argument[1] != 0 && copy_to_user(argument[1], &request.status, sizeof(int)) != 0) return -EFAULT;
    return write_usage(argument[3], &request) != 0 ? -EFAULT : pid;
}

SYSCALL(waitid) {
    enum { P_ALL, P_PID, P_PGID };
    unsigned options = (unsigned)argument[3];
    if ((options & (WEXITED | WUNTRACED | WCONTINUED)) == 0) return -EINVAL;
    i64 id = (i32)argument[1];
    struct wait_request request = { .options = options };
    switch (argument[0]) {
    case P_ALL: request.pid = -1; break;
    case P_PID: request.pid = id; break;
    case P_PGID: request.pid = -id; break;
    default: return -EINVAL;
    }
    if (argument[0] != P_ALL && id <= 0) return -EINVAL;
    i64 pid = wait_for_child(&request);
    if (pid < 0) return pid;
    struct signal_info info = { 0 };
    if (pid > 0) {
        info.signal = SIGCHLD;
        info.code = request.code;
        info.sender.pid = (u32)pid;
        info.sender.uid = request.uid;
        info.sender.status = request.code == CLD_KILLED      ? request.status & 0x7f
                             : request.code == CLD_CONTINUED ? SIGCONT
                                                             : request.status >> 8 & 0xff;
    }
    if (argument[2] != 0 && copy_to_user(argument[2], &info, sizeof(info)) != 0) return -EFAULT;
    return write_usage(argument[4], &request) != 0 ? -EFAULT : 0;
}
