/* A ticket lock that lost a ticket: nobody holds it and nobody's turn ever comes. All CPUs wait. */
#include "specimen.h"

struct ticket_lock { volatile u32 next, serving; };

struct ticket_lock big_lock = {5, 4}; /* ticket 4 was drawn, and its owner forgot it */

static NOINLINE void ticket_lock(struct ticket_lock *lock)
{
    u32 mine = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != mine) relax();
}

static NOINLINE u64 enter_kernel(u64 cpu)
{
    ticket_lock(&big_lock);
    return cpu + 1;
}

void secondary_main(u64 cpu)
{
    mask_interrupts();
    if (enter_kernel(cpu)) print("in\n");
}

void kernel_main(void)
{
    print("all up\n");
    start_secondaries();
    secondary_main(0);
}
