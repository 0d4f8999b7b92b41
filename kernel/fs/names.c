/* The calls that make and unmake names. */
#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "path.h"
#include "process.h"
#include "syscall.h"

/* Of a directory with the sticky bit, only the owners of it and of the file may take names away. */
static int may_remove(const struct path *path) {
    const struct inode *directory = path->directory;
    int error = inode_permission(directory, MAY_WRITE);
    if (error != 0) return error;
    bool sticky = (directory->mode & S_ISVTX) != 0;
    return sticky && !inode_is_owner(directory) && !inode_is_owner(path->inode) ? -EPERM : 0;
}

static i64 create_at(u64 directory_fd, vaddr text, u32 mode, u32 device) {
    struct path path;
    struct inode *inode;
    int error = path_from_user(&path, directory_fd, text);
    if (error != 0) return error;
    u64 interrupts = spin_lock(&tree_lock);
    error = path_walk(&path, false);
    if (error == 0) error = path_create(&path, mode & ~current_process()->umask, device, &inode);
    spin_unlock(&tree_lock, interrupts);
    if (error == 0) inode_put(inode);
    path_finish(&path);
    return error;
}

SYSCALL(mkdirat) { return create_at(argument[0], argument[1], S_IFDIR | (argument[2] & 01777), 0); }

SYSCALL(mknodat) {
    u32 mode = (u32)argument[2] & (S_IFMT | 07777);
    if ((mode & S_IFMT) == 0) mode |= S_IFREG;
    if (S_ISDIR(mode)) return -EPERM;
    if (S_ISLNK(mode)) return -EINVAL;
    bool device = S_ISCHR(mode) || (mode & S_IFMT) == S_IFBLK;
    if (device && current_process()->uid != 0) return -EPERM;
    return create_at(argument[0], argument[1], mode, device ? (u32)argument[3] : 0);
}

/* A link's own mode is never looked at, so no umask. */
static int add_symbolic_link(struct path *path, char **target) {
    struct inode *inode;
    int error = path_walk(path, false);
    if (error == 0 && path->inode == NULL && path->trailing_slash) error = -ENOENT;
    if (error == 0) error = path_create(path, S_IFLNK | 0777, 0, &inode);
    if (error != 0) return error;
    inode->target = *target;
    *target = NULL;
    inode_put(inode);
    return 0;
}

static int target_from_user(vaddr text, char **target) {
    char *page = page_alloc();
    if (page == NULL) return -ENOMEM;
    isize length = string_from_user(page, text, PATH_MAX);
    *target = length > 0 ? kmalloc((usize)length + 1) : NULL;
    if (*target != NULL) memcpy(*target, page, (usize)length + 1);
    page_put(page);
    return length < 0 ? (int)length : length == 0 ? -ENOENT : *target == NULL ? -ENOSPC : 0;
}

SYSCALL(symlinkat) {
    struct path path;
    char *target;
    int error = target_from_user(argument[0], &target);
    if (error != 0) return error;
    error = path_from_user(&path, argument[1], argument[2]);
    if (error == 0) {
        u64 interrupts = spin_lock(&tree_lock);
        error = add_symbolic_link(&path, &target);
        spin_unlock(&tree_lock, interrupts);
        path_finish(&path);
    }
    kfree(target);
    return error;
}

SYSCALL(readlinkat) {
    struct inode *inode;
    if ((i32)argument[3] <= 0) return -EINVAL;
    int error = resolve_user(argument[0], argument[1], false, &inode);
    if (error != 0) return error;
    i64 result = -EINVAL;
    if (S_ISLNK(inode->mode)) {
        usize size = smaller(strlen(inode->target), (u32)argument[3]);
        result = copy_to_user(argument[2], inode->target, size) != 0 ? -EFAULT : (i64)size;
    }
    inode_put(inode);
    return result;
}

static int check_remove(const struct path *path, bool directory) {
    if (directory && path->end == PATH_DOT) return -EINVAL;
    if (directory && path->end == PATH_DOTDOT) return -ENOTEMPTY;
    if (path->end != PATH_NAME) return directory ? -EBUSY : -EISDIR;
    if (path->inode == NULL) return -ENOENT;
    int error = may_remove(path);
    if (error != 0) return error;
    if (directory && !S_ISDIR(path->inode->mode)) return -ENOTDIR;
    if (directory) return directory_is_empty(path->inode) ? 0 : -ENOTEMPTY;
    if (S_ISDIR(path->inode->mode)) return -EISDIR;
    return path->trailing_slash ? -ENOTDIR : 0;
}

static void remove_name(const struct path *path) {
    directory_remove(path->directory, directory_find(path->directory, path->name, path->length));
}

SYSCALL(unlinkat) {
    struct path path;
    if ((argument[2] & ~(u64)AT_REMOVEDIR) != 0) return -EINVAL;
    int error = path_from_user(&path, argument[0], argument[1]);
    if (error != 0) return error;
    u64 interrupts = spin_lock(&tree_lock);
    error = path_walk(&path, false);
    if (error == 0) error = check_remove(&path, argument[2] != 0);
    if (error == 0) remove_name(&path);
    spin_unlock(&tree_lock, interrupts);
    if (error == 0) inode_put(path.inode); /* the name's reference; a large file takes its time */
    path_finish(&path);
    return error;
}

/* Two paths at once */

static int paths_from_user(struct path *from, struct path *to, const u64 argument[6]) {
    int error = path_from_user(from, argument[0], argument[1]);
    if (error != 0) return error;
    error = path_from_user(to, argument[2], argument[3]);
    if (error != 0) path_finish(from);
    return error;
}

static int link_locked(struct path *from, struct path *to, bool follow) {
    int error = path_walk(from, follow);
    if (error == 0) error = path_must_exist(from);
    if (error == 0) error = path_walk(to, false);
    if (error != 0) return error;
    if (to->inode != NULL) return -EEXIST;
    if (S_ISDIR(from->inode->mode)) return -EPERM;
    return path_add(to, from->inode);
}

SYSCALL(linkat) {
    struct path from, to;
    if ((argument[4] & ~(u64)AT_SYMLINK_FOLLOW) != 0) return -EINVAL;
    int error = paths_from_user(&from, &to, argument);
    if (error != 0) return error;
    u64 interrupts = spin_lock(&tree_lock);
    error = link_locked(&from, &to, argument[4] != 0);
    spin_unlock(&tree_lock, interrupts);
    path_finish(&from);
    path_finish(&to);
    return error;
}

static int check_rename(const struct path *from, const struct path *to, u32 flags) {
    if (from->end != PATH_NAME || to->end != PATH_NAME) return -EBUSY;
    int error = path_must_exist(from);
    if (error != 0) return error;
    const struct inode *moved = from->inode, *replaced = to->inode;
    if (replaced != NULL && (flags & RENAME_NOREPLACE) != 0) return -EEXIST;
    if (!S_ISDIR(moved->mode) && to->trailing_slash) return -ENOTDIR;
    if (S_ISDIR(moved->mode) && directory_is_within(to->directory, moved)) return -EINVAL;
    if (replaced != NULL && S_ISDIR(replaced->mode) && directory_is_within(from->directory, replaced))
        return -ENOTEMPTY;
    error = may_remove(from);
    if (error == 0) error = replaced != NULL ? may_remove(to) : inode_permission(to->directory, MAY_WRITE);
    if (error != 0) return error;
    if (to->directory->links == 0) return -ENOENT;
    if (replaced == NULL) return 0;
    if (S_ISDIR(moved->mode) && !S_ISDIR(replaced->mode)) return -ENOTDIR;
    if (!S_ISDIR(moved->mode) && S_ISDIR(replaced->mode)) return -EISDIR;
    return S_ISDIR(replaced->mode) && !directory_is_empty(replaced) ? -ENOTEMPTY : 0;
}

/* The entry of `to` takes over if there is one: at no time is the name missing, nor can memory run out half-way. */
static int move_name(const struct path *from, const struct path *to, struct inode *put[2]) {
    struct inode *moved = from->inode;
    struct inode *old_parent = S_ISDIR(moved->mode) ? moved->directory.parent : NULL;
    int error = directory_add(to->directory, to->name, to->length, moved);
    if (error != 0) return error;
    put[0] = moved; /* the old name's reference */
    put[1] = old_parent;
    if (to->inode != NULL) remove_name(to); /* the older entry of the two is found first */
    remove_name(from);
    return 0;
}

static int rename_locked(struct path *from, struct path *to, u32 flags, struct inode *put[3]) {
    int error = path_walk(from, false);
    if (error == 0) error = path_walk(to, false);
    if (error == 0) error = check_rename(from, to, flags);
    if (error != 0 || from->inode == to->inode) return error;
    error = move_name(from, to, put);
    if (error == 0) put[2] = to->inode;
    return error;
}

static i64 rename_at(const u64 argument[6], u32 flags) {
    struct path from, to;
    struct inode *put[3] = { NULL, NULL, NULL };
    if ((flags & ~RENAME_NOREPLACE) != 0) return -EINVAL;
    int error = paths_from_user(&from, &to, argument);
    if (error != 0) return error;
    u64 interrupts = spin_lock(&tree_lock);
    error = rename_locked(&from, &to, flags, put);
    spin_unlock(&tree_lock, interrupts);
    for (unsigned index = 0; index < 3; index++) {
        if (put[index] != NULL) inode_put(put[index]);
    }
    path_finish(&from);
    path_finish(&to);
    return error;
}

SYSCALL(renameat) { return rename_at(argument, 0); }
SYSCALL(renameat2) { return rename_at(argument, (u32)argument[4]); }
