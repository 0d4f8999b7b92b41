/* openat, and what an open file of the tree does. */
#include "device.h"
#include "errno.h"
#include "kernel.h"
#include "path.h"
#include "pipe.h"
#include "process.h"
#include "syscall.h"

/* Relative access time, as Linux mounts by default: it moves when it is not after the last change. */
static void touch_accessed(struct inode *inode) {
    struct time_value now = time_now();
    u64 interrupts = spin_lock(&inode->lock);
    struct time_value *accessed = &inode->accessed, *modified = &inode->modified;
    bool older = accessed->seconds < modified->seconds ||
                 (accessed->seconds == modified->seconds && accessed->nanoseconds <= modified->nanoseconds);
    if (older) *accessed = now;
    spin_unlock(&inode->lock, interrupts);
}

static isize regular_read(struct file *file, struct transfer *to, u64 *offset) {
    isize count = contents_read(file->inode, to, *offset);
    if (count > 0) *offset += (u64)count;
    touch_accessed(file->inode);
    return count;
}

static isize regular_write(struct file *file, struct transfer *from, u64 *offset) {
    return contents_write(file->inode, from, offset, (file->flags & O_APPEND) != 0);
}

static i64 regular_seek(struct file *file, i64 offset, int whence) {
    i64 base = whence == SEEK_CUR ? (i64)file->offset : whence == SEEK_END ? (i64)inode_size(file->inode) : 0;
    if (whence < SEEK_SET || whence > SEEK_END) return -EINVAL;
    if (__builtin_add_overflow(base, offset, &offset)) return -EOVERFLOW;
    if (offset < 0) return -EINVAL;
    file->offset = (u64)offset;
    return offset;
}

static const struct file_operations regular_operations = {
    .read = regular_read,
    .write = regular_write,
    .seek = regular_seek,
};

static const struct file_operations directory_operations = { .seek = regular_seek };

static int open_by_kind(struct file *file, u32 flags) {
    switch (file->inode->mode & S_IFMT) {
    case S_IFREG: file->operations = &regular_operations; return 0;
    case S_IFDIR: file->operations = &directory_operations; return 0;
    case S_IFIFO: return fifo_open(file, flags);
    case S_IFCHR: return device_open(file, flags);
    default: return -ENXIO; /* a socket's name is for connect; there are no block devices */
    }
}

static unsigned wanted_access(u32 flags) {
    static const unsigned wanted[4] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
    return wanted[flags & O_ACCMODE] | ((flags & O_TRUNC) != 0 ? MAY_WRITE : 0);
}

static int check_existing(const struct path *path, u32 flags) {
    const struct inode *inode = path->inode;
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) return -EEXIST;
    int error = path_must_exist(path);
    if (error != 0) return error;
    if ((flags & O_DIRECTORY) != 0 && !S_ISDIR(inode->mode)) return -ENOTDIR;
    if (S_ISLNK(inode->mode)) return -ELOOP; /* O_NOFOLLOW */
    if (S_ISDIR(inode->mode) && ((flags & O_CREAT) != 0 || (wanted_access(flags) & MAY_WRITE) != 0))
        return -EISDIR;
    return inode_permission(inode, wanted_access(flags));
}

/* Holds tree_lock. A reference. */
static int find_or_create(struct path *path, u32 flags, u32 mode, struct inode **inode, bool *created) {
    bool follow = (flags & O_NOFOLLOW) == 0 && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    int error = path_walk(path, follow);
    *created = error == 0 && path->inode == NULL && (flags & O_CREAT) != 0;
    if (error != 0) return error;
    if ((flags & O_CREAT) != 0 && path->trailing_slash) return -EISDIR;
    if (*created) {
        return path_create(path, S_IFREG | (mode & 07777 & ~current_process()->umask), 0, inode);
    }
    if (path->inode == NULL) return -ENOENT;
    error = check_existing(path, flags);
    if (error == 0) *inode = inode_get(path->inode);
    return error;
}

/* Takes over the reference of `inode`. */
static int open_inode(struct inode *inode, u32 flags, struct file **file) {
    *file = file_create(&no_operations, flags);
    if (*file == NULL) {
        inode_put(inode);
        return -ENFILE;
    }
    (*file)->inode = inode;
    int error = open_by_kind(*file, flags);
    if (error != 0) file_put(*file);
    return error;
}

static i64 open_and_install(struct path *path, u32 flags, u32 mode) {
    struct inode *inode;
    struct file *file;
    bool created;
    u64 interrupts = spin_lock(&tree_lock);
    int error = find_or_create(path, flags, mode, &inode, &created);
    spin_unlock(&tree_lock, interrupts);
    if (error != 0) return error;
    if ((flags & O_TRUNC) != 0 && !created && S_ISREG(inode->mode)) contents_resize(inode, 0);
    error = open_inode(inode, flags, &file);
    if (error != 0) return error;
    int fd = file_install(current_process()->files, file, 0, (flags & O_CLOEXEC) != 0);
    if (fd < 0) file_put(file);
    return fd;
}

SYSCALL(openat) {
    struct path path;
    u32 flags = (u32)argument[2];
    if ((flags & O_CREAT) != 0 && (flags & O_DIRECTORY) != 0) return -EINVAL;
    int error = path_from_user(&path, argument[0], argument[1]);
    if (error != 0) return error;
    i64 result = open_and_install(&path, flags, (u32)argument[3]);
    path_finish(&path);
    return result;
}

void file_open_console(struct file_table *table) {
    struct path path;
    struct inode *inode;
    struct file *file;
    if (path_from_kernel(&path, vfs_root(), "/dev/console") != 0) return;
    int error = path_resolve(&path, true, &inode);
    path_finish(&path);
    if (error != 0 || open_inode(inode, O_RDWR, &file) != 0) return;
    for (int fd = 0; fd < 3; fd++) {
        __atomic_fetch_add(&file->references, 1, __ATOMIC_RELAXED);
        file_install(table, file, fd, false);
    }
    file_put(file);
}
