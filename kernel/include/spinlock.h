/* A ticket-free test-and-set lock that knows its holder and tells the trace.
 *
 * Every lock here is held with interrupts off: one that an interrupt handler also takes would
 * otherwise deadlock the CPU that holds it. Who waits for one has them as before.
 *
 * Order, outermost first; take a lock only while holding ones above it:
 *     the file system's and the devices' locks (fs/, net/; their own order is written there)
 *     process        the process tree, groups, signals, waiting for children (process/process.c)
 *     scheduler      thread states, the run queue, sleepers (process/scheduler.c)
 *     heap, pages    (memory/)
 *     lock names, console
 * A lock is held across a context switch by nobody but the scheduler, which passes its own to the next thread.
 */
#pragma once

#include "types.h"

struct spinlock {
    u32 locked;
    u32 id;           /* index into LOCK_NAMES, given at the first use; also the trace events' payload */
    const char *name;
    i32 holder_cpu;   /* -1 when free; a hint for people and debuggers, never read by the lock itself */
};

#define SPINLOCK_INIT(lock_name) { .name = (lock_name), .holder_cpu = -1 }

/* Names by lock id. Locks of one name share an id: a name says what is guarded, not which instance. */
#define LOCK_NAMES_SIZE 128
extern const char *LOCK_NAMES[LOCK_NAMES_SIZE];
extern u32 LOCK_NAME_COUNT;

void spin_init(struct spinlock *lock, const char *name);
u64 spin_lock(struct spinlock *lock);                  /* returns the interrupt state for spin_unlock */
void spin_unlock(struct spinlock *lock, u64 interrupts);
