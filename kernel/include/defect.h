/* Defects on demand: `defect=NAME` on the kernel's command line makes one known defect strike during a test, so that
 * tools which look for the cause of a hang can be measured against causes that are known.
 *
 * All are compiled in. While none is wanted, a place where one could strike costs a load and a branch.
 */
#pragma once

#include "types.h"

struct thread;
struct trap_frame;

enum defect_place {
    DEFECT_AT_EXEC,     /* the test's program is loaded, and about to be entered */
    DEFECT_BEFORE_CALL, /* a system call of the test came in, nobody has looked at it yet: it may be changed */
    DEFECT_IN_CALL,     /* it is known, and under way for the trace */
};

struct defect {
    const char *name, *sentence;
    enum defect_place place;
    bool every_call;                          /* of every test: `strike` is no single event */
    void (*strike)(struct trap_frame *frame); /* in the test's thread, interrupts on; NULL: one of the hooks strikes */
    /* Hooks, NULL where a defect needs none. They are called from the start, whoever runs. */
    void (*tick)(void);                                          /* in each CPU's timer interrupt */
    bool (*page_fault)(struct trap_frame *frame, vaddr address); /* true: the handler is to return at once */
    void (*wait)(i64 pid, u64 *interrupts);                      /* no child to report, about to sleep */
    bool (*requeue)(const struct thread *thread);                /* true: it is not put back into the run queue */
};

extern const struct defect *defect_active; /* set once, at boot */
extern u64 defect_struck_at;               /* arch_timestamp(); 0: not yet */

void defect_init(void); /* reads `defect=` from the command line */
void defect_strike_at(enum defect_place place, struct trap_frame *frame);

/* For the defects. */
bool defect_is_target(void);   /* the running process is the test that was chosen */
void defect_mark_struck(void); /* by the hooks that strike by themselves */

#define DEFECT_WANTED __builtin_expect(__atomic_load_n(&defect_active, __ATOMIC_RELAXED) != NULL, 0)

static inline void defect_at(enum defect_place place, struct trap_frame *frame) {
    if (DEFECT_WANTED) defect_strike_at(place, frame);
}
static inline void defect_at_tick(void) {
    if (DEFECT_WANTED && defect_active->tick != NULL) defect_active->tick();
}
static inline bool defect_at_page_fault(struct trap_frame *frame, vaddr address) {
    return DEFECT_WANTED && defect_active->page_fault != NULL && defect_active->page_fault(frame, address);
}
static inline void defect_at_wait(i64 pid, u64 *interrupts) {
    if (DEFECT_WANTED && defect_active->wait != NULL) defect_active->wait(pid, interrupts);
}
static inline bool defect_at_requeue(const struct thread *thread) {
    return DEFECT_WANTED && defect_active->requeue != NULL && defect_active->requeue(thread);
}

/* What each architecture supplies (arch/<a>/defect.c). All are about the CPU that runs. */
void arch_defect_mask_timer(void); /* its tick never comes again */
void arch_defect_storm(void);      /* a device's level interrupt, which its handler does not take back, comes here */
void arch_defect_make_call_read(struct trap_frame *frame, int fd, vaddr to, usize size);

/* User code, to be put where a system call returns to. */
struct defect_code {
    const u8 *bytes, *end;
};
extern const struct defect_code arch_defect_spin; /* two instructions, for ever */
extern const struct defect_code arch_defect_poll; /* back to the call while it gives -EAGAIN */
