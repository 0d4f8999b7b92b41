/* Inodes: what names in directories stand for. All of them are in memory; there is one file system.
 *
 * Lock order: a mutex (inode->writing, file->position), then tree_lock, then one inode's lock.
 */
#pragma once

#include "clock.h"
#include "file.h"
#include "linux_abi.h"
#include "mutex.h"
#include "spinlock.h"
#include "transfer.h"
#include "types.h"

struct pipe;

struct entry { /* a name in a directory; holds a reference of the inode */
    struct entry *next; /* by position */
    struct inode *inode;
    u64 position; /* never reused in its directory, so that a reader that stops in between finds its place again */
    u32 hash;
    u8 length;
    char name[];
};

struct directory {
    struct inode *parent; /* a reference, even after removal, so that `..` works; NULL: the root */
    struct entry *first, *last;
    u64 next_position;
};

/* The pages of a regular file: a tree of 512-way nodes, as high as the file is long. NULL is a hole, of zeros. */
struct contents {
    u64 size;
    u64 pages;
    unsigned height; /* 0: `root` is page 0 itself */
    void *root;
};

struct inode {
    u64 number;
    u32 references; /* atomic: names, open files, working directories, walks */
    u32 device;     /* of a device node */
    struct spinlock lock; /* mode, uid, gid, times, contents, pipe */
    u32 mode, uid, gid;
    u32 links; /* tree_lock */
    struct time_value accessed, modified, changed;
    struct mutex writing; /* whoever changes contents, from choosing the offset to setting the size */
    union {
        struct directory directory; /* tree_lock */
        struct contents contents;
        char *target;
        struct pipe *pipe;
    };
};

/* Names, links and directories of the whole tree. Nothing under it sleeps: all is in memory. */
extern struct spinlock tree_lock;

struct time_value time_now(void);
struct inode *inode_create(u32 mode, u32 device);          /* one reference, no name; NULL when memory is out */
int inode_permission(const struct inode *inode, unsigned wanted); /* 0 or -EACCES, for the current process */
bool inode_is_owner(const struct inode *inode);
void inode_touch(struct inode *inode, bool modified);      /* its change time is now */
void inode_stat(struct inode *inode, struct stat *result);

/* A share of memory for the file system, so that a runaway writer cannot exhaust the kernel. */
bool storage_charge(usize bytes);
void storage_release(usize bytes);
u64 storage_used(void);
u64 storage_limit(void);

/* contents.c: for regular files. */
#define MAX_FILE_SIZE (1ul << 40)
isize contents_read(struct inode *inode, struct transfer *to, u64 offset);
isize contents_write(struct inode *inode, struct transfer *from, u64 *offset, bool append);
int contents_resize(struct inode *inode, u64 size);
int contents_reserve(struct inode *inode, u64 offset, u64 size, bool keep_size);
void contents_free(struct contents *contents);

/* directory.c: the caller holds tree_lock, but at boot. */
struct entry *directory_find(const struct inode *directory, const char *name, usize length);
int directory_add(struct inode *directory, const char *name, usize length, struct inode *inode); /* takes a reference */
void directory_remove(struct inode *directory, struct entry *entry); /* gives the reference to the caller */
bool directory_is_empty(const struct inode *directory);
bool directory_is_within(const struct inode *directory, const struct inode *ancestor);
isize directory_read(struct inode *directory, struct transfer *to, u64 *offset); /* takes tree_lock */

/* Boot and devices: make a name below `directory` without asking for permission; NULL when it cannot be. */
struct inode *directory_make(struct inode *directory, const char *name, u32 mode, u32 device);
