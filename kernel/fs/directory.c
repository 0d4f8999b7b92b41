/* Directories: names in the order in which they came. */
#include "errno.h"
#include "inode.h"
#include "kernel.h"
#include "memory.h"

struct spinlock tree_lock = SPINLOCK_INIT("tree");

static u32 hash_of(const char *name, usize length) {
    u32 hash = 2166136261u; /* FNV-1a */
    for (usize index = 0; index < length; index++) hash = (hash ^ (u8)name[index]) * 16777619u;
    return hash;
}

struct entry *directory_find(const struct inode *directory, const char *name, usize length) {
    u32 hash = hash_of(name, length);
    struct entry *entry = directory->directory.first;
    for (; entry != NULL; entry = entry->next) {
        if (entry->hash == hash && entry->length == length && memcmp(entry->name, name, length) == 0) break;
    }
    return entry;
}

int directory_add(struct inode *directory, const char *name, usize length, struct inode *inode) {
    if (directory->links == 0) return -ENOENT; /* removed, but still somebody's working directory */
    struct entry *entry = kmalloc(sizeof(*entry) + length + 1);
    if (entry == NULL) return -ENOSPC;
    entry->inode = inode_get(inode);
    entry->position = directory->directory.next_position++;
    entry->hash = hash_of(name, length);
    entry->length = (u8)length;
    memcpy(entry->name, name, length);
    if (directory->directory.last != NULL)
        directory->directory.last->next = entry;
    else
        directory->directory.first = entry;
    directory->directory.last = entry;
    if (S_ISDIR(inode->mode)) {
        inode->directory.parent = inode_get(directory);
        directory->links++; /* the child's `..` */
        inode->links++;     /* its `.` */
    }
    inode->links++;
    inode_touch(directory, true);
    inode_touch(inode, false);
    return 0;
}

/* A directory keeps its parent, for the sake of those who are still in it: inode_put lets it go. */
void directory_remove(struct inode *directory, struct entry *entry) {
    struct entry **link = &directory->directory.first, *previous = NULL;
    for (; *link != entry; link = &(*link)->next) previous = *link;
    *link = entry->next;
    if (directory->directory.last == entry) directory->directory.last = previous;
    struct inode *inode = entry->inode;
    if (S_ISDIR(inode->mode)) {
        directory->links--;
        inode->links--;
    }
    inode->links--;
    inode_touch(directory, true);
    inode_touch(inode, false);
    kfree(entry);
}

bool directory_is_empty(const struct inode *directory) { return directory->directory.first == NULL; }

bool directory_is_within(const struct inode *directory, const struct inode *ancestor) {
    while (directory != NULL && directory != ancestor) directory = directory->directory.parent;
    return directory != NULL;
}

struct inode *directory_make(struct inode *directory, const char *name, u32 mode, u32 device) {
    struct inode *inode = inode_create(mode, device);
    if (inode == NULL) return NULL;
    u64 interrupts = spin_lock(&tree_lock);
    int error = directory_find(directory, name, strlen(name)) != NULL ? -EEXIST : 0;
    if (error == 0) error = directory_add(directory, name, strlen(name), inode);
    spin_unlock(&tree_lock, interrupts);
    inode_put(inode); /* the name's reference remains */
    return error == 0 ? inode : NULL;
}

/* Reading */

struct listing {
    char *page;
    usize used, room;
    u64 position; /* of the next name to tell */
    bool full;
};

static bool list_name(struct listing *listing, const char *name, usize length, const struct inode *inode) {
    usize size = (offsetof(struct directory_record, name) + length + 1 + 7) & ~7ul;
    listing->full = listing->used + size > listing->room;
    if (listing->full) return false;
    struct directory_record *record = (void *)(listing->page + listing->used);
    memset(record, 0, size);
    record->number = inode->number;
    record->next = (i64)listing->position + 1;
    record->length = (u16)size;
    record->type = (u8)(inode->mode >> 12);
    memcpy(record->name, name, length);
    listing->used += size;
    listing->position++;
    return true;
}

/* Positions 0 and 1 are `.` and `..`; a name's own is stored with it. */
static void list_directory(struct listing *listing, const struct inode *directory) {
    const struct inode *parent = directory->directory.parent;
    if (listing->position == 0 && !list_name(listing, ".", 1, directory)) return;
    if (listing->position == 1 && !list_name(listing, "..", 2, parent != NULL ? parent : directory)) return;
    for (const struct entry *entry = directory->directory.first; entry != NULL; entry = entry->next) {
        if (entry->position < listing->position) continue;
        listing->position = entry->position;
        if (!list_name(listing, entry->name, entry->length, entry->inode)) return;
    }
}

/* getdents64. One page at a time is enough for any name. */
isize directory_read(struct inode *directory, struct transfer *to, u64 *offset) {
    struct listing listing = { .page = page_alloc(),
                               .room = smaller(to->remaining, PAGE_SIZE),
                               .position = *offset };
    if (listing.page == NULL) return -ENOMEM;
    u64 interrupts = spin_lock(&tree_lock);
    bool removed = directory->links == 0;
    if (!removed) list_directory(&listing, directory);
    spin_unlock(&tree_lock, interrupts);
    isize result = removed ? -ENOENT : listing.used == 0 && listing.full ? -EINVAL : (isize)listing.used;
    if (result > 0 && transfer_out(to, listing.page, listing.used) != 0) result = -EFAULT;
    if (result >= 0) *offset = listing.position;
    page_put(listing.page);
    return result;
}
