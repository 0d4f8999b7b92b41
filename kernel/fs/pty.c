/* Pseudo-terminals: a terminal whose other end is a file, the master, in place of a serial line.
 *
 * Lock order: slots_lock, then a terminal's lock.
 */
#include "arch.h"
#include "errno.h"
#include "inode.h"
#include "kernel.h"
#include "memory.h"
#include "poll.h"
#include "process.h"
#include "tty.h"

#define MAX_PTYS    32
#define OUTPUT_SIZE 4096

/* A pty is never freed, only taken again once neither master nor slave files are left: processes keep pointers to
 * their terminal (see tty_of_process). */
struct pty {
    struct tty tty; /* the slave's; its lock guards what follows, but for `files` */
    u32 number;
    u32 files; /* of master and slave, dead ones too; under slots_lock */
    bool master_open, locked;
    bool slave_seen;        /* since when a master without a slave reads -EIO */
    char ring[OUTPUT_SIZE]; /* what the slave wrote */
    u64 read, written;
    struct wait_queue master_readers, master_writers;
};

static struct pty *ptys[MAX_PTYS];
static struct spinlock slots_lock = SPINLOCK_INIT("pty slots");
static struct inode *slaves; /* /dev/pts */

static struct pty *pty_of(struct tty *tty) { return container_of(tty, struct pty, tty); }

/* The slave's side */

static usize slave_room(struct tty *tty) {
    struct pty *pty = pty_of(tty);
    return OUTPUT_SIZE - (usize)(pty->written - pty->read);
}

static void slave_put(struct tty *tty, const char *bytes, usize count) {
    struct pty *pty = pty_of(tty);
    count = smaller(count, slave_room(tty));
    for (usize index = 0; index < count; index++) pty->ring[pty->written++ % OUTPUT_SIZE] = bytes[index];
    wake_all(&pty->master_readers);
    poll_notify();
}

static void slave_input_taken(struct tty *tty) {
    struct pty *pty = pty_of(tty);
    wake_all(&pty->master_writers);
    wake_all(&pty->master_readers); /* the last slave may have gone */
    poll_notify();
}

static void release_slot(struct pty *pty) {
    u64 interrupts = spin_lock(&slots_lock);
    pty->files--;
    spin_unlock(&slots_lock, interrupts);
}

static void slave_closed(struct tty *tty) { release_slot(pty_of(tty)); }

static const struct tty_operations slave_operations = {
    .room = slave_room,
    .put = slave_put,
    .input_taken = slave_input_taken,
    .closed = slave_closed,
};

int pty_open_slave(struct file *file, u32 number, u32 flags) {
    if (number >= MAX_PTYS || ptys[number] == NULL) return -ENXIO;
    struct pty *pty = ptys[number];
    u64 interrupts = spin_lock(&slots_lock);
    bool open = pty->master_open && !pty->locked;
    if (open) pty->files++;
    spin_unlock(&slots_lock, interrupts);
    if (!open) return -EIO;
    tty_file_open(file, &pty->tty, flags);
    pty->slave_seen = true;
    return 0;
}

int pty_open_same(struct file *file, struct tty *tty, u32 flags) {
    return pty_open_slave(file, pty_of(tty)->number, flags);
}

/* The master's side */

static bool slave_is_gone(const struct pty *pty) { return pty->slave_seen && pty->tty.opens == 0; }

/* Holds the lock: until there is something to read. */
static int wait_for_output(struct file *file, struct pty *pty, u64 *interrupts) {
    int error = 0;
    while (pty->read == pty->written && error == 0) {
        if (slave_is_gone(pty))
            error = -EIO;
        else if ((file->flags & O_NONBLOCK) != 0)
            error = -EAGAIN;
        else
            error = wait_on(&pty->master_readers, &pty->tty.lock, interrupts, 0);
    }
    return pty->read != pty->written ? 0 : error;
}

static isize master_read(struct file *file, struct transfer *to, u64 *offset) {
    struct pty *pty = file->private;
    if (to->remaining == 0) return 0;
    char *page = page_alloc();
    if (page == NULL) return -ENOMEM;
    usize count = 0;
    u64 interrupts = spin_lock(&pty->tty.lock);
    isize result = wait_for_output(file, pty, &interrupts);
    while (count < smaller(to->remaining, PAGE_SIZE) && pty->read != pty->written) {
        page[count++] = pty->ring[pty->read++ % OUTPUT_SIZE];
    }
    if (count > 0) {
        wake_all(&pty->tty.writers);
        poll_notify();
    }
    spin_unlock(&pty->tty.lock, interrupts);
    if (count > 0) result = transfer_out(to, page, count) != 0 ? -EFAULT : (isize)count;
    page_put(page);
    return result;
}

/* As if typed. */
static int type(struct file *file, struct pty *pty, const char *bytes, usize count, isize *done) {
    int error = 0;
    u64 interrupts = spin_lock(&pty->tty.lock);
    for (usize index = 0; index < count && error == 0;) {
        if (tty_input_room(&pty->tty) > 0) {
            tty_receive(&pty->tty, (u8)bytes[index++]);
            ++*done;
        } else {
            error = (file->flags & O_NONBLOCK) != 0
                        ? -EAGAIN
                        : wait_on(&pty->master_writers, &pty->tty.lock, &interrupts, 0);
        }
    }
    spin_unlock(&pty->tty.lock, interrupts);
    return error;
}

static isize master_write(struct file *file, struct transfer *from, u64 *offset) {
    char bytes[256];
    isize done = 0;
    int error = 0;
    while (from->remaining > 0 && error == 0) {
        usize piece = smaller(from->remaining, sizeof(bytes));
        error = transfer_in(from, bytes, piece);
        if (error == 0) error = type(file, file->private, bytes, piece, &done);
    }
    return done > 0 ? done : error;
}

static unsigned master_poll(struct file *file) {
    struct pty *pty = file->private;
    unsigned ready = 0;
    u64 interrupts = spin_lock(&pty->tty.lock);
    if (pty->read != pty->written) ready |= POLLIN;
    if (tty_input_room(&pty->tty) > 0) ready |= POLLOUT;
    if (slave_is_gone(pty)) ready |= POLLHUP;
    spin_unlock(&pty->tty.lock, interrupts);
    return ready;
}

static int put_number(vaddr address, u32 number) { return copy_to_user(address, &number, sizeof(number)); }

static int set_locked(struct pty *pty, vaddr address) {
    i32 locked;
    if (copy_from_user(&locked, address, sizeof(locked)) != 0) return -EFAULT;
    pty->locked = locked != 0;
    return 0;
}

/* A descriptor of the slave without its path; flags as for open. */
static isize open_peer(struct pty *pty, u32 flags) {
    struct file *file = file_create(&no_operations, flags);
    if (file == NULL) return -ENFILE;
    int result = pty_open_slave(file, pty->number, flags);
    if (result == 0) result = file_install(current_process()->files, file, 0, (flags & O_CLOEXEC) != 0);
    if (result < 0) file_put(file);
    return result;
}

static isize master_ioctl(struct file *file, u32 request, vaddr address) {
    struct pty *pty = file->private;
    switch (request) {
    case TIOCGPTN: return put_number(address, pty->number);
    case TIOCSPTLCK: return set_locked(pty, address);
    case TIOCGPTLCK: return put_number(address, pty->locked);
    case TIOCGPTPEER: return open_peer(pty, (u32)address);
    case TIOCGPGRP: return put_number(address, pty->tty.group);
    case TIOCGSID: return pty->tty.session != 0 ? put_number(address, pty->tty.session) : -ENOTTY;
    case FIONREAD: return put_number(address, (u32)(pty->written - pty->read));
    default: return tty_ioctl_common(&pty->tty, request, address);
    }
}

static void format_number(char name[12], u32 number) { format_text(name, 12, "%u", number); }

static void remove_slave_name(u32 number) {
    char name[12];
    struct inode *inode = NULL;
    format_number(name, number);
    u64 interrupts = spin_lock(&tree_lock);
    struct entry *entry = directory_find(slaves, name, strlen(name));
    if (entry != NULL) {
        inode = entry->inode;
        directory_remove(slaves, entry);
    }
    spin_unlock(&tree_lock, interrupts);
    if (inode != NULL) inode_put(inode);
}

static void master_release(struct file *file) {
    struct pty *pty = file->private;
    u64 interrupts = spin_lock(&slots_lock);
    pty->master_open = false; /* no slave can be opened from now on */
    spin_unlock(&slots_lock, interrupts);
    remove_slave_name(pty->number);
    tty_hang_up(&pty->tty);
    release_slot(pty);
}

static const struct file_operations master_operations = {
    .read = master_read,
    .write = master_write,
    .ioctl = master_ioctl,
    .poll = master_poll,
    .release = master_release,
    .mode = S_IFCHR | 0666,
};

/* Holds slots_lock: a pty that nobody has, ready to be used. */
static struct pty *take_slot(void) {
    for (u32 number = 0; number < MAX_PTYS; number++) {
        if (ptys[number] == NULL) ptys[number] = kmalloc(sizeof(struct pty));
        struct pty *pty = ptys[number];
        if (pty == NULL || pty->files != 0) continue;
        u32 hangups = pty->tty.hangups;
        memset(pty, 0, sizeof(*pty));
        tty_init(&pty->tty, &slave_operations);
        pty->tty.hangups = hangups;
        pty->number = number;
        pty->files = 1;
        pty->master_open = pty->locked = true;
        return pty;
    }
    return NULL;
}

int pty_open_master(struct file *file) {
    char name[12];
    u64 interrupts = spin_lock(&slots_lock);
    struct pty *pty = take_slot();
    spin_unlock(&slots_lock, interrupts);
    if (pty == NULL) return -ENOSPC;
    file->operations = &master_operations;
    file->private = pty;
    format_number(name, pty->number);
    return directory_make(slaves, name, S_IFCHR | 0620, PTY_SLAVE_MAJOR << 8 | pty->number) != NULL ? 0 : -ENOSPC;
}

void pty_init(struct inode *device_directory) {
    slaves = directory_make(device_directory, "pts", S_IFDIR | 0755, 0);
}
