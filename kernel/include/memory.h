/* Physical pages and the kernel heap. */
#pragma once

#include "arch_types.h"
#include "types.h"

/* One zeroed page, by its address in the kernel's direct map; NULL when memory is out.
 * Pages are counted: fork shares them, the last page_put frees. */
void *page_alloc(void);
void page_get(void *page);
void page_put(void *page);
u32 page_references(const void *page);
usize pages_free(void);
usize pages_total(void);
paddr virt_to_phys(const void *address);
static inline void *phys_to_virt(paddr address) { return (void *)(address + DIRECT_MAP_BASE); }

/* 2^order pages that lie together, not zeroed; page_put on the first frees them all. */
#define MAX_PAGE_ORDER 10
void *pages_alloc(unsigned order);

void *kmalloc(usize size);  /* zeroed, 16-byte aligned; NULL when memory is out */
void kfree(void *memory);   /* NULL is fine */

void memory_init(void);

/* Physical memory [base, base + size) without the reserved ranges, piece by piece. */
struct memory_range {
    paddr base;
    u64 size;
};
void memory_range_without(struct memory_range range, const struct memory_range *reserved, unsigned count,
                          void (*found)(paddr base, u64 size));
