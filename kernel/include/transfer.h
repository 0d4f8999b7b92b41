/* Bytes on their way between a system call's caller and the kernel: a cursor over the caller's buffers.
 *
 * User memory can fault, so no spinlock is held over transfer_in and transfer_out.
 */
#pragma once

#include "linux_abi.h"
#include "types.h"

struct transfer {
    const struct io_vector *vectors; /* the current one and those after it */
    usize offset;                    /* done of the current one */
    usize remaining;                 /* of all of them together */
    bool kernel;                     /* addresses are the kernel's own */
    struct io_vector single;
};

void transfer_init(struct transfer *transfer, vaddr base, usize size);
void transfer_init_kernel(struct transfer *transfer, void *base, usize size);
void transfer_init_vectors(struct transfer *transfer, const struct io_vector *vectors, usize total);

/* `size` bytes, at most what remains. 0 or -EFAULT. */
int transfer_in(struct transfer *transfer, void *to, usize size);         /* from the caller */
int transfer_out(struct transfer *transfer, const void *from, usize size); /* to the caller */

/* A user array of `count` vectors, checked and copied; kfree it. Sums up into `total`. NULL with *error set. */
struct io_vector *vectors_from_user(vaddr array, u64 count, usize *total, int *error);

static inline usize smaller(usize left, usize right) { return left < right ? left : right; }
