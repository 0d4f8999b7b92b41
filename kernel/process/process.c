/* The process tree and what is found by walking it: ids, groups, sessions. */
#include "process.h"

#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "private.h"
#include "scheduler.h"

struct spinlock process_lock = SPINLOCK_INIT("process");
struct process *all_processes, *init_process;
static u32 count, last_id;

struct space *process_space(struct process *process) {
    return process->private->space;
}
u32 process_count(void) { return __atomic_load_n(&count, __ATOMIC_RELAXED); }

struct process *process_create(const char *name) {
    if (__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) > MAX_PROCESSES) goto no_process;
    struct process *process = kmalloc(sizeof(*process));
    struct process_private *private = kmalloc(sizeof(*private));
    struct thread *thread = thread_create(name);
    if (process == NULL || private == NULL || thread == NULL) {
        if (thread != NULL) thread_destroy(thread);
        kfree(process);
        kfree(private);
        goto no_process;
    }
    process->private = private;
    process->thread = thread;
    thread->process = process;
    string_copy(process->name, name, sizeof(process->name));
    return process;
no_process:
    __atomic_fetch_sub(&count, 1, __ATOMIC_RELAXED);
    return NULL;
}

void process_free(struct process *process) {
    kfree(process->private);
    kfree(process);
    __atomic_fetch_sub(&count, 1, __ATOMIC_RELAXED);
}

/* A number that no process, group or session bears. Small, since the trace keeps 16 bits. */
u32 process_next_id(void) {
    for (;;) {
        last_id = last_id % 32767 + 1;
        bool used = false;
        for (struct process *process = all_processes; process != NULL && !used; process = process->private->next) {
            used = process->pid == last_id || process->pgid == last_id || process->sid == last_id;
        }
        if (!used) return last_id;
    }
}

void process_link(struct process *process, struct process *parent) {
    process->parent = parent;
    process->private->next = all_processes;
    all_processes = process;
    if (parent == NULL) return;
    process->private->next_sibling = parent->private->first_child;
    parent->private->first_child = process;
}

void process_unlink(struct process *process) {
    struct process **link = &all_processes;
    while (*link != process) link = &(*link)->private->next;
    *link = process->private->next;
    if (process->parent == NULL) return;
    link = &process->parent->private->first_child;
    while (*link != process) link = &(*link)->private->next_sibling;
    *link = process->private->next_sibling;
}

struct process *process_find(u32 pid) {
    struct process *process = all_processes;
    while (process != NULL && process->pid != pid) process = process->private->next;
    return process;
}

/* Something that wait4 reports: tell the parent by SIGCHLD, and wake it if it waits. */
void process_notify_parent(struct process *process, int code) {
    struct process *parent = process->parent;
    if (parent == NULL) return;
    const struct signal_action *action = &parent->private->signals.actions[SIGCHLD];
    bool quiet = (code == CLD_STOPPED || code == CLD_CONTINUED) && (action->flags & SA_NOCLDSTOP) != 0;
    if (!quiet) {
        int status = process->private->wait_status;
        struct signal_info info = { .signal = SIGCHLD, .code = code };
        info.sender.pid = process->pid;
        info.sender.uid = process->uid;
        info.sender.status = code == CLD_EXITED      ? status >> 8 & 0xff
                             : code == CLD_KILLED    ? status & 0x7f
                             : code == CLD_CONTINUED ? SIGCONT
                                                     : status >> 8 & 0xff;
        signal_send_locked(parent, &info);
    }
    wake_all(&parent->private->child_wait);
}

bool process_group_exists(u32 pgid, u32 sid) {
    u64 interrupts = spin_lock(&process_lock);
    bool found = false;
    for (struct process *process = all_processes; process != NULL && !found; process = process->private->next) {
        found = process->pgid == pgid && process->sid == sid && process->private->state != PROCESS_ZOMBIE;
    }
    spin_unlock(&process_lock, interrupts);
    return found;
}

/* POSIX: no member has a parent in another group of the same session. */
bool process_group_is_orphaned_locked(u32 pgid) {
    for (struct process *process = all_processes; process != NULL; process = process->private->next) {
        struct process *parent = process->parent;
        if (process->pgid != pgid || process->private->state == PROCESS_ZOMBIE || parent == NULL) continue;
        if (parent->pgid != pgid && parent->sid == process->sid) return false;
    }
    return true;
}

bool process_group_is_orphaned(u32 pgid) {
    u64 interrupts = spin_lock(&process_lock);
    bool orphaned = process_group_is_orphaned_locked(pgid);
    spin_unlock(&process_lock, interrupts);
    return orphaned;
}
