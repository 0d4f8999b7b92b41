/* Where a process is in the tree. */
#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "path.h"
#include "process.h"
#include "syscall.h"

/* Takes over the reference of `inode`. */
static int change_to(struct inode *inode) {
    struct process *process = current_process();
    int error = !S_ISDIR(inode->mode) ? -ENOTDIR : inode_permission(inode, MAY_EXECUTE);
    struct inode *leave = error == 0 ? process->cwd : inode;
    if (error == 0) process->cwd = inode;
    inode_put(leave);
    return error;
}

SYSCALL(chdir) {
    struct inode *inode;
    int error = resolve_user(AT_FDCWD, argument[0], true, &inode);
    return error != 0 ? error : change_to(inode);
}

SYSCALL(fchdir) {
    struct file *file = file_get(current_process()->files, (int)argument[0]);
    if (file == NULL) return -EBADF;
    int error = file->inode == NULL ? -ENOTDIR : change_to(inode_get(file->inode));
    file_put(file);
    return error;
}

static const struct entry *entry_of(const struct inode *directory) {
    const struct entry *entry = directory->directory.parent->directory.first;
    while (entry != NULL && entry->inode != directory) entry = entry->next;
    return entry;
}

/* Holds tree_lock. The path, built from its end down to *start. */
static int describe(const struct inode *directory, char *end, const char *buffer, char **start) {
    char *cursor = end;
    *--cursor = 0;
    if (directory == vfs_root()) *--cursor = '/';
    for (; directory != vfs_root(); directory = directory->directory.parent) {
        const struct entry *entry = entry_of(directory);
        if (entry == NULL) return -ENOENT; /* removed */
        if (cursor - buffer < entry->length + 1) return -ENAMETOOLONG;
        cursor -= entry->length;
        memcpy(cursor, entry->name, entry->length);
        *--cursor = '/';
    }
    *start = cursor;
    return 0;
}

SYSCALL(getcwd) {
    char *page = page_alloc(), *start = NULL;
    if (page == NULL) return -ENOMEM;
    u64 interrupts = spin_lock(&tree_lock);
    i64 result = describe(current_process()->cwd, page + PATH_MAX, page, &start);
    spin_unlock(&tree_lock, interrupts);
    if (result == 0) {
        usize size = strlen(start) + 1;
        result = size > argument[1]                            ? -ERANGE
                 : copy_to_user(argument[0], start, size) != 0 ? -EFAULT
                                                               : (i64)size;
    }
    page_put(page);
    return result;
}

SYSCALL(umask) {
    struct process *process = current_process();
    u32 old = process->umask;
    process->umask = (u32)argument[0] & 0777;
    return old;
}
