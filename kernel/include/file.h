/* Open files, inodes, and what each kind of them does. */
#pragma once

#include "spinlock.h"
#include "types.h"
#include "wait.h"

struct file;
struct inode;
struct stat; /* the architecture's Linux layout: "linux_abi.h" */

struct file_operations {
    /* Byte counts or -errno. `offset` is the file's own for seekable kinds; others ignore it. Buffers are
     * user addresses: a kind copies with copy_to_user and copy_from_user, outside of its locks. */
    isize (*read)(struct file *file, vaddr to, usize size, u64 offset);
    isize (*write)(struct file *file, vaddr from, usize size, u64 offset);
    isize (*ioctl)(struct file *file, u32 request, vaddr argument);
    unsigned (*poll)(struct file *file); /* POLLIN | POLLOUT | POLLHUP | POLLERR that hold now */
    int (*stat)(struct file *file, struct stat *result);
    void (*release)(struct file *file); /* the last reference is gone */
};

struct file {
    const struct file_operations *operations;
    struct inode *inode; /* NULL for pipes and sockets */
    void *private;
    u64 offset;
    u32 flags;           /* O_ACCMODE, O_APPEND, O_NONBLOCK */
    u32 references;      /* atomic */
    struct spinlock lock; /* offset */
};

#define MAX_FILES 256

/* One process's descriptors: shared by nobody but its own threads. */
struct file_table {
    struct spinlock lock;
    struct file *files[MAX_FILES];
    u64 close_on_exec[MAX_FILES / 64];
};

struct file *file_create(const struct file_operations *operations, u32 flags); /* one reference, or NULL */
struct file *file_get(struct file_table *table, int fd);                         /* a new reference, or NULL */
void file_put(struct file *file);
int file_install(struct file_table *table, struct file *file, int lowest, bool close_on_exec); /* fd or -EMFILE */

struct file_table *file_table_create(void);
struct file_table *file_table_copy(struct file_table *from);
void file_table_close_on_exec(struct file_table *table);
void file_table_destroy(struct file_table *table);

/* For exec and for the kernel's own reading: a whole regular file, by path from `cwd`. 0 or -errno. */
int file_load(struct inode *cwd, const char *path, struct inode **inode);
isize inode_read_kernel(struct inode *inode, void *to, usize size, u64 offset);
u64 inode_size(const struct inode *inode);
bool inode_executable(const struct inode *inode);
struct inode *inode_get(struct inode *inode);
void inode_put(struct inode *inode);
struct inode *vfs_root(void);

void vfs_init(void);                                    /* ramfs root, /dev, /tmp, /bin */
void vfs_unpack_initrd(const void *archive, usize size); /* cpio newc */

/* poll(2) and select(2): woken whenever any file's readiness may have changed. */
void poll_notify(void);
