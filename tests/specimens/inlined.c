/* A lock's guard leaked across a return, as optimised code has it: the lock's functions are inlined into those that
 * want it, and only debug information, if there is any, still tells them. TICKET: it is no test-and-set. */
#include "specimen.h"

#define INLINE static inline __attribute__((always_inline))

#if defined(TICKET)
struct lock { volatile u32 next, serving; };

INLINE void spin_lock(struct lock *lock)
{
    u32 mine = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
    while (lock->serving != mine) relax();
}

INLINE void spin_unlock(struct lock *lock) { lock->serving++; }
#else
struct lock { volatile u8 held; };

INLINE u8 lock_is_held(struct lock *lock) { return __atomic_load_n(&lock->held, __ATOMIC_RELAXED); }

INLINE void spin_lock(struct lock *lock)
{
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
        while (lock_is_held(lock)) relax();
}

INLINE void spin_unlock(struct lock *lock) { __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE); }
#endif

struct lock root_fs;
u32 inodes;

NOINLINE u32 read_inode(u32 release)
{
    spin_lock(&root_fs);
    u32 found = inodes++;
    if (release) spin_unlock(&root_fs);
    return found;
}

NOINLINE u32 sys_mkdir(u32 number)
{
    if (number == 1) read_inode(0); /* never gives it back */
    print("mkdir\n");
    return read_inode(1) + number;
}

void kernel_main(void)
{
    mask_interrupts();
    print(sys_mkdir(1) ? "yes\n" : "no\n");
}
