/* First fit over one list of blocks in address order; neighbours that are free become one. */
#include "memory.h"
#include "system.h"
#include "text.h"
#include <stdalign.h>

struct block {
    alignas(16) size_t size; /* of what follows the header */
    bool used;
    struct block *next;
};

static struct block *first;

static struct block *extend(struct block *last, size_t size) {
    size_t amount = (size + sizeof(struct block) + 0xffff) & ~0xfffful;
    struct block *block = sbrk((long)amount);
    if (block == MAP_FAILED) return NULL;
    *block = (struct block){ .size = amount - sizeof *block };
    if (last == NULL)
        first = block;
    else
        last->next = block;
    return block;
}

static void split(struct block *block, size_t size) {
    if (block->size < size + sizeof(struct block) + 16) return;
    struct block *rest = (struct block *)((char *)(block + 1) + size);
    *rest = (struct block){ .size = block->size - size - sizeof *rest, .next = block->next };
    block->size = size;
    block->next = rest;
}

void *malloc(size_t size) {
    struct block *last = NULL, *block;
    if (size > 1ul << 40) {
        errno = ENOMEM;
        return NULL;
    }
    size = (size + 15) & ~15ul;
    for (block = first; block != NULL; last = block, block = block->next)
        if (!block->used && block->size >= size) break;
    if (block == NULL) block = extend(last, size);
    if (block == NULL) return NULL;
    split(block, size);
    block->used = true;
    return block + 1;
}

static void join_free_blocks(void) {
    for (struct block *block = first; block != NULL; block = block->next) {
        struct block *next;
        while (!block->used && (next = block->next) != NULL && !next->used &&
               (char *)(block + 1) + block->size == (char *)next) {
            block->size += sizeof *next + next->size;
            block->next = next->next;
        }
    }
}

void free(void *memory) {
    if (memory == NULL) return;
    ((struct block *)memory - 1)->used = false;
    join_free_blocks();
}

void *realloc(void *memory, size_t size) {
    if (memory == NULL) return malloc(size);
    size_t old = ((struct block *)memory - 1)->size;
    if (old >= size) return memory;
    void *moved = malloc(size);
    if (moved == NULL) return NULL;
    memcpy(moved, memory, old);
    free(memory);
    return moved;
}
