/* Inodes: their life, attributes, and the memory that they may use. */
#include "inode.h"

#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"

#define INODE_CHARGE 512ul /* an inode with its name, about */

static u64 last_number;
static u64 used_bytes;

u64 storage_limit(void) { return pages_total() * PAGE_SIZE / 2; }
u64 storage_used(void) { return __atomic_load_n(&used_bytes, __ATOMIC_RELAXED); }

bool storage_charge(usize bytes) {
    if (__atomic_add_fetch(&used_bytes, bytes, __ATOMIC_RELAXED) <= storage_limit()) return true;
    storage_release(bytes);
    return false;
}

void storage_release(usize bytes) { __atomic_fetch_sub(&used_bytes, bytes, __ATOMIC_RELAXED); }

struct time_value time_now(void) {
    u64 ns = clock_realtime_ns();
    return (struct time_value){ (i64)(ns / NS_PER_SECOND), (i64)(ns % NS_PER_SECOND) };
}

struct inode *inode_create(u32 mode, u32 device) {
    if (!storage_charge(INODE_CHARGE)) return NULL;
    struct inode *inode = kmalloc(sizeof(*inode));
    if (inode == NULL) {
        storage_release(INODE_CHARGE);
        return NULL;
    }
    const struct process *process = current_process();
    inode->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
    inode->references = 1;
    inode->device = device;
    inode->mode = mode;
    inode->uid = process != NULL ? process->uid : 0;
    inode->gid = process != NULL ? process->gid : 0;
    inode->accessed = inode->modified = inode->changed = time_now();
    spin_init(&inode->lock, "inode");
    mutex_init(&inode->writing, "inode writing");
    if (S_ISDIR(mode)) inode->directory.next_position = 3; /* after `.` and `..` */
    return inode;
}

struct inode *inode_get(struct inode *inode) {
    __atomic_fetch_add(&inode->references, 1, __ATOMIC_RELAXED);
    return inode;
}

/* A directory keeps its parent: the loop ends where somebody else still has one. */
void inode_put(struct inode *inode) {
    while (inode != NULL && __atomic_sub_fetch(&inode->references, 1, __ATOMIC_ACQ_REL) == 0) {
        struct inode *parent = NULL;
        if (S_ISREG(inode->mode)) contents_free(&inode->contents);
        if (S_ISDIR(inode->mode)) parent = inode->directory.parent;
        if (S_ISLNK(inode->mode)) kfree(inode->target);
        kfree(inode);
        storage_release(INODE_CHARGE);
        inode = parent;
    }
}

/* Root passes, but that it executes only what somebody may execute. */
int inode_permission(const struct inode *inode, unsigned wanted) {
    const struct process *process = current_process();
    u32 mode = inode->mode;
    unsigned allowed = process != NULL && process->uid == inode->uid   ? mode >> 6
                       : process != NULL && process->gid == inode->gid ? mode >> 3
                                                                       : mode;
    if (process == NULL || process->uid == 0) {
        allowed = MAY_READ | MAY_WRITE;
        if (S_ISDIR(mode) || (mode & 0111) != 0) allowed |= MAY_EXECUTE;
    }
    return (wanted & ~allowed & 7) == 0 ? 0 : -EACCES;
}

bool inode_is_owner(const struct inode *inode) {
    u32 uid = current_process()->uid;
    return uid == 0 || uid == inode->uid;
}

void inode_touch(struct inode *inode, bool modified) {
    struct time_value now = time_now();
    u64 interrupts = spin_lock(&inode->lock);
    inode->changed = now;
    if (modified) inode->modified = now;
    spin_unlock(&inode->lock, interrupts);
}

u64 inode_size(const struct inode *inode) {
    if (S_ISLNK(inode->mode)) return strlen(inode->target);
    return S_ISREG(inode->mode) ? __atomic_load_n(&inode->contents.size, __ATOMIC_RELAXED) : 0;
}

bool inode_executable(const struct inode *inode) {
    return S_ISREG(inode->mode) && inode_permission(inode, MAY_EXECUTE) == 0;
}

void inode_stat(struct inode *inode, struct stat *result) {
    *result = (struct stat){ .device = 1, .number = inode->number, .block_size = PAGE_SIZE };
    u64 interrupts = spin_lock(&inode->lock);
    result->mode = inode->mode;
    result->links = inode->links;
    result->uid = inode->uid;
    result->gid = inode->gid;
    result->special_device = inode->device;
    result->size = (i64)inode_size(inode);
    if (S_ISREG(inode->mode)) result->blocks = (i64)(inode->contents.pages * (PAGE_SIZE / 512));
    result->accessed = inode->accessed.seconds;
    result->accessed_ns = inode->accessed.nanoseconds;
    result->modified = inode->modified.seconds;
    result->modified_ns = inode->modified.nanoseconds;
    result->changed = inode->changed.seconds;
    result->changed_ns = inode->changed.nanoseconds;
    spin_unlock(&inode->lock, interrupts);
}
