/* Locks of the usual kinds, each entered while it is held: whoever calls enter_* spins for ever. */
typedef unsigned int u32;

struct lock {
    u32 unrelated[3];
    u32 value;
    u32 next, owner;
};

struct lock the_lock = { .value = 1, .next = 1, .owner = 0 };

static inline void relax(void) {
#if defined(__aarch64__)
    __asm__ volatile("yield");
#else
    __asm__ volatile("pause");
#endif
}

#define KIND __attribute__((noinline)) static void

KIND test_and_set(struct lock *lock) {
    while (__atomic_exchange_n(&lock->value, 1, __ATOMIC_ACQUIRE) != 0) relax();
}

KIND test_and_test_and_set(struct lock *lock) {
    while (__atomic_exchange_n(&lock->value, 1, __ATOMIC_ACQUIRE) != 0)
        while (__atomic_load_n(&lock->value, __ATOMIC_RELAXED) != 0) relax();
}

KIND compare_and_swap(struct lock *lock) {
    u32 expected = 0;
    while (!__atomic_compare_exchange_n(&lock->value, &expected, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        expected = 0;
}

KIND bit(struct lock *lock) {
    while ((__atomic_fetch_or(&lock->value, 1, __ATOMIC_ACQUIRE) & 1) != 0) relax();
}

KIND ticket(struct lock *lock) {
    u32 mine = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != mine) relax();
}

KIND global(struct lock *unused) {
    (void)unused;
    while (__atomic_exchange_n(&the_lock.value, 1, __ATOMIC_ACQUIRE) != 0) relax();
}

#define ENTER(kind) void enter_##kind(void) { kind(&the_lock); for (;;) relax(); }
ENTER(test_and_set)
ENTER(test_and_test_and_set)
ENTER(compare_and_swap)
ENTER(bit)
ENTER(ticket)
ENTER(global)

void _start(void) { for (;;) relax(); }
