/* The calls that shape an address space: brk, mmap, munmap, mprotect. */
#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"
#include "space.h"
#include "syscall.h"

#define PROT_READ  1u
#define PROT_WRITE 2u
#define PROT_EXEC  4u

#define MAP_SHARED          0x01u
#define MAP_PRIVATE         0x02u
#define MAP_FIXED           0x10u
#define MAP_ANONYMOUS       0x20u
#define MAP_FIXED_NOREPLACE 0x100000u

#define O_ACCMODE 3u
#define O_WRONLY  1u

static struct space *current_space(void) { return process_space(current_process()); }
static u64 page_align(u64 size) { return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1); }

/* A write implies reading: neither architecture has pages that can only be written. */
static unsigned protection_of(u64 prot) {
    unsigned protection = 0;
    if (prot & (PROT_READ | PROT_WRITE)) protection |= PAGE_READ;
    if (prot & PROT_WRITE) protection |= PAGE_WRITE;
    if (prot & PROT_EXEC) protection |= PAGE_EXECUTE | PAGE_READ;
    return protection;
}

/* Beyond all memory there is no point in promising; beyond the limit no right. */
static bool may_grow(struct space *space, u64 size) {
    return size <= pages_total() * PAGE_SIZE && space_size(space) + size <= process_limit(LIMIT_ADDRESS_SPACE);
}

SYSCALL(brk) {
    struct space *space = current_space();
    vaddr wanted = argument[0];
    vaddr old_end = page_align(space->brk), new_end = page_align(wanted);
    if (wanted < space->brk_start || wanted >= USER_MMAP_TOP) return (i64)space->brk;
    if (new_end < old_end) {
        if (space_unmap(space, new_end, old_end) != 0) return (i64)space->brk;
    } else if (new_end > old_end) {
        struct area area = { .start = old_end, .end = new_end, .protection = PAGE_READ | PAGE_WRITE };
        if (!may_grow(space, new_end - old_end) || !space_is_free(space, old_end, new_end) ||
            space_map(space, &area) != 0) {
            return (i64)space->brk;
        }
    }
    space->brk = wanted;
    return (i64)wanted;
}

/* Shared anonymous memory exists from the start, so that every fork has the same pages. */
static int populate_shared(struct space *space, const struct area *area) {
    for (vaddr va = area->start; va < area->end; va += PAGE_SIZE) {
        void *page = page_alloc();
        if (page == NULL || arch_map(space->root, va, virt_to_phys(page), area->protection) != 0) {
            if (page != NULL) page_put(page);
            space_unmap(space, area->start, area->end);
            return -ENOMEM;
        }
    }
    return 0;
}

static i64 choose_address(struct space *space, vaddr hint, usize size, u64 flags) {
    bool fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
    bool fits = hint % PAGE_SIZE == 0 && hint >= PAGE_SIZE && hint + size > hint && hint + size <= USER_STACK_TOP;
    if (fixed && !fits) return -EINVAL;
    bool free = fits && space_is_free(space, hint, hint + size);
    if ((flags & MAP_FIXED_NOREPLACE) != 0 && !free) return -EEXIST;
    if ((flags & MAP_FIXED) != 0 && !free && space_unmap(space, hint, hint + size) != 0) return -ENOMEM;
    if (fixed || free) return (i64)hint;
    vaddr found = space_find_free(space, size, USER_MMAP_TOP);
    return found == 0 ? -ENOMEM : (i64)found;
}

static int find_file(u64 descriptor, u64 offset, struct area *area, struct file **file) {
    *file = file_get(current_process()->files, (int)descriptor);
    if (*file == NULL) return -EBADF;
    if ((*file)->inode == NULL || inode_size((*file)->inode) == 0) return -ENODEV;
    if (((*file)->flags & O_ACCMODE) == O_WRONLY) return -EACCES;
    u64 size = inode_size((*file)->inode);
    area->inode = (*file)->inode;
    area->offset = offset;
    area->file_end = size > offset ? area->start + (size - offset) : area->start;
    return 0;
}

SYSCALL(mmap) {
    struct space *space = current_space();
    usize size = page_align(argument[1]);
    u64 flags = argument[3], offset = argument[5];
    bool anonymous = (flags & MAP_ANONYMOUS) != 0, shared = (flags & 3) == MAP_SHARED;
    if (size == 0 || offset % PAGE_SIZE != 0) return -EINVAL;
    if (!shared && (flags & 3) != MAP_PRIVATE) return -EINVAL;
    if (!may_grow(space, size)) return -ENOMEM;
    if (shared && !anonymous) return -ENODEV; /* no page cache to share */
    if (shared && size > pages_free() * PAGE_SIZE) return -ENOMEM;

    i64 start = choose_address(space, argument[0], size, flags);
    if (start < 0) return start;
    struct area area = {
        .start = (vaddr)start, .end = (vaddr)start + size, .shared = shared, .protection = protection_of(argument[2])
    };
    struct file *file = NULL;
    int error = anonymous ? 0 : find_file(argument[4], offset, &area, &file);
    if (error == 0) error = space_map(space, &area);
    if (file != NULL) file_put(file);
    if (error == 0 && shared) error = populate_shared(space, &area);
    return error != 0 ? error : start;
}

static bool is_user_range(vaddr start, usize size) {
    return start % PAGE_SIZE == 0 && size != 0 && start + size > start && start + size <= USER_END;
}

SYSCALL(munmap) {
    usize size = page_align(argument[1]);
    if (!is_user_range(argument[0], size)) return -EINVAL;
    return space_unmap(current_space(), argument[0], argument[0] + size);
}

SYSCALL(mprotect) {
    usize size = page_align(argument[1]);
    if (argument[1] == 0 && argument[0] % PAGE_SIZE == 0) return 0;
    if (!is_user_range(argument[0], size)) return -EINVAL;
    return space_protect(current_space(), argument[0], argument[0] + size, protection_of(argument[2]));
}

SYSCALL(madvise) { return argument[0] % PAGE_SIZE == 0 ? 0 : -EINVAL; } /* advice may be ignored */
