/* Who a process is: ids, groups, sessions, users. */
#include "arch.h"
#include "errno.h"
#include "private.h"
#include "process.h"
#include "syscall.h"

SYSCALL(getpid) { return current_process()->pid; }
SYSCALL(gettid) { return current_thread()->tid; }
SYSCALL(getuid) { return current_process()->uid; }
SYSCALL(geteuid) { return current_process()->uid; }
SYSCALL(getgid) { return current_process()->gid; }
SYSCALL(getegid) { return current_process()->gid; }
SYSCALL(getgroups) { return 0; }

SYSCALL(getppid) {
    u64 interrupts = spin_lock(&process_lock);
    const struct process *parent = current_process()->parent;
    i64 pid = parent == NULL ? 0 : parent->pid;
    spin_unlock(&process_lock, interrupts);
    return pid;
}

SYSCALL(set_tid_address) {
    current_process()->private->clear_child_tid = argument[0];
    return current_thread()->tid;
}

SYSCALL(set_robust_list) { return argument[1] == 24 ? 0 : -EINVAL; } /* no other thread could see a lock abandoned */

SYSCALL(setuid) {
    struct process *process = current_process();
    if (process->uid != 0 && process->uid != (u32)argument[0]) return -EPERM;
    process->uid = (u32)argument[0];
    return 0;
}

SYSCALL(setgid) {
    struct process *process = current_process();
    if (process->uid != 0 && process->gid != (u32)argument[0]) return -EPERM;
    process->gid = (u32)argument[0];
    return 0;
}

/* Real, effective and saved ids are one here: a call that would tear them apart is refused. */
static i64 set_id(const u64 argument[6], u32 *id) {
    u32 new = *id;
    for (unsigned index = 0; index < 3; index++) {
        if ((u32)argument[index] != ~0u) new = (u32)argument[index];
    }
    for (unsigned index = 0; index < 3; index++) {
        u32 wanted = (u32)argument[index] == ~0u ? *id : (u32)argument[index];
        if (wanted != new) return -EINVAL;
    }
    if (new != *id && current_process()->uid != 0) return -EPERM;
    *id = new;
    return 0;
}

SYSCALL(setresuid) { return set_id(argument, &current_process()->uid); }
SYSCALL(setresgid) { return set_id(argument, &current_process()->gid); }

SYSCALL(setgroups) {
    if (current_process()->uid != 0) return -EPERM;
    return argument[0] == 0 ? 0 : -EINVAL; /* there are none to set */
}

static i64 write_three(const u64 argument[6], u32 id) {
    for (unsigned index = 0; index < 3; index++) {
        if (copy_to_user(argument[index], &id, sizeof(id)) != 0) return -EFAULT;
    }
    return 0;
}

SYSCALL(getresuid) { return write_three(argument, current_process()->uid); }
SYSCALL(getresgid) { return write_three(argument, current_process()->gid); }

static i64 read_id(u64 pid, bool session) {
    if ((i32)pid < 0) return -ESRCH;
    u64 interrupts = spin_lock(&process_lock);
    const struct process *process = (u32)pid == 0 ? current_process() : process_find((u32)pid);
    i64 result = -ESRCH;
    if (process != NULL) result = session ? process->sid : process->pgid;
    spin_unlock(&process_lock, interrupts);
    return result;
}

SYSCALL(getpgid) { return read_id(argument[0], false); }
SYSCALL(getsid) { return read_id(argument[0], true); }

static bool group_in_session(u32 pgid, u32 sid) {
    for (const struct process *process = all_processes; process != NULL; process = process->private->next) {
        if (process->pgid == pgid && process->sid == sid) return true;
    }
    return false;
}

static i64 set_group(u32 pid, u32 pgid) {
    struct process *self = current_process();
    struct process *target = pid == 0 ? self : process_find(pid);
    if (target == NULL || (target != self && target->parent != self)) return -ESRCH;
    if (target != self && target->private->execed) return -EACCES;
    if (target->sid != self->sid || target->sid == target->pid) return -EPERM;
    if (pgid == 0) pgid = target->pid;
    if (pgid != target->pid && !group_in_session(pgid, self->sid)) return -EPERM;
    target->pgid = pgid;
    return 0;
}

SYSCALL(setpgid) {
    if ((i32)argument[0] < 0 || (i32)argument[1] < 0) return -EINVAL;
    u64 interrupts = spin_lock(&process_lock);
    i64 result = set_group((u32)argument[0], (u32)argument[1]);
    spin_unlock(&process_lock, interrupts);
    return result;
}

SYSCALL(setsid) {
    struct process *self = current_process();
    i64 result = self->pid;
    u64 interrupts = spin_lock(&process_lock);
    for (const struct process *process = all_processes; process != NULL; process = process->private->next) {
        if (process->pgid == self->pid) result = -EPERM;
    }
    if (result > 0) {
        self->sid = self->pgid = self->pid;
        self->tty = NULL;
    }
    spin_unlock(&process_lock, interrupts);
    return result;
}
