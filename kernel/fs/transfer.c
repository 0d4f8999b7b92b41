#include "transfer.h"

#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"

#define MAX_TRANSFER 0x7ffff000ul /* as on Linux */

void transfer_init(struct transfer *transfer, vaddr base, usize size) {
    *transfer = (struct transfer){ .single = { base, smaller(size, MAX_TRANSFER) } };
    transfer->vectors = &transfer->single;
    transfer->remaining = transfer->single.size;
}

void transfer_init_kernel(struct transfer *transfer, void *base, usize size) {
    transfer_init(transfer, (vaddr)base, size);
    transfer->kernel = true;
}

void transfer_init_vectors(struct transfer *transfer, const struct io_vector *vectors, usize total) {
    *transfer = (struct transfer){ .vectors = vectors, .remaining = total };
}

static int copy_piece(const struct transfer *transfer, vaddr user, void *to, const void *from, usize size) {
    if (transfer->kernel) {
        memcpy(to != NULL ? to : (void *)user, to != NULL ? (void *)user : from, size);
        return 0;
    }
    return to != NULL ? copy_from_user(to, user, size) : copy_to_user(user, from, size);
}

/* One of `to` and `from` is NULL, and the caller's memory is in its place. */
static int move(struct transfer *transfer, char *to, const char *from, usize size) {
    while (size > 0) {
        const struct io_vector *vector = transfer->vectors;
        usize piece = smaller(size, vector->size - transfer->offset);
        if (piece > 0 && copy_piece(transfer, vector->base + transfer->offset, to, from, piece) != 0)
            return -EFAULT;
        if (to != NULL)
            to += piece;
        else
            from += piece;
        size -= piece;
        transfer->remaining -= piece;
        transfer->offset += piece;
        if (transfer->offset == vector->size && transfer->remaining > 0) {
            transfer->vectors++;
            transfer->offset = 0;
        }
    }
    return 0;
}

int transfer_in(struct transfer *transfer, void *to, usize size) { return move(transfer, to, NULL, size); }
int transfer_out(struct transfer *transfer, const void *from, usize size) {
    return move(transfer, NULL, from, size);
}

struct io_vector *vectors_from_user(vaddr array, u64 count, usize *total, int *error) {
    *error = -EINVAL;
    *total = 0;
    if (count > IOV_MAX) return NULL;
    struct io_vector *vectors = kmalloc((count + 1) * sizeof(*vectors));
    *error = -ENOMEM;
    if (vectors == NULL) return NULL;
    *error = copy_from_user(vectors, array, count * sizeof(*vectors)) != 0 ? -EFAULT : 0;
    for (u64 index = 0; index < count && *error == 0; index++) {
        if (vectors[index].size > (u64)INT64_MAX) *error = -EINVAL;
        vectors[index].size = smaller(vectors[index].size, MAX_TRANSFER - *total);
        *total += vectors[index].size;
    }
    if (*error == 0) return vectors;
    kfree(vectors);
    return NULL;
}
