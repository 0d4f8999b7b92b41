/* Open files, inodes, and what each kind of them does. */
#pragma once

#include "mutex.h"
#include "spinlock.h"
#include "types.h"
#include "wait.h"

struct file;
struct inode;
struct transfer;
struct stat; /* the architecture's Linux layout: "linux_abi.h" */

struct file_operations {
    /* Byte counts or -errno. `offset` is where, and moves on; kinds that cannot seek ignore it. A kind moves bytes
     * outside of its spinlocks: user memory can fault. */
    isize (*read)(struct file *file, struct transfer *to, u64 *offset);
    isize (*write)(struct file *file, struct transfer *from, u64 *offset);
    i64 (*seek)(struct file *file, i64 offset, int whence); /* NULL: -ESPIPE, and no offset at all */
    isize (*ioctl)(struct file *file, u32 request, vaddr argument); /* NULL: -ENOTTY */
    unsigned (*poll)(struct file *file); /* what of POLLIN ... holds now; NULL: always ready */
    void (*release)(struct file *file);  /* the last reference is gone */
    u32 mode;                            /* what fstat tells of a file without an inode */
};

struct file {
    const struct file_operations *operations;
    struct inode *inode; /* NULL for pipes and sockets without a name */
    void *private;
    u64 offset;
    u32 flags;             /* O_ACCMODE, O_APPEND, O_NONBLOCK; the last two change atomically */
    u32 references;        /* atomic */
    struct mutex position; /* offset */
};

#define MAX_FILES 256

/* One process's descriptors: shared by nobody but its own threads. */
struct file_table {
    struct spinlock lock;
    struct file *files[MAX_FILES];
    u64 close_on_exec[MAX_FILES / 64];
};

extern const struct file_operations no_operations; /* of a file that is being opened */
struct file *file_create(const struct file_operations *operations, u32 flags); /* one reference, or NULL */
struct file *file_get(struct file_table *table, int fd);                         /* a new reference, or NULL */
void file_put(struct file *file);
int file_descriptor_limit(void); /* RLIMIT_NOFILE */
int file_install(struct file_table *table, struct file *file, int lowest, bool close_on_exec); /* fd or -EMFILE */

struct file *file_replace(struct file_table *table, int fd, struct file *file, bool close_on_exec); /* the old one */
bool file_close_on_exec(struct file_table *table, int fd);
void file_set_close_on_exec(struct file_table *table, int fd, bool set);

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

void file_open_console(struct file_table *table); /* descriptors 0, 1 and 2 of init */
