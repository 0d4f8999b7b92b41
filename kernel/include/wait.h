/* Sleeping until another thread says so. */
#pragma once

#include "spinlock.h"
#include "types.h"

struct thread;

struct wait_queue {
    struct thread *first; /* linked through thread->wait_next, under the lock that the callers share */
};

/* Sleep on `queue`. The caller holds `lock`, which guards the condition and the queue; it is released
 * while asleep and held again on return. Returns 0 when woken, -EINTR when a signal is pending,
 * -ETIMEDOUT past `deadline_ns` (0: no deadline). The caller checks its condition in a loop. */
int wait_on(struct wait_queue *queue, struct spinlock *lock, u64 *interrupts, u64 deadline_ns);
void wake_all(struct wait_queue *queue); /* the caller holds the shared lock */
void wake_one(struct wait_queue *queue);
