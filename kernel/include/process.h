/* Processes and threads. One process has one thread so far; a kernel thread has no process. */
#pragma once

#include "arch_types.h"
#include "file.h"
#include "spinlock.h"
#include "types.h"
#include "wait.h"

struct process;
struct tty;

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_BLOCKED, THREAD_DEAD };

struct thread {
    u32 tid;
    enum thread_state state;
    i32 cpu; /* where it runs or last ran */
    struct process *process;
    void *kernel_stack;
    struct thread *queue_next; /* run queue */
    struct thread *wait_next;  /* wait queue */
    u64 wake_deadline_ns;
    struct arch_thread arch;
};

struct process {
    u32 pid;
    u32 pgid;
    u32 sid;
    struct process *parent;
    struct thread *thread;
    char name[32];
    paddr space;
    struct file_table *files;
    struct inode *cwd;
    struct tty *tty; /* controlling terminal, or NULL */
    u32 umask;
    u32 uid, gid;
    /* The rest (memory areas, signals, children, timers) is the owner's: kernel/process/. */
    struct process_private *private;
};

struct thread *current_thread(void);
struct process *current_process(void);

bool signal_pending(void);                               /* one that would be delivered now */
int signal_send(struct process *process, int signal);     /* 0, -ESRCH */
int signal_send_group(u32 pgid, int signal);              /* every process of a group; 0, -ESRCH */
bool signal_is_ignored_or_blocked(int signal);            /* by the current process: tty background reads */
bool process_group_is_orphaned(u32 pgid);
bool process_group_exists(u32 pgid, u32 sid);
