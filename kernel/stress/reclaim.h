/* When the memory of a removed node may be used again, although others may still look at it: by epochs.
 *
 * A thread reads the list only between epoch_enter and epoch_leave. A node is retired in the epoch that is current
 * after it left the list. The epoch moves on only when every thread inside has seen it; so once it moved on twice, all
 * threads that could have found the node have left, and it goes to its remover's free nodes. (After K. Fraser,
 * "Practical lock-freedom", 2004, 5.2.3.)
 */
#pragma once

#include "types.h"

#define EPOCH_LIMBOS      3
#define EPOCH_MAX_THREADS 65 /* STRESS_MAX_THREADS and who prepares and verifies */

struct node {
    u64 next; /* the next node's address; bit 0: this node is deleted */
    u64 key;
    struct node *link; /* in a limbo or among the free nodes */
    u32 retired;       /* only a broken list does it twice */
};

#define FREED_KEY (~0ul) /* of a node that nobody may look at */

struct epoch_limbo {
    u64 epoch;
    struct node *first;
};

struct epoch_thread {
    u64 inside;                             /* epoch << 1 | 1, 0: outside; read by all */
    struct epoch_limbo limbo[EPOCH_LIMBOS]; /* the rest is its own */
    struct node *free;
    u32 until_advance;
    u64 allocated, retired_twice;
} __attribute__((aligned(64)));

struct epoch_domain {
    u64 epoch __attribute__((aligned(64)));
    unsigned threads;
    struct epoch_thread thread[EPOCH_MAX_THREADS];
};

void epoch_init(struct epoch_domain *domain, unsigned threads);
void epoch_enter(struct epoch_domain *domain, struct epoch_thread *thread);
void epoch_leave(struct epoch_thread *thread);
void epoch_retire(struct epoch_domain *domain, struct epoch_thread *thread, struct node *node); /* inside */

struct node *node_alloc(struct epoch_domain *domain, struct epoch_thread *thread); /* outside; NULL: out of memory */
void node_give_back(struct epoch_thread *thread, struct node *node);               /* one that nobody else ever saw */
u64 epoch_destroy(struct epoch_domain *domain); /* all threads are gone: frees all; how many nodes that was */
