/* One record for each physical page. Private to memory/. */
#pragma once

#include "types.h"

struct page {
    u32 references; /* 0: free, or inside a larger block */
    u8 order;       /* of the block that starts here */
    bool free;      /* starts a free block */
    u8 slab_class;  /* heap: size class + 1, 0 for whole pages */
    u16 slab_used;  /* heap: objects in use */
    void *slab_free;
    struct page *next, *previous; /* a free list, or the heap's list of slabs with room */
};

struct page *page_of(const void *address);
void *page_address(const struct page *page);
