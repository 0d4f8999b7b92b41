/* Device nodes: what is behind the numbers in /dev. */
#include "device.h"

#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "process.h"
#include "stress.h"
#include "trace_validation.h"
#include "tty.h"

#define DEVICE(major, minor) ((major) << 8 | (minor))

static isize null_read(struct file *file, struct transfer *to, u64 *offset) { return 0; }

static isize null_write(struct file *file, struct transfer *from, u64 *offset) {
    isize size = (isize)from->remaining;
    from->remaining = 0;
    return size;
}

static isize zero_read(struct file *file, struct transfer *to, u64 *offset) {
    static const char zeros[512];
    isize done = 0;
    int error = 0;
    while (to->remaining > 0 && error == 0) {
        usize piece = smaller(to->remaining, sizeof(zeros));
        error = transfer_out(to, zeros, piece);
        if (error == 0) done += (isize)piece;
        if (signal_pending()) break;
    }
    return done > 0 ? done : error;
}

static isize full_write(struct file *file, struct transfer *from, u64 *offset) { return -ENOSPC; }

static isize random_read(struct file *file, struct transfer *to, u64 *offset) {
    u64 bits[32];
    isize done = 0;
    int error = 0;
    while (to->remaining > 0 && error == 0) {
        usize piece = smaller(to->remaining, sizeof(bits));
        for (unsigned index = 0; index < ARRAY_SIZE(bits); index++) bits[index] = random_word();
        error = transfer_out(to, bits, piece);
        if (error == 0) done += (isize)piece;
        if (signal_pending()) break;
    }
    return done > 0 ? done : error;
}

static i64 stay_at_zero(struct file *file, i64 offset, int whence) { return 0; }

static const struct file_operations null_operations = { .read = null_read,
                                                        .write = null_write,
                                                        .seek = stay_at_zero };
static const struct file_operations zero_operations = { .read = zero_read,
                                                        .write = null_write,
                                                        .seek = stay_at_zero };
static const struct file_operations full_operations = { .read = zero_read,
                                                        .write = full_write,
                                                        .seek = stay_at_zero };
static const struct file_operations random_operations = { .read = random_read,
                                                          .write = null_write,
                                                          .seek = stay_at_zero };

static int open_console(struct file *file, u32 flags) {
    tty_file_open(file, &console_tty,
                  flags | O_NOCTTY); /* as on Linux, it never becomes controlling by itself */
    return 0;
}

static int open_own_terminal(struct file *file, u32 flags) {
    struct tty *tty = tty_of_process();
    if (tty == NULL) return -ENXIO;
    return tty == &console_tty ? open_console(file, flags) : pty_open_same(file, tty, flags);
}

struct device {
    const char *name;
    u32 mode, number;
    const struct file_operations *operations; /* or */
    int (*open)(struct file *file, u32 flags);
};

static int open_master(struct file *file, u32 flags) { return pty_open_master(file); }

/* The kernel's checks of itself are at Linux's "local/experimental use" numbers. */
static const struct device devices[] = {
    { "null", 0666, DEVICE(1u, 3u), &null_operations, NULL },
    { "zero", 0666, DEVICE(1u, 5u), &zero_operations, NULL },
    { "full", 0666, DEVICE(1u, 7u), &full_operations, NULL },
    { "random", 0666, DEVICE(1u, 8u), &random_operations, NULL },
    { "urandom", 0666, DEVICE(1u, 9u), &random_operations, NULL },
    { "tty", 0666, DEVICE(5u, 0u), NULL, open_own_terminal },
    { "console", 0600, DEVICE(5u, 1u), NULL, open_console },
    { "ptmx", 0666, DEVICE(5u, 2u), NULL, open_master },
    { "trace", 0600, DEVICE(240u, 0u), &trace_device_operations, NULL },
    { "stress", 0600, DEVICE(240u, 1u), &stress_device_operations, NULL },
};

int device_open(struct file *file, u32 flags) {
    u32 number = file->inode->device;
    if (number >> 8 == PTY_SLAVE_MAJOR) return pty_open_slave(file, number & 0xff, flags);
    for (usize index = 0; index < ARRAY_SIZE(devices); index++) {
        if (devices[index].number != number) continue;
        if (devices[index].open != NULL) return devices[index].open(file, flags);
        file->operations = devices[index].operations;
        return 0;
    }
    return -ENXIO;
}

void devices_init(struct inode *root) {
    struct inode *directory = directory_make(root, "dev", S_IFDIR | 0755, 0);
    if (directory == NULL) panic("no memory for /dev");
    for (usize index = 0; index < ARRAY_SIZE(devices); index++) {
        directory_make(directory, devices[index].name, S_IFCHR | devices[index].mode, devices[index].number);
    }
    console_tty_init();
    pty_init(directory);
}
