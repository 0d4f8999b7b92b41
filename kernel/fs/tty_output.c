/* A terminal's output. */
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"
#include "signal.h"
#include "tty.h"
#include "transfer.h"

#define CHUNK 1024

/* Bytes as the terminal wants them, as many as `to` has room for; how many of `from` went is in *taken. */
usize tty_cook(const struct tty *tty, char *to, usize room, const char *from, usize size, usize *taken) {
    u32 flags = tty->termios.output;
    usize length = 0, index = 0;
    for (; index < size; index++) {
        bool line_end = from[index] == '\n' && (flags & OPOST) != 0 && (flags & ONLCR) != 0;
        if (length + (line_end ? 2 : 1) > room) break;
        if (line_end) to[length++] = '\r';
        to[length++] =
            from[index] == '\r' && (flags & OPOST) != 0 && (flags & OCRNL) != 0 ? '\n' : from[index];
    }
    *taken = index;
    return length;
}

void tty_echo(struct tty *tty, const char *bytes, usize count) {
    char cooked[8];
    usize taken, length = tty_cook(tty, cooked, sizeof(cooked), bytes, count, &taken);
    tty->operations->put(tty, cooked, length);
}

struct chunk { /* one page */
    char raw[CHUNK], cooked[2 * CHUNK];
};

/* All of the chunk, or with an error less. */
static int write_chunk(struct file *file, struct tty *tty, struct chunk *chunk, usize size, isize *count) {
    int error = 0;
    usize at = 0;
    u64 interrupts = spin_lock(&tty->lock);
    while (at < size && error == 0) {
        usize room = tty->stopped ? 0 : smaller(tty->operations->room(tty), sizeof(chunk->cooked)), taken;
        if (tty_file_is_dead(file)) {
            error = -EIO;
            break;
        }
        usize length = tty_cook(tty, chunk->cooked, room, chunk->raw + at, size - at, &taken);
        tty->operations->put(tty, chunk->cooked, length);
        at += taken, *count += (isize)taken;
        if (taken > 0) continue;
        error =
            (file->flags & O_NONBLOCK) != 0 ? -EAGAIN : wait_on(&tty->writers, &tty->lock, &interrupts, 0);
    }
    spin_unlock(&tty->lock, interrupts);
    return error;
}

isize tty_write(struct file *file, struct transfer *from, u64 *offset) {
    struct tty *tty = file->private;
    if (tty_file_is_dead(file)) return -EIO;
    int error = tty_has(tty, TOSTOP) ? tty_check_background(tty, SIGTTOU) : 0;
    if (error != 0) return error;
    struct chunk *chunk = page_alloc();
    if (chunk == NULL) return -ENOMEM;
    isize done = 0;
    error = mutex_lock_interruptible(&tty->writing);
    if (error == 0) {
        while (from->remaining > 0 && error == 0) {
            usize piece = smaller(from->remaining, CHUNK);
            error = transfer_in(from, chunk->raw, piece);
            if (error == 0) error = write_chunk(file, tty, chunk, piece, &done);
        }
        mutex_unlock(&tty->writing);
    }
    page_put(chunk);
    return done > 0 ? done : error;
}
