/* A user address space: which areas exist, and the pages that were touched.
 *
 * A space is used by one running thread at a time (a vfork parent sleeps while its child borrows it), so it needs
 * no lock; its pages are shared with other spaces by fork and counted.
 */
#pragma once

#include "arch.h"
#include "file.h"
#include "types.h"

#define USER_STACK_SIZE (2048 * PAGE_SIZE) /* all of it an area from the start; pages come when touched */

struct area {
    struct area *next; /* by address */
    vaddr start, end;
    unsigned protection; /* enum page_protection */
    bool shared;         /* fork shares the pages as they are */
    struct inode *inode; /* private file mapping, or NULL */
    u64 offset;          /* of `start` in the file */
    vaddr file_end;      /* zeros from here on */
};

struct space {
    u32 references; /* atomic */
    paddr root;
    struct area *areas;
    vaddr brk_start, brk;
};

struct space *space_create(void); /* NULL when memory is out */
struct space *space_copy(struct space *from);
struct space *space_get(struct space *space);
void space_put(struct space *space);

/* `area` describes the mapping; it is copied, and takes a reference of the inode. 0 or -ENOMEM. */
int space_map(struct space *space, const struct area *area);
int space_unmap(struct space *space, vaddr start, vaddr end);
int space_protect(struct space *space, vaddr start, vaddr end, unsigned protection);
vaddr space_find_free(struct space *space, usize size, vaddr below); /* 0 when there is none */
struct area *space_area(struct space *space, vaddr address);
u64 space_size(const struct space *space); /* bytes in areas */
bool space_is_free(struct space *space, vaddr start, vaddr end);

/* Make [address] accessible as `access` wants it. 0, or the signal that the access deserves and its si_code. */
int space_fault(struct space *space, vaddr address, unsigned access, int *code);

/* From the architecture's trap code: the faulting access, by user space or on its behalf. */
void trap_page_fault(struct trap_frame *frame, vaddr address, unsigned access);
