/* The kernel heap: powers of two from pages cut up ("slabs"), whole pages for what is larger.
 *
 * A slab's bookkeeping is in its page record: a list of free objects through the objects themselves, and how many
 * are in use; an empty slab's page goes back.
 */
#include "kernel.h"
#include "memory.h"
#include "page.h"
#include "spinlock.h"

#define SMALLEST_SHIFT 4
#define CLASSES        8 /* 16 to 2048 bytes */

static struct spinlock heap_lock = SPINLOCK_INIT("heap");
static struct page *slabs_with_room[CLASSES];

static inline usize class_size(unsigned class) { return 1ul << (class + SMALLEST_SHIFT); }

static void slab_link(struct page *slab, unsigned class) {
    slab->previous = NULL;
    slab->next = slabs_with_room[class];
    if (slab->next != NULL) slab->next->previous = slab;
    slabs_with_room[class] = slab;
}

static void slab_unlink(struct page *slab, unsigned class) {
    if (slab->previous != NULL)
        slab->previous->next = slab->next;
    else
        slabs_with_room[class] = slab->next;
    if (slab->next != NULL) slab->next->previous = slab->previous;
}

static struct page *slab_create(unsigned class) {
    char *memory = pages_alloc(0);
    if (memory == NULL) return NULL;
    memset(memory, 0, PAGE_SIZE); /* see pages_alloc */
    struct page *slab = page_of(memory);
    slab->slab_class = (u8)(class + 1);
    slab->slab_used = 0;
    slab->slab_free = NULL;
    for (usize offset = PAGE_SIZE; offset >= class_size(class); offset -= class_size(class)) {
        void **object = (void **)(memory + offset - class_size(class));
        *object = slab->slab_free;
        slab->slab_free = object;
    }
    slab_link(slab, class);
    return slab;
}

static void *slab_alloc(unsigned class) {
    u64 interrupts = spin_lock(&heap_lock);
    struct page *slab = slabs_with_room[class];
    if (slab == NULL) slab = slab_create(class);
    void **object = NULL;
    if (slab != NULL) {
        object = slab->slab_free;
        slab->slab_free = *object;
        slab->slab_used++;
        if (slab->slab_free == NULL) slab_unlink(slab, class);
    }
    spin_unlock(&heap_lock, interrupts);
    return object;
}

void *kmalloc(usize size) {
    if (size == 0) size = 1;
    void *memory;
    if (size <= class_size(CLASSES - 1)) {
        unsigned class = 0;
        while (class_size(class) < size) class ++;
        memory = slab_alloc(class);
    } else {
        unsigned order = 0;
        while (order <= MAX_PAGE_ORDER && (PAGE_SIZE << order) < size) order++;
        if (order > MAX_PAGE_ORDER) return NULL;
        memory = pages_alloc(order);
    }
    if (memory != NULL) memset(memory, 0, size);
    return memory;
}

void kfree(void *memory) {
    if (memory == NULL) return;
    struct page *slab = page_of(memory);
    if (slab->slab_class == 0) {
        page_put(memory);
        return;
    }
    unsigned class = slab->slab_class - 1u;
    u64 interrupts = spin_lock(&heap_lock);
    if (slab->slab_free == NULL) slab_link(slab, class);
    *(void **)memory = slab->slab_free;
    slab->slab_free = memory;
    bool empty = --slab->slab_used == 0;
    if (empty) {
        slab_unlink(slab, class);
        slab->slab_class = 0;
    }
    spin_unlock(&heap_lock, interrupts);
    if (empty) page_put((void *)((vaddr)memory & ~(PAGE_SIZE - 1)));
}
