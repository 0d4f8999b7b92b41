/* Areas of an address space: making, splitting, copying, dropping them. Faults are in fault.c. */
#include "space.h"

#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "trace.h"

struct space *space_create(void) {
    struct space *space = kmalloc(sizeof(*space));
    if (space == NULL) return NULL;
    space->references = 1;
    space->root = arch_space_create();
    if (space->root != 0) return space;
    kfree(space);
    return NULL;
}

struct space *space_get(struct space *space) {
    __atomic_fetch_add(&space->references, 1, __ATOMIC_RELAXED);
    return space;
}

/* The last reference goes when no CPU has the space loaded, so nothing needs a flush. */
void space_put(struct space *space) {
    if (__atomic_fetch_sub(&space->references, 1, __ATOMIC_ACQ_REL) != 1) return;
    while (space->areas != NULL) {
        struct area *area = space->areas;
        space->areas = area->next;
        for (vaddr va = arch_next_mapped(space->root, area->start, area->end); va < area->end;
             va = arch_next_mapped(space->root, va + PAGE_SIZE, area->end)) {
            page_put(phys_to_virt(arch_unmap(space->root, va)));
        }
        if (area->inode != NULL) inode_put(area->inode);
        kfree(area);
    }
    arch_space_destroy(space->root);
    kfree(space);
}

static struct area *area_clone(const struct area *from) {
    struct area *area = kmalloc(sizeof(*area));
    if (area == NULL) return NULL;
    *area = *from;
    if (area->inode != NULL) inode_get(area->inode);
    return area;
}

static void area_insert(struct space *space, struct area *area) {
    struct area **link = &space->areas;
    while (*link != NULL && (*link)->start < area->start) link = &(*link)->next;
    area->next = *link;
    *link = area;
}

int space_map(struct space *space, const struct area *area) {
    struct area *copy = area_clone(area);
    if (copy == NULL) return -ENOMEM;
    area_insert(space, copy);
    return 0;
}

struct area *space_area(struct space *space, vaddr address) {
    for (struct area *area = space->areas; area != NULL && area->start <= address; area = area->next) {
        if (address < area->end) return area;
    }
    return NULL;
}

bool space_is_free(struct space *space, vaddr start, vaddr end) {
    for (struct area *area = space->areas; area != NULL; area = area->next) {
        if (area->start < end && start < area->end) return false;
    }
    return true;
}

u64 space_size(const struct space *space) {
    u64 size = 0;
    for (const struct area *area = space->areas; area != NULL; area = area->next) size += area->end - area->start;
    return size;
}

/* The highest gap of that size below `below`. */
vaddr space_find_free(struct space *space, usize size, vaddr below) {
    vaddr best = 0, gap_start = PAGE_SIZE * 16;
    for (struct area *area = space->areas;; area = area->next) {
        vaddr gap_end = area == NULL || area->start > below ? below : area->start;
        if (gap_end > gap_start && gap_end - gap_start >= size) best = gap_end - size;
        if (area == NULL || area->end >= below) return best;
        gap_start = area->end;
    }
}

/* Cut the area that contains `at` there, so that `at` is an area's border. */
static int split_at(struct space *space, vaddr at) {
    struct area *area = space_area(space, at);
    if (area == NULL || area->start == at) return 0;
    struct area *tail = area_clone(area);
    if (tail == NULL) return -ENOMEM;
    tail->start = at;
    tail->offset = area->offset + (at - area->start);
    area->end = at;
    tail->next = area->next;
    area->next = tail;
    return 0;
}

/* A page may be reused only after no CPU can reach it: unmap some, flush, then let them go. */
static void drop_pages(struct space *space, vaddr start, vaddr end) {
    vaddr va = arch_next_mapped(space->root, start, end);
    while (va < end) {
        paddr pages[64];
        unsigned count = 0;
        for (; va < end && count < ARRAY_SIZE(pages); va = arch_next_mapped(space->root, va + PAGE_SIZE, end)) {
            pages[count++] = arch_unmap(space->root, va);
        }
        arch_flush_space(space->root);
        while (count > 0) page_put(phys_to_virt(pages[--count]));
    }
}

int space_unmap(struct space *space, vaddr start, vaddr end) {
    if (split_at(space, start) != 0 || split_at(space, end) != 0) return -ENOMEM;
    for (struct area **link = &space->areas; *link != NULL;) {
        struct area *area = *link;
        if (area->start < start || area->end > end) {
            link = &area->next;
            continue;
        }
        *link = area->next;
        drop_pages(space, area->start, area->end);
        if (area->inode != NULL) inode_put(area->inode);
        kfree(area);
    }
    return 0;
}

/* Present pages lose what the new protection forbids; what it newly allows, a fault gives, which also keeps
 * copy-on-write pages read-only. */
int space_protect(struct space *space, vaddr start, vaddr end, unsigned protection) {
    for (vaddr va = start; va < end;) {
        struct area *area = space_area(space, va);
        if (area == NULL) return -ENOMEM;
        va = area->end;
    }
    if (split_at(space, start) != 0 || split_at(space, end) != 0) return -ENOMEM;
    for (struct area *area = space->areas; area != NULL; area = area->next) {
        if (area->start < start || area->end > end) continue;
        area->protection = protection;
        for (vaddr va = arch_next_mapped(space->root, area->start, area->end); va < area->end;
             va = arch_next_mapped(space->root, va + PAGE_SIZE, area->end)) {
            paddr page;
            unsigned old;
            arch_lookup(space->root, va, &page, &old);
            arch_map(space->root, va, page, old & protection);
        }
    }
    arch_flush_space(space->root);
    return 0;
}

/* Fork: the child gets every page the parent has; private ones become read-only in both, so that the first write
 * on either side copies. */
static int copy_pages(struct space *from, struct space *to, const struct area *area) {
    for (vaddr va = arch_next_mapped(from->root, area->start, area->end); va < area->end;
         va = arch_next_mapped(from->root, va + PAGE_SIZE, area->end)) {
        paddr page;
        unsigned protection;
        arch_lookup(from->root, va, &page, &protection);
        if (!area->shared && (protection & PAGE_WRITE) != 0) {
            protection &= ~(unsigned)PAGE_WRITE;
            arch_map(from->root, va, page, protection);
        }
        if (arch_map(to->root, va, page, protection) != 0) return -ENOMEM;
        page_get(phys_to_virt(page));
    }
    return 0;
}

struct space *space_copy(struct space *from) {
    struct space *to = space_create();
    if (to == NULL) return NULL;
    to->brk_start = from->brk_start;
    to->brk = from->brk;
    struct area **tail = &to->areas;
    int error = 0;
    for (struct area *area = from->areas; area != NULL && error == 0; area = area->next) {
        struct area *copy = area_clone(area);
        if (copy == NULL) {
            error = -ENOMEM;
            break;
        }
        copy->next = NULL;
        *tail = copy;
        tail = &copy->next;
        error = copy_pages(from, to, area);
    }
    arch_flush_space(from->root); /* the parent's stale writable entries, also after a failure half way */
    if (error == 0) return to;
    space_put(to);
    return NULL;
}
