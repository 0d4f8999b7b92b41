/* What the kernel keeps for each CPU. */
#pragma once

#include "arch.h"
#include "types.h"

struct cpu {
    u32 id;
    bool online;
    bool need_resched;        /* set by this CPU's own interrupts; read on the way out of them */
    struct thread *idle;
    struct thread *previous;  /* who ran before the switch under way; see process/scheduler.c */
    u64 ticks;
    u32 slice_ticks;          /* ticks since the running thread was picked */
    paddr active_space;       /* the user page table loaded here, 0: none */
};

extern struct cpu cpus[MAX_CPUS];
extern unsigned cpus_online;

static inline struct cpu *this_cpu(void) { return &cpus[arch_cpu_id()]; }

/* Whether another CPU has this space loaded. A CPU that loads it later flushes first: it stores active_space,
 * then flushes, while we change the table, then read active_space, each with a full barrier between. */
static inline bool space_active_elsewhere(paddr root) {
    unsigned self = arch_cpu_id();
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (unsigned cpu = 0; cpu < cpus_online; cpu++) {
        if (cpu != self && __atomic_load_n(&cpus[cpu].active_space, __ATOMIC_RELAXED) == root) return true;
    }
    return false;
}
