/* Processes and threads. One process has one thread so far; a kernel thread has no process. */
#pragma once

#include "arch_types.h"
#include "file.h"
#include "spinlock.h"
#include "types.h"
#include "wait.h"

struct process;
struct tty;

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_BLOCKED, THREAD_DEAD, THREAD_NEW };

struct thread {
    u32 tid;
    enum thread_state state;
    i32 cpu; /* where it runs or last ran */
    struct process *process;
    void *kernel_stack;
    struct thread *queue_next; /* run queue */
    struct thread *wait_next;  /* wait queue */
    u64 wake_deadline_ns;      /* 0: none */
    char name[16];             /* kernel threads'; a process's own is in the process */
    struct wait_queue *waiting_on; /* under the lock of that queue's users */
    struct thread *sleep_next; /* sleepers with a deadline */
    struct thread *all_next;   /* all_threads, for debuggers */
    bool uninterruptible;      /* signals do not end the present sleep */
    struct arch_thread arch;
};

#define KERNEL_STACK_SIZE (4 * PAGE_SIZE)

extern struct thread *all_threads;

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

static inline struct thread *current_thread(void) { return arch_current(); }
static inline struct process *current_process(void) { return current_thread()->process; }

/* A thread of the kernel's own; it ends when `entry` returns. NULL when memory is out. */
struct thread *kernel_thread_create(const char *name, void (*entry)(void *argument), void *argument);
int sleep_until(u64 deadline_ns); /* 0, or -EINTR */
void yield(void);

bool signal_pending(void);                               /* one that would be delivered now */
int signal_send(struct process *process, int signal);     /* 0, -ESRCH */
int signal_send_group(u32 pgid, int signal);              /* every process of a group; 0, -ESRCH */
bool signal_is_ignored_or_blocked(int signal);            /* by the current process: tty background reads */
bool process_group_is_orphaned(u32 pgid);
bool process_group_exists(u32 pgid, u32 sid);

/* For ppoll and pselect6: blocked from now until the call returns to user space, when the old mask comes back,
 * after the handler of a signal that this one let through. */
void signal_mask_temporarily(u64 mask);

/* Resource limits, by Linux's numbers. */
enum { LIMIT_STACK = 3, LIMIT_CORE = 4, LIMIT_PROCESSES = 6, LIMIT_FILES = 7, LIMIT_ADDRESS_SPACE = 9 };
u64 process_limit(unsigned resource); /* the current process's soft limit */

struct space;
struct space *process_space(struct process *process);
struct process *process_start_init(void); /* pid 1, not running yet: its arguments come from the command line */

/* Called by the architecture's trap code. */
void process_forked(void);                         /* a forked child, before its first return to user space */
void syscall_dispatch(struct trap_frame *frame);
void trap_leave_to_user(struct trap_frame *frame); /* interrupts off before and after */

/* The tty's: a session leader with a controlling terminal is going. Called without locks. */
void tty_session_leader_exit(struct process *leader);
