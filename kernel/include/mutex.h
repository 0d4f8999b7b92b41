/* A lock that is held across sleeping and faults on user memory. Outermost of all: take it before any spinlock. */
#pragma once

#include "spinlock.h"
#include "wait.h"

struct mutex {
    struct spinlock lock; /* the two below */
    struct wait_queue waiters;
    bool held;
};

void mutex_init(struct mutex *mutex, const char *name);
void mutex_lock(struct mutex *mutex);
int mutex_lock_interruptible(struct mutex *mutex); /* 0, or -EINTR and not held */
void mutex_unlock(struct mutex *mutex);
