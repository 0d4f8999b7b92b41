#include "mutex.h"

#include "errno.h"
#include "process.h"

void mutex_init(struct mutex *mutex, const char *name) {
    spin_init(&mutex->lock, name);
    mutex->waiters.first = NULL;
    mutex->held = false;
}

int mutex_lock_interruptible(struct mutex *mutex) {
    int error = 0;
    u64 interrupts = spin_lock(&mutex->lock);
    while (mutex->held && error == 0) error = wait_on(&mutex->waiters, &mutex->lock, &interrupts, 0);
    /* Who was woken gets 0, so an error takes nobody's wakeup with it. */
    if (error == 0) mutex->held = true;
    spin_unlock(&mutex->lock, interrupts);
    return error;
}

void mutex_lock(struct mutex *mutex) {
    struct thread *self = current_thread();
    self->uninterruptible = true;
    mutex_lock_interruptible(mutex);
    self->uninterruptible = false;
}

void mutex_unlock(struct mutex *mutex) {
    u64 interrupts = spin_lock(&mutex->lock);
    mutex->held = false;
    wake_one(&mutex->waiters);
    spin_unlock(&mutex->lock, interrupts);
}
