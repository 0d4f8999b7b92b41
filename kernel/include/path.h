/* Paths: from text to a directory, a name in it, and what the name stands for. */
#pragma once

#include "inode.h"

enum path_end { PATH_NAME, PATH_DOT, PATH_DOTDOT, PATH_ROOT };

struct path {
    char *text;          /* PATH_MAX bytes: symbolic links are spliced in while walking */
    struct inode *start; /* a reference */
    struct inode *directory; /* after the walk, under tree_lock: where the last name is or would be */
    struct inode *inode;     /* what it stands for, NULL: nothing yet */
    const char *name;        /* the last name, inside `text`; not ended by a zero */
    usize length;
    enum path_end end;
    bool trailing_slash; /* the name must be a directory's */
};

/* Copy the path and find where it starts. After success, path_finish. */
int path_from_user(struct path *path, u64 directory_fd, vaddr text);
int path_from_kernel(struct path *path, struct inode *start, const char *text);
void path_finish(struct path *path);

/* Holds tree_lock. 0 when the directory is there, whether or not the last name is. */
int path_walk(struct path *path, bool follow_last);
int path_must_exist(const struct path *path); /* after the walk: 0, -ENOENT, -ENOTDIR */

/* After the walk, holding tree_lock: make what was not there. A reference, or -errno. */
int path_create(const struct path *path, u32 mode, u32 device, struct inode **inode);
int path_add(const struct path *path, struct inode *inode); /* name something that exists */

/* Walk to what must exist: a reference. */
int path_resolve(struct path *path, bool follow_last, struct inode **inode);
int resolve_user(u64 directory_fd, vaddr text, bool follow_last, struct inode **inode);
