/* The calls that handle descriptors: close, dup, fcntl, ioctl. */
#include "arch.h"
#include "errno.h"
#include "inode.h"
#include "pipe.h"
#include "process.h"
#include "syscall.h"

SYSCALL(close) {
    struct file_table *table = current_process()->files;
    int fd = (int)argument[0];
    if (fd < 0 || fd >= MAX_FILES) return -EBADF;
    struct file *file = file_replace(table, fd, NULL, false);
    if (file == NULL) return -EBADF;
    file_put(file);
    return 0;
}

static i64 duplicate(int fd, u64 lowest, bool close_on_exec) {
    struct file_table *table = current_process()->files;
    struct file *file = file_get(table, fd);
    if (file == NULL) return -EBADF;
    i64 result = lowest >= (u64)file_descriptor_limit()
                     ? -EINVAL
                     : file_install(table, file, (int)lowest, close_on_exec);
    if (result < 0) file_put(file);
    return result;
}

SYSCALL(dup) { return duplicate((int)argument[0], 0, false); }

SYSCALL(dup3) {
    struct file_table *table = current_process()->files;
    int from = (int)argument[0], to = (int)argument[1];
    u32 flags = (u32)argument[2];
    if ((flags & ~O_CLOEXEC) != 0 || from == to) return -EINVAL;
    if (to < 0 || to >= file_descriptor_limit()) return -EBADF;
    struct file *file = file_get(table, from);
    if (file == NULL) return -EBADF;
    struct file *old = file_replace(table, to, file, (flags & O_CLOEXEC) != 0);
    if (old != NULL) file_put(old);
    return to;
}

static void set_flags(struct file *file, u32 settable, u32 flags) {
    u32 old = __atomic_load_n(&file->flags, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&file->flags, &old, (old & ~settable) | (flags & settable), false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

static i64 control(struct file *file, int fd, int command, u64 value) {
    struct file_table *table = current_process()->files;
    switch (command) {
    case F_GETFD: return file_close_on_exec(table, fd) ? FD_CLOEXEC : 0;
    case F_SETFD: file_set_close_on_exec(table, fd, (value & FD_CLOEXEC) != 0); return 0;
    case F_GETFL: return __atomic_load_n(&file->flags, __ATOMIC_RELAXED);
    case F_SETFL: set_flags(file, O_APPEND | O_NONBLOCK, (u32)value); return 0;
    case F_GETPIPE_SZ: return is_pipe(file) ? PIPE_SIZE : -EBADF;
    case F_SETPIPE_SZ: return !is_pipe(file) ? -EBADF : value <= PIPE_SIZE ? PIPE_SIZE : -EPERM;
    default: return -EINVAL;
    }
}

SYSCALL(fcntl) {
    int fd = (int)argument[0], command = (int)argument[1];
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
        return duplicate(fd, argument[2], command == F_DUPFD_CLOEXEC);
    }
    struct file *file = file_get(current_process()->files, fd);
    if (file == NULL) return -EBADF;
    i64 result = control(file, fd, command, argument[2]);
    file_put(file);
    return result;
}

static i64 set_nonblocking(struct file *file, vaddr address) {
    i32 on;
    if (copy_from_user(&on, address, sizeof(on)) != 0) return -EFAULT;
    set_flags(file, O_NONBLOCK, on != 0 ? O_NONBLOCK : 0);
    return 0;
}

/* The two numbers that every kind of file knows; on a regular file FIONREAD tells what is left of it. */
static i64 bytes_left(struct file *file, vaddr address) {
    u64 size = inode_size(file->inode);
    i32 left = size > file->offset ? (i32)(size - file->offset) : 0;
    return copy_to_user(address, &left, sizeof(left));
}

SYSCALL(ioctl) {
    int fd = (int)argument[0];
    u32 request = (u32)argument[1];
    struct file_table *table = current_process()->files;
    struct file *file = file_get(table, fd);
    if (file == NULL) return -EBADF;
    i64 result = 0;
    if (request == FIOCLEX || request == FIONCLEX)
        file_set_close_on_exec(table, fd, request == FIOCLEX);
    else if (request == FIONBIO)
        result = set_nonblocking(file, argument[2]);
    else if (file->operations->ioctl != NULL)
        result = file->operations->ioctl(file, request, argument[2]);
    else if (request == FIONREAD && file->inode != NULL && S_ISREG(file->inode->mode))
        result = bytes_left(file, argument[2]);
    else
        result = -ENOTTY;
    file_put(file);
    return result;
}
