#include "reclaim.h"

#include "kernel.h"
#include "memory.h"
#include "process.h"

#define ALLOCATIONS_PER_ADVANCE 32
#define MEMORY_TRIES            100

void epoch_init(struct epoch_domain *domain, unsigned threads) {
    memset(domain, 0, sizeof(*domain));
    domain->epoch = EPOCH_LIMBOS; /* so that an empty limbo's 0 is long ago */
    domain->threads = threads;
}

static void free_limbo(struct epoch_thread *thread, struct epoch_limbo *limbo) {
    while (limbo->first != NULL) {
        struct node *node = limbo->first;
        limbo->first = node->link;
        node->key = FREED_KEY;
        node->link = thread->free;
        thread->free = node;
    }
}

static void free_old_limbos(struct epoch_thread *thread, u64 epoch) {
    for (unsigned index = 0; index < EPOCH_LIMBOS; index++) {
        if (thread->limbo[index].epoch + 2 <= epoch) free_limbo(thread, &thread->limbo[index]);
    }
}

/* The fence keeps our reads of the list behind the announcement: whoever advances the epoch and does not see us
 * inside has removed its nodes before we look. Its other half is the fence in try_advance and in epoch_retire. */
void epoch_enter(struct epoch_domain *domain, struct epoch_thread *thread) {
    u64 epoch = __atomic_load_n(&domain->epoch, __ATOMIC_RELAXED);
    __atomic_store_n(&thread->inside, epoch << 1 | 1, __ATOMIC_RELEASE); /* says "outside until now" too */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Release: our reads of the list are done when others see us outside. */
void epoch_leave(struct epoch_thread *thread) { __atomic_store_n(&thread->inside, 0, __ATOMIC_RELEASE); }

/* Moves the epoch on when all threads inside are in it. One that is preempted inside holds it back, for as long as
 * the others need to give it its turn. Acquire: what those outside read happened before their nodes are used again. */
static void try_advance(struct epoch_domain *domain) {
    u64 epoch = __atomic_load_n(&domain->epoch, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (unsigned index = 0; index < domain->threads; index++) {
        u64 inside = __atomic_load_n(&domain->thread[index].inside, __ATOMIC_ACQUIRE);
        if (inside != 0 && inside >> 1 != epoch) return;
    }
    __atomic_compare_exchange_n(&domain->epoch, &epoch, epoch + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* The epoch is read after the node left the list, the fence says so: one that had been read before could be older
 * than that of a thread which still finds the node. */
void epoch_retire(struct epoch_domain *domain, struct epoch_thread *thread, struct node *node) {
    if (__atomic_exchange_n(&node->retired, 1, __ATOMIC_RELAXED) != 0) {
        thread->retired_twice++; /* a second time in a limbo would make that endless */
        return;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    u64 epoch = __atomic_load_n(&domain->epoch, __ATOMIC_ACQUIRE);
    struct epoch_limbo *limbo = &thread->limbo[epoch % EPOCH_LIMBOS];
    if (limbo->epoch != epoch) { /* at least three epochs old */
        free_limbo(thread, limbo);
        limbo->epoch = epoch;
    }
    node->link = limbo->first;
    limbo->first = node;
}

struct node *node_alloc(struct epoch_domain *domain, struct epoch_thread *thread) {
    if (thread->until_advance-- == 0) {
        thread->until_advance = ALLOCATIONS_PER_ADVANCE;
        try_advance(domain);
        free_old_limbos(thread, __atomic_load_n(&domain->epoch, __ATOMIC_ACQUIRE));
    }
    for (unsigned tries = 0; thread->free == NULL && tries < MEMORY_TRIES; tries++) {
        struct node *node = kmalloc(sizeof(*node));
        if (node != NULL) {
            thread->allocated++;
            return node;
        }
        yield(); /* somebody else holds the epoch back */
        try_advance(domain);
        free_old_limbos(thread, __atomic_load_n(&domain->epoch, __ATOMIC_ACQUIRE));
    }
    struct node *node = thread->free;
    if (node == NULL) return NULL;
    thread->free = node->link;
    node->retired = 0;
    return node;
}

void node_give_back(struct epoch_thread *thread, struct node *node) {
    node->key = FREED_KEY;
    node->link = thread->free;
    thread->free = node;
}

u64 epoch_destroy(struct epoch_domain *domain) {
    u64 freed = 0;
    for (unsigned index = 0; index < domain->threads; index++) {
        struct epoch_thread *thread = &domain->thread[index];
        free_old_limbos(thread, ~0ul);
        while (thread->free != NULL) {
            struct node *node = thread->free;
            thread->free = node->link;
            kfree(node);
            freed++;
        }
    }
    return freed;
}
