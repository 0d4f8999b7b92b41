/* Physical pages: a buddy allocator over one array of page records.
 *
 * A block of 2^order pages is aligned to its size; its buddy is its address with that one bit turned. Only the
 * first record of a block says anything.
 */
#include "page.h"
#include "arch.h"
#include "kernel.h"
#include "memory.h"
#include "spinlock.h"

static struct spinlock page_lock = SPINLOCK_INIT("pages");
static struct page *records;
static u64 first_frame, frame_count;
static struct page *free_lists[MAX_PAGE_ORDER + 1];
static usize free_count, total_count;

static inline u64 frame_of(const struct page *page) { return first_frame + (u64)(page - records); }

struct page *page_of(const void *address) {
    return &records[virt_to_phys(address) / PAGE_SIZE - first_frame];
}
void *page_address(const struct page *page) { return phys_to_virt(frame_of(page) * PAGE_SIZE); }

static void list_push(struct page *page, unsigned order) {
    page->free = true;
    page->order = (u8)order;
    page->previous = NULL;
    page->next = free_lists[order];
    if (page->next != NULL) page->next->previous = page;
    free_lists[order] = page;
}

static void list_remove(struct page *page) {
    page->free = false;
    if (page->previous != NULL)
        page->previous->next = page->next;
    else
        free_lists[page->order] = page->next;
    if (page->next != NULL) page->next->previous = page->previous;
}

static struct page *buddy_of(const struct page *page, unsigned order) {
    u64 frame = frame_of(page) ^ (1ul << order);
    if (frame < first_frame || frame + (1ul << order) > first_frame + frame_count) return NULL;
    return &records[frame - first_frame];
}

/* Put a block back and join it with its buddy as long as that is free as a whole. */
static void free_block(struct page *page, unsigned order) {
    free_count += 1ul << order;
    for (; order < MAX_PAGE_ORDER; order++) {
        struct page *buddy = buddy_of(page, order);
        if (buddy == NULL || !buddy->free || buddy->order != order) break;
        list_remove(buddy);
        if (buddy < page) page = buddy;
    }
    list_push(page, order);
}

/* Whoever gets memory that is not zeroed writes all of it soon. QEMU's translator makes writes to a page slow for as long
 * as any code that it once ran there was not overwritten: a stack in such a page is a hundred times slower. */
void *pages_alloc(unsigned order) {
    u64 interrupts = spin_lock(&page_lock);
    unsigned have = order;
    while (have <= MAX_PAGE_ORDER && free_lists[have] == NULL) have++;
    if (have > MAX_PAGE_ORDER) {
        spin_unlock(&page_lock, interrupts);
        return NULL;
    }
    struct page *page = free_lists[have];
    list_remove(page);
    while (have > order) { /* the upper half of what is too large goes back */
        have--;
        list_push(page + (1ul << have), have);
    }
    page->order = (u8)order;
    page->references = 1;
    page->slab_class = 0;
    free_count -= 1ul << order;
    spin_unlock(&page_lock, interrupts);
    return page_address(page);
}

void *page_alloc(void) {
    void *page = pages_alloc(0);
    if (page != NULL) memset(page, 0, PAGE_SIZE);
    return page;
}

void page_get(void *address) { __atomic_fetch_add(&page_of(address)->references, 1, __ATOMIC_RELAXED); }

/* Release on the way down, acquire at zero: all use of the page comes before its reuse. */
void page_put(void *address) {
    struct page *page = page_of(address);
    u32 before = __atomic_fetch_sub(&page->references, 1, __ATOMIC_ACQ_REL);
    ASSERT(before != 0);
    if (before != 1) return;
    u64 interrupts = spin_lock(&page_lock);
    free_block(page, page->order);
    spin_unlock(&page_lock, interrupts);
}

u32 page_references(const void *address) { return __atomic_load_n(&page_of(address)->references, __ATOMIC_ACQUIRE); }

usize pages_free(void) { return __atomic_load_n(&free_count, __ATOMIC_RELAXED); }
usize pages_total(void) { return total_count; }

void memory_range_without(struct memory_range range, const struct memory_range *reserved, unsigned count,
                          void (*found)(paddr base, u64 size)) {
    paddr end = range.base + range.size;
    for (; count > 0; reserved++, count--) {
        paddr reserved_end = reserved->base + reserved->size;
        if (reserved->size == 0 || reserved_end <= range.base || reserved->base >= end) continue;
        if (reserved->base > range.base) {
            struct memory_range below = { range.base, reserved->base - range.base };
            memory_range_without(below, reserved + 1, count - 1, found);
        }
        if (reserved_end >= end) return;
        range = (struct memory_range){ reserved_end, end - reserved_end };
    }
    if (range.size > 0) found(range.base, range.size);
}

/* Boot: three walks of the memory map. Find its bounds, carve out the records, free the rest. */

static u64 lowest = ~0ul, highest, records_base, records_size;

static void measure_region(paddr base, u64 size) {
    if (base < lowest) lowest = base;
    if (base + size > highest) highest = base + size;
}

static void place_records(paddr base, u64 size) {
    paddr start = (base + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    if (records_base == 0 && start + records_size <= base + size) records_base = start;
}

static void free_region(paddr base, u64 size) {
    paddr start = (base + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    paddr end = (base + size) & ~(PAGE_SIZE - 1);
    while (start < end) {
        if (start >= records_base && start < records_base + records_size) {
            start = (records_base + records_size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
            continue;
        }
        paddr limit = start < records_base && end > records_base ? records_base : end;
        unsigned order = 0;
        while (order < MAX_PAGE_ORDER && (start & ((PAGE_SIZE << (order + 1)) - 1)) == 0 &&
               start + (PAGE_SIZE << (order + 1)) <= limit) {
            order++;
        }
        free_block(&records[start / PAGE_SIZE - first_frame], order);
        total_count += 1ul << order;
        start += PAGE_SIZE << order;
    }
}

void memory_init(void) {
    arch_memory_map(measure_region);
    first_frame = lowest / PAGE_SIZE;
    frame_count = highest / PAGE_SIZE - first_frame;
    records_size = (frame_count * sizeof(struct page) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    arch_memory_map(place_records);
    if (records_base == 0) panic("no room for %lu page records", frame_count);
    records = phys_to_virt(records_base);
    memset(records, 0, records_size);
    arch_memory_map(free_region);
}
