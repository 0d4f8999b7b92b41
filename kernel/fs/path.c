/* Walking paths. */
#include "path.h"

#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"

#define MAX_LINKS 40 /* symbolic links in one walk, as on Linux */

static usize component_length(const char *text) {
    usize length = 0;
    while (text[length] != 0 && text[length] != '/') length++;
    return length;
}

/* The target in place of the walked part of the text, before what is `rest`. */
static int splice(struct path *path, const char *target, const char *rest) {
    usize target_length = strlen(target), rest_size = strlen(rest) + 1;
    if (target_length + rest_size > PATH_MAX) return -ENAMETOOLONG;
    memmove(path->text + target_length, rest, rest_size);
    memcpy(path->text, target, target_length);
    return 0;
}

static void stand_at(struct path *path, struct inode *inode, enum path_end end) {
    path->directory = path->inode = inode;
    path->end = end;
}

/* Where the text starts: it may be absolute. */
static void begin(struct path *path, struct inode *start) {
    if (path->text[0] == '/')
        stand_at(path, vfs_root(), PATH_ROOT);
    else
        stand_at(path, start, PATH_DOT);
}

/* One name, which may turn out to be a symbolic link to go on with: *cursor is then at its target. */
static int step(struct path *path, char **cursor, usize length, bool follow_last, unsigned *links) {
    struct inode *at = path->inode;
    char *name = *cursor, *rest = name + length;
    *cursor = rest;
    path->trailing_slash = *rest == '/';
    if (length == 1 && name[0] == '.') {
        stand_at(path, at, PATH_DOT);
        return 0;
    }
    if (length == 2 && name[0] == '.' && name[1] == '.') {
        stand_at(path, at->directory.parent != NULL ? at->directory.parent : at, PATH_DOTDOT);
        return 0;
    }
    struct entry *entry = directory_find(at, name, length);
    struct inode *inode = entry != NULL ? entry->inode : NULL;
    bool follow = follow_last || *rest == '/';
    if (inode != NULL && S_ISLNK(inode->mode) && follow) {
        if (++*links > MAX_LINKS) return -ELOOP;
        int error = splice(path, inode->target, rest);
        *cursor = path->text;
        begin(path, at);
        return error;
    }
    path->directory = at;
    path->inode = inode;
    path->name = name;
    path->length = length;
    path->end = PATH_NAME;
    return 0;
}

int path_walk(struct path *path, bool follow_last) {
    unsigned links = 0;
    char *cursor = path->text;
    path->trailing_slash = false;
    if (*cursor == 0) return -ENOENT;
    begin(path, path->start);
    for (;;) {
        while (*cursor == '/') cursor++;
        if (*cursor == 0) return 0;
        /* Another name: what we have so far must be a directory that may be searched. */
        if (path->inode == NULL) return -ENOENT;
        if (!S_ISDIR(path->inode->mode)) return -ENOTDIR;
        int error = inode_permission(path->inode, MAY_EXECUTE);
        usize length = component_length(cursor);
        if (error == 0 && length > NAME_MAX) error = -ENAMETOOLONG;
        if (error == 0) error = step(path, &cursor, length, follow_last, &links);
        if (error != 0) return error;
    }
}

int path_must_exist(const struct path *path) {
    if (path->inode == NULL) return -ENOENT;
    return path->trailing_slash && !S_ISDIR(path->inode->mode) ? -ENOTDIR : 0;
}

int path_add(const struct path *path, struct inode *inode) {
    if (path->inode != NULL) return -EEXIST;
    if (path->trailing_slash && !S_ISDIR(inode->mode)) return -ENOENT;
    if (path->directory->links == 0) return -ENOENT; /* removed under its users */
    int error = inode_permission(path->directory, MAY_WRITE);
    return error != 0 ? error : directory_add(path->directory, path->name, path->length, inode);
}

int path_create(const struct path *path, u32 mode, u32 device, struct inode **inode) {
    if (path->inode != NULL) return -EEXIST;
    *inode = inode_create(mode, device);
    if (*inode == NULL) return -ENOSPC;
    int error = path_add(path, *inode);
    if (error != 0) inode_put(*inode);
    return error;
}

static int find_start(struct path *path, i32 directory_fd) {
    struct process *process = current_process();
    if (path->text[0] == '/' || directory_fd == AT_FDCWD) {
        path->start = inode_get(process->cwd);
        return 0;
    }
    struct file *file = file_get(process->files, directory_fd);
    if (file == NULL) return -EBADF;
    struct inode *inode = file->inode;
    int error = inode == NULL || !S_ISDIR(inode->mode) ? -ENOTDIR : 0;
    if (error == 0) path->start = inode_get(inode);
    file_put(file);
    return error;
}

int path_from_user(struct path *path, u64 directory_fd, vaddr text) {
    *path = (struct path){ .text = page_alloc() };
    if (path->text == NULL) return -ENOMEM;
    isize length = string_from_user(path->text, text, PATH_MAX);
    int error = length < 0 ? (int)length : length == 0 ? -ENOENT : find_start(path, (i32)directory_fd);
    if (error != 0) page_put(path->text);
    return error;
}

int path_from_kernel(struct path *path, struct inode *start, const char *text) {
    *path = (struct path){ .text = page_alloc() };
    if (path->text == NULL) return -ENOMEM;
    string_copy(path->text, text, PATH_MAX);
    path->start = inode_get(start);
    return 0;
}

void path_finish(struct path *path) {
    inode_put(path->start);
    page_put(path->text);
}

int path_resolve(struct path *path, bool follow_last, struct inode **inode) {
    u64 interrupts = spin_lock(&tree_lock);
    int error = path_walk(path, follow_last);
    if (error == 0) error = path_must_exist(path);
    if (error == 0) *inode = inode_get(path->inode);
    spin_unlock(&tree_lock, interrupts);
    return error;
}

int resolve_user(u64 directory_fd, vaddr text, bool follow_last, struct inode **inode) {
    struct path path;
    int error = path_from_user(&path, directory_fd, text);
    if (error != 0) return error;
    error = path_resolve(&path, follow_last, inode);
    path_finish(&path);
    return error;
}

int file_load(struct inode *cwd, const char *path_text, struct inode **inode) {
    struct path path;
    int error = path_from_kernel(&path, cwd, path_text);
    if (error != 0) return error;
    error = path_resolve(&path, true, inode);
    path_finish(&path);
    if (error != 0 || S_ISREG((*inode)->mode)) return error;
    inode_put(*inode);
    return -EACCES;
}
