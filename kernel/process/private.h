/* What only process/ knows of a process. */
#pragma once

#include "process.h"
#include "signal.h"
#include "space.h"
#include "types.h"

#define MAX_PROCESSES 512
#define LIMITS        16

enum process_state { PROCESS_ALIVE, PROCESS_STOPPED, PROCESS_ZOMBIE };

/* Guarded by process_lock; `pending` and `blocked` are also read without it (signal_pending). */
struct signal_state {
    u64 pending, blocked;
    u64 saved_mask; /* comes back on the way to user space when `restore_mask` */
    bool restore_mask;
    u64 awaited; /* by rt_sigtimedwait: these wake although they are blocked */
    struct signal_action actions[SIGNALS + 1];
    struct signal_info info[SIGNALS + 1]; /* of the pending one */
    struct signal_stack stack;
};

struct interval_timer {
    u64 deadline_ns, interval_ns; /* 0: not armed */
};

struct process_private {
    struct process *next; /* all processes */
    struct process *first_child, *next_sibling;
    enum process_state state;
    int wait_status; /* as wait4 gives it */
    bool report_stop, report_continue;
    bool execed;
    struct wait_queue child_wait;    /* the parent's own: something about a child changed */
    struct wait_queue continue_wait; /* while stopped */
    struct wait_queue signal_wait;   /* sigsuspend, sigtimedwait */
    struct space *space;
    struct signal_state signals;
    struct interval_timer real_timer;
    u64 virtual_remaining_ns, virtual_interval_ns;
    u64 profile_remaining_ns, profile_interval_ns;
    struct process *vfork_parent; /* whose space this process borrows; it sleeps meanwhile */
    struct process *vfork_child;  /* the other way round */
    struct wait_queue vfork_wait; /* the parent's own */
    vaddr set_child_tid, clear_child_tid;
    u64 user_ticks, system_ticks, child_user_ticks, child_system_ticks;
    bool syscall_interrupted; /* the call that is returning gave -EINTR */
    bool syscall_restartable;
    u64 sleep_deadline_ns; /* of a nanosleep that is being restarted, 0: none */
    u64 limits[LIMITS][2]; /* soft, hard */
};

extern struct spinlock process_lock;
extern struct process *all_processes, *init_process;

/* process.c */
struct process *process_create(const char *name);                   /* a bare one with a thread, in no list */
void process_free(struct process *process);                         /* one that is in no list, and has no thread */
void process_link(struct process *process, struct process *parent); /* holds process_lock */
void process_unlink(struct process *process);                       /* holds process_lock */
struct process *process_find(u32 pid);                              /* holds process_lock */
u32 process_next_id(void);                                          /* holds process_lock */
void process_notify_parent(struct process *process, int code);      /* holds process_lock */
bool process_group_is_orphaned_locked(u32 pgid);                    /* holds process_lock */
u32 process_count(void);

/* exit.c */
noreturn void process_exit(int wait_status);

/* fork.c; holds process_lock: the borrowed space is given back, the parent goes on */
void process_end_vfork(struct process *child);

/* exec.c */
int process_exec(struct trap_frame *frame, const char *path, vaddr argv, vaddr envp);
noreturn void process_run_init(void *unused);

/* signal.c; the caller of the _locked ones holds process_lock */
void signal_send_locked(struct process *process, const struct signal_info *info);
void signal_send_group_locked(u32 pgid, int signal, int *found);
void signal_deliver(struct trap_frame *frame);
void signal_set_blocked(struct process *process, u64 mask); /* holds process_lock */
void signal_reset_for_exec(struct process *process);
bool signal_is_deliverable(const struct process *process);
u64 signal_take(struct process *process, u64 set, struct signal_info *info); /* the bit taken, or 0 */

/* limit.c */
void process_set_default_limits(struct process *process);

/* timer.c */
void process_tick(bool from_user);
