/* Pipes: a ring of bytes between those who write and those who read.
 *
 * Lock order: an inode's lock (for its FIFO's pipe), then pipe->lock, then poll and processes.
 */
#include "pipe.h"

#include "arch.h"
#include "errno.h"
#include "inode.h"
#include "kernel.h"
#include "memory.h"
#include "poll.h"
#include "process.h"
#include "ring.h"
#include "signal.h"
#include "syscall.h"

struct pipe {
    struct spinlock lock;
    struct wait_queue readable, writable, opened;
    struct ring ring;
    u32 readers, writers;           /* open ends */
    u32 reader_opens, writer_opens; /* ever: a FIFO's other side may have come and gone before one wakes */
    u32 files;                      /* for a FIFO; under the inode's lock */
};

static const struct file_operations pipe_operations;

bool is_pipe(const struct file *file) { return file->operations == &pipe_operations; }
static bool reads(const struct file *file) { return (file->flags & O_ACCMODE) != O_WRONLY; }
static bool writes(const struct file *file) { return (file->flags & O_ACCMODE) != O_RDONLY; }
static bool is_nonblocking(const struct file *file) { return (file->flags & O_NONBLOCK) != 0; }

static struct pipe *pipe_create(void) {
    struct pipe *pipe = kmalloc(sizeof(*pipe));
    if (pipe == NULL || !ring_create(&pipe->ring)) {
        kfree(pipe);
        return NULL;
    }
    spin_init(&pipe->lock, "pipe");
    return pipe;
}

static void pipe_free(struct pipe *pipe) {
    ring_free(&pipe->ring);
    kfree(pipe);
}

/* Both sides look again. Holds the lock. */
static void notify(struct pipe *pipe) {
    wake_all(&pipe->readable);
    wake_all(&pipe->writable);
    wake_all(&pipe->opened);
    poll_notify();
}

/* Bytes, 0 at the end or when `wait` is false and there is nothing, or -errno. */
static isize take(struct file *file, char *to, usize size, bool wait) {
    struct pipe *pipe = file->private;
    isize result = 0;
    u64 interrupts = spin_lock(&pipe->lock);
    while (wait && result == 0 && ring_inside(&pipe->ring) == 0 && pipe->writers > 0) {
        result = is_nonblocking(file) ? -EAGAIN : wait_on(&pipe->readable, &pipe->lock, &interrupts, 0);
    }
    if (ring_inside(&pipe->ring) > 0) {
        result = (isize)ring_take(&pipe->ring, to, size);
        wake_all(&pipe->writable);
        poll_notify();
    }
    spin_unlock(&pipe->lock, interrupts);
    return result;
}

static isize pipe_read(struct file *file, struct transfer *to, u64 *offset) {
    if (to->remaining == 0) return 0;
    char *page = page_alloc();
    if (page == NULL) return -ENOMEM;
    isize done = 0, piece;
    do {
        piece = take(file, page, smaller(to->remaining, PAGE_SIZE), done == 0);
        if (piece > 0 && transfer_out(to, page, (usize)piece) != 0) piece = -EFAULT;
        if (piece > 0) done += piece;
    } while (piece > 0 && to->remaining > 0);
    page_put(page);
    return done > 0 ? done : piece;
}

/* All of it, or with an error less; a `whole` piece goes in at once or not at all. `put` counts. */
static int put(struct file *file, const char *from, usize size, bool whole, isize *count) {
    struct pipe *pipe = file->private;
    int error = 0;
    u64 interrupts = spin_lock(&pipe->lock);
    for (;;) {
        if (pipe->readers == 0) error = -EPIPE;
        if (error != 0) break;
        if (!whole || ring_room(&pipe->ring) >= size) {
            usize piece = ring_put(&pipe->ring, from, size);
            from += piece, size -= piece, *count += (isize)piece;
            wake_all(&pipe->readable);
            poll_notify();
        }
        if (size == 0) break;
        error = is_nonblocking(file) ? -EAGAIN : wait_on(&pipe->writable, &pipe->lock, &interrupts, 0);
    }
    spin_unlock(&pipe->lock, interrupts);
    return error;
}

static isize pipe_write(struct file *file, struct transfer *from, u64 *offset) {
    char *page = page_alloc();
    if (page == NULL) return -ENOMEM;
    bool whole = from->remaining <= PIPE_BUF;
    isize done = 0;
    int error = 0;
    while (from->remaining > 0 && error == 0) {
        usize piece = smaller(from->remaining, PAGE_SIZE);
        error = transfer_in(from, page, piece);
        if (error == 0) error = put(file, page, piece, whole, &done);
    }
    page_put(page);
    if (error == -EPIPE) signal_send(current_process(), SIGPIPE);
    return done > 0 ? done : error;
}

/* A FIFO's reader that came before any writer has not been hung up on: file->offset holds how many writers had
 * ever come when it opened; for others it is out of reach. */
static unsigned pipe_poll(struct file *file) {
    struct pipe *pipe = file->private;
    unsigned ready = 0;
    u64 interrupts = spin_lock(&pipe->lock);
    if (reads(file) && ring_inside(&pipe->ring) > 0) ready |= POLLIN;
    if (reads(file) && pipe->writers == 0 && file->offset != pipe->writer_opens) ready |= POLLHUP;
    if (writes(file) && ring_room(&pipe->ring) >= PIPE_BUF) ready |= POLLOUT;
    if (writes(file) && pipe->readers == 0) ready |= POLLERR;
    spin_unlock(&pipe->lock, interrupts);
    return ready;
}

static isize pipe_ioctl(struct file *file, u32 request, vaddr address) {
    struct pipe *pipe = file->private;
    if (request != FIONREAD) return -ENOTTY;
    u64 interrupts = spin_lock(&pipe->lock);
    i32 inside = (i32)ring_inside(&pipe->ring);
    spin_unlock(&pipe->lock, interrupts);
    return copy_to_user(address, &inside, sizeof(inside));
}

static void detach(struct inode *inode, struct pipe *pipe) {
    u64 interrupts = spin_lock(&inode->lock);
    bool last = --pipe->files == 0;
    if (last) inode->pipe = NULL;
    spin_unlock(&inode->lock, interrupts);
    if (last) pipe_free(pipe);
}

static void pipe_release(struct file *file) {
    struct pipe *pipe = file->private;
    u64 interrupts = spin_lock(&pipe->lock);
    if (reads(file)) pipe->readers--;
    if (writes(file)) pipe->writers--;
    bool last = pipe->readers == 0 && pipe->writers == 0;
    notify(pipe);
    spin_unlock(&pipe->lock, interrupts);
    if (file->inode != NULL)
        detach(file->inode, pipe);
    else if (last)
        pipe_free(pipe);
}

static const struct file_operations pipe_operations = {
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
    .release = pipe_release,
    .mode = S_IFIFO | 0600,
};

/* FIFOs */

static struct pipe *attach(struct inode *inode) {
    struct pipe *fresh = pipe_create();
    if (fresh == NULL) return NULL;
    u64 interrupts = spin_lock(&inode->lock);
    struct pipe *pipe = inode->pipe;
    if (pipe == NULL) pipe = inode->pipe = fresh, fresh = NULL;
    pipe->files++;
    spin_unlock(&inode->lock, interrupts);
    if (fresh != NULL) pipe_free(fresh);
    return pipe;
}

/* Holds the lock. The other side counts as there if it has opened meanwhile, even if it is gone again. */
static int wait_for_other_side(struct pipe *pipe, u32 *present, u32 *opens, u64 *interrupts) {
    u32 before = *opens;
    int error = 0;
    while (*present == 0 && *opens == before && error == 0) {
        error = wait_on(&pipe->opened, &pipe->lock, interrupts, 0);
    }
    return error;
}

int fifo_open(struct file *file, u32 flags) {
    struct pipe *pipe = attach(file->inode);
    if (pipe == NULL) return -ENOMEM;
    bool nonblocking = (flags & O_NONBLOCK) != 0;
    int error = 0;
    u64 interrupts = spin_lock(&pipe->lock);
    if (!reads(file) && nonblocking && pipe->readers == 0) {
        spin_unlock(&pipe->lock, interrupts);
        detach(file->inode, pipe);
        return -ENXIO;
    }
    /* From here on pipe_release undoes what we do. */
    file->operations = &pipe_operations;
    file->private = pipe;
    if (reads(file)) pipe->readers++, pipe->reader_opens++;
    if (writes(file)) pipe->writers++, pipe->writer_opens++;
    file->offset = nonblocking && pipe->writers == 0 ? pipe->writer_opens : ~0ul;
    notify(pipe);
    if (!writes(file) && !nonblocking)
        error = wait_for_other_side(pipe, &pipe->writers, &pipe->writer_opens, &interrupts);
    if (!reads(file)) error = wait_for_other_side(pipe, &pipe->readers, &pipe->reader_opens, &interrupts);
    spin_unlock(&pipe->lock, interrupts);
    return error;
}

/* pipe2 */

static int install_ends(struct file *ends[2], vaddr descriptors, bool close_on_exec) {
    struct file_table *table = current_process()->files;
    i32 fds[2];
    fds[0] = file_install(table, ends[0], 0, close_on_exec);
    if (fds[0] < 0) return fds[0];
    fds[1] = file_install(table, ends[1], 0, close_on_exec);
    int error = fds[1] < 0 ? fds[1] : copy_to_user(descriptors, fds, sizeof(fds));
    if (error == 0) return 0;
    file_replace(table, fds[0], NULL, false);
    if (fds[1] >= 0) file_replace(table, fds[1], NULL, false);
    return error;
}

SYSCALL(pipe2) {
    u32 flags = (u32)argument[1];
    if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) != 0) return -EINVAL;
    struct pipe *pipe = pipe_create();
    if (pipe == NULL) return -ENOMEM;
    struct file *ends[2] = { file_create(&pipe_operations, O_RDONLY | flags),
                             file_create(&pipe_operations, O_WRONLY | flags) };
    if (ends[0] == NULL || ends[1] == NULL) {
        kfree(ends[0]);
        kfree(ends[1]);
        pipe_free(pipe);
        return -ENFILE;
    }
    pipe->readers = pipe->writers = 1;
    ends[0]->private = ends[1]->private = pipe;
    ends[0]->offset = ~0ul;
    int error = install_ends(ends, argument[0], (flags & O_CLOEXEC) != 0);
    if (error == 0) return 0;
    file_put(ends[0]);
    file_put(ends[1]);
    return error;
}
