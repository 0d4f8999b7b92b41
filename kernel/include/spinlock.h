/* A ticket-free test-and-set lock that knows its holder and tells the trace.
 *
 * Every lock here is taken with interrupts off: one that an interrupt handler also takes would
 * otherwise deadlock the CPU that holds it. Order between locks is written where each is defined.
 */
#pragma once

#include "types.h"

struct spinlock {
    u32 locked;
    u32 id;           /* index into the lock name table; also the trace events' payload */
    const char *name;
    i32 holder_cpu;   /* -1 when free; a hint for people and debuggers, never read by the lock itself */
};

#define SPINLOCK_INIT(lock_name) { .name = (lock_name), .holder_cpu = -1 }

void spin_init(struct spinlock *lock, const char *name);
u64 spin_lock(struct spinlock *lock);                  /* returns the interrupt state for spin_unlock */
void spin_unlock(struct spinlock *lock, u64 interrupts);
