#include "ring.h"

#include "kernel.h"
#include "memory.h"
#include "transfer.h"

#define RING_ORDER 4 /* of the pages that RING_SIZE takes */
_Static_assert(PAGE_SIZE << RING_ORDER == RING_SIZE, "ring size");

bool ring_create(struct ring *ring) {
    *ring = (struct ring){ .bytes = pages_alloc(RING_ORDER) };
    return ring->bytes != NULL;
}

void ring_free(struct ring *ring) {
    if (ring->bytes != NULL) page_put(ring->bytes);
    ring->bytes = NULL;
}

usize ring_peek(const struct ring *ring, usize skip, char *to, usize size) {
    size = smaller(size, ring_inside(ring) - smaller(skip, ring_inside(ring)));
    usize start = (ring->read + skip) % RING_SIZE, first = smaller(size, RING_SIZE - start);
    memcpy(to, ring->bytes + start, first);
    memcpy(to + first, ring->bytes, size - first);
    return size;
}

usize ring_take(struct ring *ring, char *to, usize size) {
    size = ring_peek(ring, 0, to, size);
    ring->read += size;
    return size;
}

usize ring_put(struct ring *ring, const char *from, usize size) {
    size = smaller(size, ring_room(ring));
    usize start = ring->written % RING_SIZE, first = smaller(size, RING_SIZE - start);
    memcpy(ring->bytes + start, from, first);
    memcpy(ring->bytes, from + first, size - first);
    ring->written += size;
    return size;
}
