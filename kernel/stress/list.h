/* A sorted list without locks and without duplicates. (T. Harris, "A pragmatic implementation of non-blocking
 * linked-lists", 2001, with M. Michael's unlinking of one node at a time, 2002.)
 *
 * A node is deleted in two steps. Setting bit 0 of its `next` is the deletion: it takes effect there, by one
 * compare-and-swap, and from then on `next` never changes. Taking the node out of its predecessor's `next` is only
 * cleaning up, and whoever passes may do it. The mark is in the word that an insertion behind the node, or the
 * removal of its successor, has to change: neither can slip in after the deletion.
 */
#pragma once

#include "reclaim.h"
#include "types.h"

struct list {
    u64 first; /* as a node's next, never marked */
    struct epoch_domain epochs;
};

/* What one thread brings along. */
struct list_user {
    struct list *list;
    struct epoch_thread *epoch;
    u64 random;
    u64 retries;     /* compare-and-swaps that failed */
    u64 freed_seen;  /* nodes met whose memory was free: must stay 0 */
    bool disordered; /* keys did not rise on the way: the list is broken, and may be a circle */
    bool out_of_memory;
};

void list_init(struct list *list, unsigned threads);
struct list_user list_user(struct list *list, unsigned thread);
/* All three also give false on a broken list. */
bool list_insert(struct list_user *user, u64 key); /* false: it was there (or out_of_memory) */
bool list_delete(struct list_user *user, u64 key); /* false: it was not */
bool list_search(struct list_user *user, u64 key);
u64 list_random(struct list_user *user);

/* With no other user left. Gives the number of nodes freed. */
u64 list_destroy(struct list *list);
static inline struct node *node_at(u64 link) { return (struct node *)(link & ~1ul); }
static inline bool is_deleted(u64 link) { return (link & 1) != 0; }
