/* What is in regular files: pages that come into being as they are written. */
#include "errno.h"
#include "inode.h"
#include "kernel.h"
#include "memory.h"

#define FANOUT_SHIFT 9
#define FANOUT       (1ul << FANOUT_SHIFT)

static const u8 zeros[PAGE_SIZE];

static void *take_page(void) {
    if (!storage_charge(PAGE_SIZE)) return NULL;
    void *page = page_alloc();
    if (page == NULL) storage_release(PAGE_SIZE);
    return page;
}

/* Another level on top until page `index` is within the tree. */
static bool grow(struct contents *contents, u64 index) {
    for (; index >> (FANOUT_SHIFT * contents->height) != 0; contents->height++) {
        if (contents->root == NULL) continue;
        void **node = take_page();
        if (node == NULL) return false;
        node[0] = contents->root;
        contents->root = node;
    }
    return true;
}

/* The page, or NULL: a hole, or with `create` no room. The caller holds the inode's lock. */
static void *find_page(struct contents *contents, u64 index, bool create) {
    if (create ? !grow(contents, index) : index >> (FANOUT_SHIFT * contents->height) != 0) return NULL;
    void **slot = &contents->root;
    for (unsigned level = contents->height;; level--) {
        if (*slot == NULL && create) {
            *slot = take_page();
            if (level == 0 && *slot != NULL) contents->pages++;
        }
        if (*slot == NULL || level == 0) return *slot;
        slot = (void **)*slot + (index >> (FANOUT_SHIFT * (level - 1)) & (FANOUT - 1));
    }
}

/* Free the pages from `keep` on below *slot, and the nodes that are left empty; returns how many pages. */
static u64 trim(void **slot, unsigned level, u64 keep) {
    u64 freed = level == 0 && *slot != NULL && keep == 0;
    if (*slot == NULL || (level == 0 && keep > 0)) return 0;
    u64 span = level == 0 ? 1 : 1ul << (FANOUT_SHIFT * (level - 1));
    for (u64 child = keep / span; level > 0 && child < FANOUT; child++) {
        u64 start = child * span;
        freed += trim((void **)*slot + child, level - 1, keep > start ? keep - start : 0);
    }
    if (keep > 0) return freed;
    page_put(*slot);
    storage_release(PAGE_SIZE);
    *slot = NULL;
    return freed;
}

void contents_free(struct contents *contents) {
    trim(&contents->root, contents->height, 0);
    *contents = (struct contents){ 0 };
}

/* A page with a reference, so that it outlives a truncation while its bytes move. */
static void *get_page(struct inode *inode, u64 index, bool create) {
    u64 interrupts = spin_lock(&inode->lock);
    void *page = find_page(&inode->contents, index, create);
    if (page != NULL) page_get(page);
    spin_unlock(&inode->lock, interrupts);
    return page;
}

isize contents_read(struct inode *inode, struct transfer *to, u64 offset) {
    isize done = 0;
    int error = 0;
    while (to->remaining > 0 && error == 0) {
        u64 size = inode_size(inode);
        if (offset >= size) break;
        usize start = offset % PAGE_SIZE;
        usize piece = smaller(smaller(to->remaining, PAGE_SIZE - start), size - offset);
        u8 *page = get_page(inode, offset / PAGE_SIZE, false);
        usize before = to->remaining;
        error = transfer_out(to, page != NULL ? page + start : zeros, piece);
        if (page != NULL) page_put(page);
        offset += before - to->remaining; /* the vectors before the one that faulted count */
        done += (isize)(before - to->remaining);
    }
    return done > 0 ? done : error;
}

static void extend(struct inode *inode, u64 end) {
    struct time_value now = time_now();
    u64 interrupts = spin_lock(&inode->lock);
    if (end > inode->contents.size) inode->contents.size = end;
    inode->modified = inode->changed = now;
    inode->mode &= ~(S_ISUID | S_ISGID);
    spin_unlock(&inode->lock, interrupts);
}

isize contents_write(struct inode *inode, struct transfer *from, u64 *offset, bool append) {
    isize done = 0;
    int error = 0;
    mutex_lock(&inode->writing);
    u64 at = append ? inode_size(inode) : *offset;
    while (from->remaining > 0 && error == 0) {
        usize start = at % PAGE_SIZE;
        usize piece = smaller(from->remaining, PAGE_SIZE - start);
        u8 *page = at + piece > MAX_FILE_SIZE ? NULL : get_page(inode, at / PAGE_SIZE, true);
        if (page == NULL) {
            error = at + piece > MAX_FILE_SIZE ? -EFBIG : -ENOSPC;
            break;
        }
        usize before = from->remaining;
        error = transfer_in(from, page + start, piece);
        page_put(page);
        at += before - from->remaining;
        done += (isize)(before - from->remaining);
    }
    if (done > 0) {
        extend(inode, at);
        *offset = at;
    }
    mutex_unlock(&inode->writing);
    return done > 0 ? done : error;
}

/* Cut: what is behind the end of the last page must read as zeros if the file grows again. */
int contents_resize(struct inode *inode, u64 size) {
    if (size > MAX_FILE_SIZE) return -EFBIG;
    struct contents gone = { 0 };
    struct time_value now = time_now();
    mutex_lock(&inode->writing);
    u64 interrupts = spin_lock(&inode->lock);
    struct contents *contents = &inode->contents;
    if (size == 0) {
        gone = *contents;
        *contents = (struct contents){ 0 };
    } else if (size < contents->size) {
        u64 keep = (size + PAGE_SIZE - 1) / PAGE_SIZE;
        contents->pages -= trim(&contents->root, contents->height, keep);
        u8 *last = size % PAGE_SIZE != 0 ? find_page(contents, size / PAGE_SIZE, false) : NULL;
        if (last != NULL) memset(last + size % PAGE_SIZE, 0, PAGE_SIZE - size % PAGE_SIZE);
    }
    contents->size = size;
    inode->modified = inode->changed = now;
    spin_unlock(&inode->lock, interrupts);
    mutex_unlock(&inode->writing);
    contents_free(&gone); /* out of the lock: there may be many */
    return 0;
}

int contents_reserve(struct inode *inode, u64 offset, u64 size, bool keep_size) {
    if (offset + size > MAX_FILE_SIZE) return -EFBIG;
    int error = 0;
    mutex_lock(&inode->writing);
    for (u64 index = offset / PAGE_SIZE; index * PAGE_SIZE < offset + size && error == 0; index++) {
        void *page = get_page(inode, index, true);
        if (page == NULL)
            error = -ENOSPC;
        else
            page_put(page);
    }
    if (error == 0 && !keep_size) extend(inode, offset + size);
    mutex_unlock(&inode->writing);
    return error;
}

isize inode_read_kernel(struct inode *inode, void *to, usize size, u64 offset) {
    struct transfer transfer;
    if (!S_ISREG(inode->mode)) return -EINVAL;
    transfer_init_kernel(&transfer, to, size);
    return contents_read(inode, &transfer, offset);
}
