/* The calls that move bytes and the offset. */
#include "arch.h"
#include "errno.h"
#include "inode.h"
#include "memory.h"
#include "process.h"
#include "syscall.h"

typedef isize (*mover)(struct file *file, struct transfer *transfer, u64 *offset);

static bool may_read(const struct file *file) { return (file->flags & O_ACCMODE) != O_WRONLY; }
static bool may_write(const struct file *file) { return (file->flags & O_ACCMODE) != O_RDONLY; }

/* A file that fork or dup shares has one offset: who moves bytes holds it, so that writers never overlap. */
static isize move_at_offset(struct file *file, mover move, struct transfer *transfer) {
    if (file->operations->seek == NULL) return move(file, transfer, &file->offset);
    mutex_lock(&file->position);
    isize result = move(file, transfer, &file->offset);
    mutex_unlock(&file->position);
    return result;
}

/* `at` is NULL for the file's own offset. */
static i64 move_bytes(struct file *file, bool write, struct transfer *transfer, u64 *at) {
    if (write ? !may_write(file) : !may_read(file)) return -EBADF;
    mover move = write ? file->operations->write : file->operations->read;
    if (move == NULL) return file->inode != NULL && S_ISDIR(file->inode->mode) ? -EISDIR : -EINVAL;
    if (at != NULL && file->operations->seek == NULL) return -ESPIPE;
    if (at != NULL && (i64)*at < 0) return -EINVAL;
    return at != NULL ? move(file, transfer, at) : move_at_offset(file, move, transfer);
}

static i64 move_buffer(const u64 argument[6], bool write, bool positioned) {
    struct file *file = file_get(current_process()->files, (int)argument[0]);
    if (file == NULL) return -EBADF;
    struct transfer transfer;
    u64 at = argument[3];
    transfer_init(&transfer, argument[1], argument[2]);
    i64 result = (i64)argument[2] < 0 ? -EINVAL : move_bytes(file, write, &transfer, positioned ? &at : NULL);
    file_put(file);
    return result;
}

SYSCALL(read) { return move_buffer(argument, false, false); }
SYSCALL(write) { return move_buffer(argument, true, false); }
SYSCALL(pread64) { return move_buffer(argument, false, true); }
SYSCALL(pwrite64) { return move_buffer(argument, true, true); }

static i64 move_vectors(const u64 argument[6], bool write) {
    struct file *file = file_get(current_process()->files, (int)argument[0]);
    if (file == NULL) return -EBADF;
    int error;
    usize total;
    i64 result;
    struct io_vector *vectors = vectors_from_user(argument[1], argument[2], &total, &error);
    if (vectors == NULL) {
        result = error;
    } else {
        struct transfer transfer;
        transfer_init_vectors(&transfer, vectors, total);
        result = move_bytes(file, write, &transfer, NULL);
    }
    kfree(vectors);
    file_put(file);
    return result;
}

SYSCALL(readv) { return move_vectors(argument, false); }
SYSCALL(writev) { return move_vectors(argument, true); }

SYSCALL(lseek) {
    struct file *file = file_get(current_process()->files, (int)argument[0]);
    if (file == NULL) return -EBADF;
    i64 result = -ESPIPE;
    if (file->operations->seek != NULL) {
        mutex_lock(&file->position);
        result = file->operations->seek(file, (i64)argument[1], (int)argument[2]);
        mutex_unlock(&file->position);
    }
    file_put(file);
    return result;
}

SYSCALL(getdents64) {
    struct file *file = file_get(current_process()->files, (int)argument[0]);
    if (file == NULL) return -EBADF;
    i64 result = -ENOTDIR;
    if (file->inode != NULL && S_ISDIR(file->inode->mode)) {
        struct transfer transfer;
        transfer_init(&transfer, argument[1], (u32)argument[2]);
        mutex_lock(&file->position);
        result = directory_read(file->inode, &transfer, &file->offset);
        mutex_unlock(&file->position);
    }
    file_put(file);
    return result;
}

/* All is in memory: nothing is ever behind. */
SYSCALL(sync) { return 0; }

SYSCALL(fsync) {
    struct file *file = file_get(current_process()->files, (int)argument[0]);
    if (file == NULL) return -EBADF;
    bool stored = file->inode != NULL && (S_ISREG(file->inode->mode) || S_ISDIR(file->inode->mode));
    file_put(file);
    return stored ? 0 : -EINVAL;
}
