#include "spinlock.h"

#include "arch.h"
#include "kernel.h"
#include "trace.h"

const char *LOCK_NAMES[LOCK_NAMES_SIZE] = { "(unnamed)" };
u32 LOCK_NAME_COUNT = 1;
static u32 names_locked; /* a bare lock: it cannot name itself */

/* Called by a lock's first holder, who may therefore write its id. */
static void give_id(struct spinlock *lock) {
    while (__atomic_exchange_n(&names_locked, 1, __ATOMIC_ACQUIRE) != 0) arch_relax();
    u32 id = 1;
    while (id < LOCK_NAME_COUNT && strcmp(LOCK_NAMES[id], lock->name) != 0) id++;
    if (id == LOCK_NAME_COUNT && id < LOCK_NAMES_SIZE) LOCK_NAMES[LOCK_NAME_COUNT++] = lock->name;
    lock->id = id < LOCK_NAMES_SIZE ? id : 0;
    __atomic_store_n(&names_locked, 0, __ATOMIC_RELEASE);
}

void spin_init(struct spinlock *lock, const char *name) { *lock = (struct spinlock)SPINLOCK_INIT(name); }

u64 spin_lock(struct spinlock *lock) {
    u64 interrupts = arch_interrupts_save();
    if (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE) != 0) {
        trace(TRACE_LOCK_CONTEND, lock->id);
        do {
            /* Who waits holds nothing of this lock's: interrupts are as the caller has them. Spin on a plain load:
             * the line stays shared until it changes. */
            arch_interrupts_restore(interrupts);
            while (__atomic_load_n(&lock->locked, __ATOMIC_RELAXED) != 0) {
                if (panic_started()) arch_park(); /* its holder may have parked */
                arch_relax();
            }
            arch_interrupts_save();
        } while (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE) != 0);
    }
    lock->holder_cpu = (i32)arch_cpu_id();
    if (lock->id == 0 && lock->name != NULL) give_id(lock);
    trace(TRACE_LOCK_ACQUIRE, lock->id);
    return interrupts;
}

void spin_unlock(struct spinlock *lock, u64 interrupts) {
    trace(TRACE_LOCK_RELEASE, lock->id);
    lock->holder_cpu = -1;
    __atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
    arch_interrupts_restore(interrupts);
}
