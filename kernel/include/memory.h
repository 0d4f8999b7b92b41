/* Physical pages and the kernel heap. */
#pragma once

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
void *phys_to_virt(paddr address);

void *kmalloc(usize size);  /* zeroed, 16-byte aligned; NULL when memory is out */
void kfree(void *memory);   /* NULL is fine */
