/* The calls that tell and change what an inode is: stat, access, modes, owners, times, sizes. */
#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "path.h"
#include "process.h"
#include "syscall.h"

#define AT_NO_AUTOMOUNT 0x800u

/* By path; or with AT_EMPTY_PATH and "", what the descriptor stands for. A reference. */
static int resolve(u64 directory_fd, vaddr text, u32 flags, struct inode **inode) {
    char first = 1;
    bool follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
    if ((flags & AT_EMPTY_PATH) != 0 && copy_from_user(&first, text, 1) != 0) return -EFAULT;
    if (first != 0) return resolve_user(directory_fd, text, follow, inode);
    if ((i32)directory_fd == AT_FDCWD) {
        *inode = inode_get(current_process()->cwd);
        return 0;
    }
    struct file *file = file_get(current_process()->files, (int)directory_fd);
    if (file == NULL) return -EBADF;
    int error = file->inode == NULL ? -EINVAL : 0;
    if (error == 0) *inode = inode_get(file->inode);
    file_put(file);
    return error;
}

SYSCALL(fstat) {
    struct file *file = file_get(current_process()->files, (int)argument[0]);
    if (file == NULL) return -EBADF;
    struct stat result = { .links = 1, .mode = file->operations->mode, .block_size = PAGE_SIZE };
    if (file->inode != NULL) inode_stat(file->inode, &result);
    file_put(file);
    return copy_to_user(argument[1], &result, sizeof(result));
}

SYSCALL(newfstatat) {
    struct inode *inode;
    struct stat result;
    u32 flags = (u32)argument[3];
    char first = 1;
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)) != 0) return -EINVAL;
    if ((flags & AT_EMPTY_PATH) != 0 && copy_from_user(&first, argument[1], 1) != 0) return -EFAULT;
    if (first == 0 && (i32)argument[0] >= 0) { /* pipes and sockets too */
        u64 of_file[6] = { argument[0], argument[2] };
        return sys_fstat(of_file);
    }
    int error = resolve(argument[0], argument[1], flags, &inode);
    if (error != 0) return error;
    inode_stat(inode, &result);
    inode_put(inode);
    return copy_to_user(argument[2], &result, sizeof(result));
}

SYSCALL(faccessat) {
    struct inode *inode;
    if ((argument[2] & ~7ul) != 0) return -EINVAL;
    int error = resolve_user(argument[0], argument[1], true, &inode);
    if (error != 0) return error;
    error = inode_permission(inode, (unsigned)argument[2]);
    inode_put(inode);
    return error;
}

/* Each change below takes over the reference of `inode`. */

static int change_mode(struct inode *inode, u32 mode) {
    bool allowed = inode_is_owner(inode);
    if (allowed) {
        u64 interrupts = spin_lock(&inode->lock);
        inode->mode = (inode->mode & S_IFMT) | (mode & 07777);
        spin_unlock(&inode->lock, interrupts);
        inode_touch(inode, false);
    }
    inode_put(inode);
    return allowed ? 0 : -EPERM;
}

/* -1 leaves one as it is. Giving files away is root's; an owner may change to a group of its own. */
static int change_owner(struct inode *inode, u32 uid, u32 gid) {
    const struct process *process = current_process();
    bool same_user = uid == ~0u || uid == inode->uid,
         own_group = gid == ~0u || gid == inode->gid || gid == process->gid;
    bool allowed = process->uid == 0 || (process->uid == inode->uid && same_user && own_group);
    if (allowed) {
        u64 interrupts = spin_lock(&inode->lock);
        if (uid != ~0u) inode->uid = uid;
        if (gid != ~0u) inode->gid = gid;
        if (!S_ISDIR(inode->mode)) inode->mode &= ~(S_ISUID | S_ISGID);
        spin_unlock(&inode->lock, interrupts);
        inode_touch(inode, false);
    }
    inode_put(inode);
    return allowed ? 0 : -EPERM;
}

SYSCALL(fchmodat) {
    struct inode *inode;
    int error = resolve_user(argument[0], argument[1], true, &inode);
    return error != 0 ? error : change_mode(inode, (u32)argument[2]);
}

SYSCALL(fchmod) {
    struct file *file = file_get(current_process()->files, (int)argument[0]);
    if (file == NULL) return -EBADF;
    int error = file->inode == NULL ? 0 : change_mode(inode_get(file->inode), (u32)argument[1]);
    file_put(file);
    return error;
}

SYSCALL(fchownat) {
    struct inode *inode;
    u32 flags = (u32)argument[4];
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return -EINVAL;
    int error = resolve(argument[0], argument[1], flags, &inode);
    return error != 0 ? error : change_owner(inode, (u32)argument[2], (u32)argument[3]);
}

/* Times */

static bool is_valid_time(const struct time_value *time) {
    i64 ns = time->nanoseconds;
    return ns == UTIME_NOW || ns == UTIME_OMIT || (ns >= 0 && ns < (i64)NS_PER_SECOND);
}

static void set_time(struct time_value *time, const struct time_value *wanted, struct time_value now) {
    if (wanted->nanoseconds == UTIME_NOW)
        *time = now;
    else if (wanted->nanoseconds != UTIME_OMIT)
        *time = *wanted;
}

/* "Now" may be set by whoever may write; other times only by the owner. */
static int change_times(struct inode *inode, const struct time_value times[2]) {
    bool both_now = times[0].nanoseconds == UTIME_NOW && times[1].nanoseconds == UTIME_NOW;
    bool nothing = times[0].nanoseconds == UTIME_OMIT && times[1].nanoseconds == UTIME_OMIT;
    int error = 0;
    if (!nothing && !inode_is_owner(inode)) error = !both_now ? -EPERM : inode_permission(inode, MAY_WRITE);
    if (!nothing && error == 0) {
        struct time_value now = time_now();
        u64 interrupts = spin_lock(&inode->lock);
        set_time(&inode->accessed, &times[0], now);
        set_time(&inode->modified, &times[1], now);
        inode->changed = now;
        spin_unlock(&inode->lock, interrupts);
    }
    inode_put(inode);
    return error;
}

SYSCALL(utimensat) {
    struct time_value times[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
    struct inode *inode;
    u32 flags = (u32)argument[3];
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return -EINVAL;
    if (argument[2] != 0 && copy_from_user(times, argument[2], sizeof(times)) != 0) return -EFAULT;
    if (!is_valid_time(&times[0]) || !is_valid_time(&times[1])) return -EINVAL;
    if (argument[1] != 0) {
        int error = resolve(argument[0], argument[1], flags, &inode);
        return error != 0 ? error : change_times(inode, times);
    }
    struct file *file = file_get(current_process()->files, (int)argument[0]); /* futimens */
    if (file == NULL) return -EBADF;
    int error = file->inode == NULL ? -EINVAL : change_times(inode_get(file->inode), times);
    file_put(file);
    return error;
}

/* Sizes */

SYSCALL(truncate) {
    struct inode *inode;
    if ((i64)argument[1] < 0) return -EINVAL;
    int error = resolve_user(AT_FDCWD, argument[0], true, &inode);
    if (error != 0) return error;
    if (S_ISDIR(inode->mode))
        error = -EISDIR;
    else if (!S_ISREG(inode->mode))
        error = -EINVAL;
    else
        error = inode_permission(inode, MAY_WRITE);
    if (error == 0) error = contents_resize(inode, argument[1]);
    inode_put(inode);
    return error;
}

static bool is_writable_regular(const struct file *file) {
    return file->inode != NULL && S_ISREG(file->inode->mode) && (file->flags & O_ACCMODE) != O_RDONLY;
}

SYSCALL(ftruncate) {
    if ((i64)argument[1] < 0) return -EINVAL;
    struct file *file = file_get(current_process()->files, (int)argument[0]);
    if (file == NULL) return -EBADF;
    int error = is_writable_regular(file) ? contents_resize(file->inode, argument[1]) : -EINVAL;
    file_put(file);
    return error;
}

SYSCALL(fallocate) {
    enum { KEEP_SIZE = 1 };
    u64 mode = argument[1];
    if ((i64)argument[2] < 0 || (i64)argument[3] <= 0) return -EINVAL;
    if ((mode & ~(u64)KEEP_SIZE) != 0) return -EOPNOTSUPP;
    struct file *file = file_get(current_process()->files, (int)argument[0]);
    if (file == NULL) return -EBADF;
    int error = -EBADF;
    if (is_writable_regular(file))
        error = contents_reserve(file->inode, argument[2], argument[3], mode == KEEP_SIZE);
    else if ((file->flags & O_ACCMODE) != O_RDONLY)
        error = file->inode == NULL ? -ESPIPE : -ENODEV;
    file_put(file);
    return error;
}

SYSCALL(statfs) {
    struct inode *inode;
    int error = resolve_user(AT_FDCWD, argument[0], true, &inode);
    if (error != 0) return error;
    inode_put(inode);
    u64 free = (storage_limit() - smaller(storage_used(), storage_limit())) / PAGE_SIZE;
    struct statfs result = { .type = TMPFS_MAGIC,
                             .block_size = PAGE_SIZE,
                             .blocks = storage_limit() / PAGE_SIZE,
                             .blocks_free = free,
                             .blocks_available = free,
                             .name_length = NAME_MAX,
                             .fragment_size = PAGE_SIZE };
    return copy_to_user(argument[1], &result, sizeof(result));
}
