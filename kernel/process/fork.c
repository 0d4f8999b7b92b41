/* New processes: clone as fork and vfork use it, and the very first one. */
#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "private.h"
#include "process.h"
#include "scheduler.h"
#include "syscall.h"
#include "trace.h"

#define CSIGNAL              0x000000ffu
#define CLONE_VM             0x00000100u
#define CLONE_VFORK          0x00004000u
#define CLONE_SETTLS         0x00080000u
#define CLONE_PARENT_SETTID  0x00100000u
#define CLONE_CHILD_CLEARTID 0x00200000u
#define CLONE_CHILD_SETTID   0x01000000u
#define CLONE_SUPPORTED                                                                                                \
    (CSIGNAL | CLONE_VM | CLONE_VFORK | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID)

struct clone_request {
    u32 flags;
    vaddr stack, parent_tid, child_tid;
    u64 tls;
};

static void copy_identity(struct process *child, const struct process *parent) {
    child->pgid = parent->pgid;
    child->sid = parent->sid;
    child->uid = parent->uid;
    child->gid = parent->gid;
    child->umask = parent->umask;
    child->tty = parent->tty;
    string_copy(child->name, parent->name, sizeof(child->name));
    struct signal_state *to = &child->private->signals, *from = &parent->private->signals;
    to->blocked = from->restore_mask ? from->saved_mask : from->blocked;
    to->stack = from->stack;
    memcpy(child->private->limits, parent->private->limits, sizeof(child->private->limits));
    memcpy(to->actions, from->actions, sizeof(to->actions));
}

/* Everything that can fail, before anybody can see the child. */
static int copy_resources(struct process *child, struct process *parent, const struct clone_request *request) {
    struct space *space = parent->private->space;
    child->private->space = (request->flags & CLONE_VM) != 0 ? space_get(space) : space_copy(space);
    if (child->private->space == NULL) return -ENOMEM;
    child->space = child->private->space->root;
    child->files = file_table_copy(parent->files);
    if (child->files == NULL) {
        space_put(child->private->space);
        return -ENOMEM;
    }
    child->cwd = inode_get(parent->cwd);
    return 0;
}

static void wait_for_vfork(struct process *parent) {
    struct thread *thread = parent->thread;
    u64 interrupts = spin_lock(&process_lock);
    thread->uninterruptible = true;
    while (parent->private->vfork_child != NULL) {
        wait_on(&parent->private->vfork_wait, &process_lock, &interrupts, 0);
    }
    thread->uninterruptible = false;
    spin_unlock(&process_lock, interrupts);
}

void process_end_vfork(struct process *child) {
    struct process *parent = child->private->vfork_parent;
    if (parent == NULL) return;
    child->private->vfork_parent = NULL;
    parent->private->vfork_child = NULL;
    wake_all(&parent->private->vfork_wait);
}

static void set_child_frame(struct process *child, const struct clone_request *request) {
    struct trap_frame frame = *(struct trap_frame *)arch_user_frame(current_thread());
    arch_frame_set_result(&frame, 0);
    if (request->stack != 0) arch_frame_set_user_sp(&frame, request->stack);
    arch_thread_init_fork(child->thread, &frame);
    if ((request->flags & CLONE_SETTLS) != 0) arch_thread_set_tls(child->thread, request->tls);
}

/* RLIMIT_NPROC does not bind root; everybody is bound by MAX_PROCESSES. */
static bool may_fork(const struct process *parent) {
    u64 count = 0;
    u64 interrupts = spin_lock(&process_lock);
    for (const struct process *process = all_processes; process != NULL; process = process->private->next) {
        count += process->uid == parent->uid;
    }
    spin_unlock(&process_lock, interrupts);
    return parent->uid == 0 || count < process_limit(LIMIT_PROCESSES);
}

static i64 process_clone(const struct clone_request *request) {
    struct process *parent = current_process();
    if ((request->flags & ~CLONE_SUPPORTED) != 0 || (request->flags & CSIGNAL) != SIGCHLD) return -EINVAL;
    /* A shared space without the parent asleep would be a thread, and those there are not. */
    if ((request->flags & CLONE_VM) != 0 && (request->flags & CLONE_VFORK) == 0) return -EINVAL;
    trace(TRACE_FORK_ENTRY, parent->pid);
    struct process *child = may_fork(parent) ? process_create(parent->name) : NULL;
    if (child == NULL) {
        trace(TRACE_FORK_EXIT, 0);
        return -EAGAIN;
    }
    int error = copy_resources(child, parent, request);
    if (error != 0) {
        thread_destroy(child->thread);
        process_free(child);
        trace(TRACE_FORK_EXIT, 0);
        return error;
    }
    set_child_frame(child, request);

    u64 interrupts = spin_lock(&process_lock);
    copy_identity(child, parent);
    u32 pid = child->pid = child->thread->tid = process_next_id();
    if ((request->flags & CLONE_CHILD_CLEARTID) != 0) child->private->clear_child_tid = request->child_tid;
    if ((request->flags & CLONE_VFORK) != 0) {
        child->private->vfork_parent = parent;
        parent->private->vfork_child = child;
    }
    process_link(child, parent);
    spin_unlock(&process_lock, interrupts);

    trace_count(&FORK_TOTAL);
    trace(TRACE_FORK_EXIT, pid);
    if ((request->flags & CLONE_PARENT_SETTID) != 0) copy_to_user(request->parent_tid, &pid, sizeof(pid));
    child->private->set_child_tid = (request->flags & CLONE_CHILD_SETTID) != 0 ? request->child_tid : 0;
    thread_start(child->thread); /* `child` may be gone from here on */
    if ((request->flags & CLONE_VFORK) != 0) wait_for_vfork(parent);
    return pid;
}

/* The child's first act, in its own space. */
void process_forked(void) {
    struct process *process = current_process();
    u32 tid = process->pid;
    if (process->private->set_child_tid != 0) copy_to_user(process->private->set_child_tid, &tid, sizeof(tid));
    trace(TRACE_TO_USER, tid);
}

SYSCALL(clone) {
    struct clone_request request = { .flags = (u32)argument[0], .stack = argument[1], .parent_tid = argument[2] };
    arch_clone_arguments(argument, &request.tls, &request.child_tid);
    return process_clone(&request);
}

SYSCALL(fork) { return process_clone(&(struct clone_request){ .flags = SIGCHLD }); }
SYSCALL(vfork) { return process_clone(&(struct clone_request){ .flags = SIGCHLD | CLONE_VM | CLONE_VFORK }); }

struct process *process_start_init(void) {
    struct process *process = process_create("init");
    if (process == NULL) panic("no memory for init");
    process->umask = 022;
    process_set_default_limits(process);
    process->cwd = inode_get(vfs_root());
    process->files = file_table_create();
    process->private->space = space_create();
    if (process->files == NULL || process->private->space == NULL) panic("no memory for init");
    process->space = process->private->space->root;
    u64 interrupts = spin_lock(&process_lock);
    process->pid = process->pgid = process->sid = process->thread->tid = process_next_id();
    process_link(process, NULL);
    init_process = process;
    spin_unlock(&process_lock, interrupts);
    arch_thread_init_kernel(process->thread, process_run_init, NULL);
    thread_start(process->thread);
    return process;
}
