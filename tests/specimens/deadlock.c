/* The timer's handler takes a lock that the code below it holds. Built by several compilers' settings. */
#include "specimen.h"

struct spin { volatile u32 word; };
struct spin queue_lock;
static volatile u32 queue;

static NOINLINE void spin_lock(struct spin *lock)
{
    while (__atomic_exchange_n(&lock->word, 1, __ATOMIC_ACQUIRE)) relax();
}

static NOINLINE void queue_push(u32 value)
{
    spin_lock(&queue_lock);
    queue += value;
    __atomic_store_n(&queue_lock.word, 0, __ATOMIC_RELEASE);
}

__attribute__((used)) void handle_irq(void)
{
    queue_push(1);
}

static NOINLINE void queue_drain(void)
{
    spin_lock(&queue_lock);
    while (queue < 1000) queue = queue ? queue : 0; /* the timer comes meanwhile */
    __atomic_store_n(&queue_lock.word, 0, __ATOMIC_RELEASE);
}

static NOINLINE void worker(void)
{
    for (;;) queue_drain();
}

void start_timer(void);

void kernel_main(void)
{
    print("working\n");
    start_timer();
    unmask_interrupts();
    worker();
    print("done\n");
}
