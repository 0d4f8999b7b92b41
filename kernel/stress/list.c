/* Memory order: a node's key and next are written before the release of the compare-and-swap that publishes it, and
 * every step along the list is an acquire load, so who sees a node sees what is in it. Deletion acquires and releases
 * too: the remover's later CAS of the predecessor must not become visible before the mark. Nothing here needs a total
 * order; the fences that do are in reclaim.c.
 */
#include "list.h"

#include "kernel.h"
#include "memory.h"
#include "process.h"

/* Once in so many times, others may run between finding a place and changing it, and between the two steps of a
 * deletion. On one CPU nothing else would ever let them in there but a tick that happens to hit. */
#define PAUSE_ONE_IN 128

struct place {
    u64 *link;         /* what points to `node` */
    struct node *node; /* the first with a key not below the one looked for; NULL: the end */
    u64 next;          /* of that node, unmarked */
};

void list_init(struct list *list, unsigned threads) {
    list->first = 0;
    epoch_init(&list->epochs, threads);
}

struct list_user list_user(struct list *list, unsigned thread) {
    return (struct list_user){
        .list = list,
        .epoch = &list->epochs.thread[thread],
        .random = random_word() | 1,
    };
}

/* xorshift64* */
u64 list_random(struct list_user *user) {
    u64 word = user->random;
    word ^= word >> 12;
    word ^= word << 25;
    word ^= word >> 27;
    user->random = word;
    return word * 0x2545f4914f6cdd1dul >> 16;
}

static bool swap_link(struct list_user *user, u64 *link, u64 from, u64 to) {
    if (__atomic_compare_exchange_n(link, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return true;
    user->retries++;
    return false;
}

static void pause_sometimes(struct list_user *user) {
    if (list_random(user) % PAUSE_ONE_IN == 0) yield();
}

/* Keys rise strictly along any walk, across deleted nodes too. Whatever breaks that, nobody walks for ever. */
static bool in_order(struct list_user *user, const struct node *node, u64 *last, bool *first) {
    if (node->key == FREED_KEY) user->freed_seen++;
    if (!*first && node->key <= *last) user->disordered = true;
    *last = node->key;
    *first = false;
    return !user->disordered;
}

/* One attempt: false when a compare-and-swap was lost, which says that `link` may belong to a deleted node. */
static bool try_find(struct list_user *user, u64 key, struct place *place) {
    u64 *link = &user->list->first;
    struct node *node = node_at(__atomic_load_n(link, __ATOMIC_ACQUIRE));
    u64 last = 0;
    bool first = true;
    while (node != NULL && in_order(user, node, &last, &first)) {
        u64 next = __atomic_load_n(&node->next, __ATOMIC_ACQUIRE);
        if (is_deleted(next)) {
            /* Who unlinks a node retires it, and the swap lets only one of us be that. */
            if (!swap_link(user, link, (u64)node, next & ~1ul)) return false;
            epoch_retire(&user->list->epochs, user->epoch, node);
        } else if (node->key >= key) {
            place->next = next;
            break;
        } else {
            link = &node->next;
        }
        node = node_at(next);
    }
    place->link = link;
    place->node = node;
    return true;
}

/* False: the list is broken. */
static bool find(struct list_user *user, u64 key, struct place *place) {
    while (!try_find(user, key, place)) {}
    return !user->disordered;
}

bool list_insert(struct list_user *user, u64 key) {
    struct node *node = node_alloc(&user->list->epochs, user->epoch);
    struct place place;
    bool inserted = false;
    user->out_of_memory |= node == NULL;
    if (node == NULL) return false;
    node->key = key;
    epoch_enter(&user->list->epochs, user->epoch);
    while (!inserted && find(user, key, &place)) {
        pause_sometimes(user);
        if (place.node != NULL && place.node->key == key) break;
        node->next = (u64)place.node;
        inserted = swap_link(user, place.link, (u64)place.node, (u64)node);
    }
    epoch_leave(user->epoch);
    if (!inserted) node_give_back(user->epoch, node);
    return inserted;
}

bool list_delete(struct list_user *user, u64 key) {
    struct place place;
    bool deleted = false;
    epoch_enter(&user->list->epochs, user->epoch);
    while (!deleted && find(user, key, &place)) {
        pause_sometimes(user);
        if (place.node == NULL || place.node->key != key) break;
        /* Lost: it got a new successor, or somebody else deleted it. Looking again tells which. */
        deleted = swap_link(user, &place.node->next, place.next, place.next | 1);
    }
    if (deleted) {
        pause_sometimes(user);
        if (swap_link(user, place.link, (u64)place.node, place.next)) {
            epoch_retire(&user->list->epochs, user->epoch, place.node);
        } else {
            find(user, key, &place); /* unlinks it on the way, if nobody did */
        }
    }
    epoch_leave(user->epoch);
    return deleted;
}

/* Changes nothing and never starts over: it walks across deleted nodes, whose `next` still lead on. */
bool list_search(struct list_user *user, u64 key) {
    epoch_enter(&user->list->epochs, user->epoch);
    struct node *node = node_at(__atomic_load_n(&user->list->first, __ATOMIC_ACQUIRE));
    u64 next = 0, last = 0;
    bool first = true;
    while (node != NULL && in_order(user, node, &last, &first)) {
        next = __atomic_load_n(&node->next, __ATOMIC_ACQUIRE);
        if (node->key >= key) break;
        node = node_at(next);
    }
    bool found = node != NULL && node->key == key && !is_deleted(next) && !user->disordered;
    epoch_leave(user->epoch);
    return found;
}

u64 list_destroy(struct list *list) {
    u64 freed = 0;
    for (struct node *node = node_at(list->first); node != NULL;) {
        struct node *next = node_at(node->next);
        kfree(node);
        freed++;
        node = next;
    }
    return freed + epoch_destroy(&list->epochs);
}
