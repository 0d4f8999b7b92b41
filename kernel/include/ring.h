/* A ring of bytes, for pipes and connections. Its user guards it. */
#pragma once

#include "types.h"

#define RING_SIZE 65536ul

struct ring {
    char *bytes;
    u64 read, written; /* bytes in all; their difference is what is inside */
};

bool ring_create(struct ring *ring); /* false when memory is out */
void ring_free(struct ring *ring);   /* fine for one that never was */
static inline usize ring_inside(const struct ring *ring) { return ring->written - ring->read; }
static inline usize ring_room(const struct ring *ring) { return RING_SIZE - ring_inside(ring); }

/* As much of `size` as there is, or as fits; returns how much. */
usize ring_take(struct ring *ring, char *to, usize size);
usize ring_peek(const struct ring *ring, usize skip, char *to, usize size);
usize ring_put(struct ring *ring, const char *from, usize size);
