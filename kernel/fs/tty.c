/* A terminal as a file: open, read, poll, hang-up. */
#include "tty.h"

#include "arch.h"
#include "clock.h"
#include "errno.h"
#include "inode.h"
#include "kernel.h"
#include "memory.h"
#include "poll.h"
#include "process.h"
#include "signal.h"

static const struct termios DEFAULT_TERMIOS = {
    .input = ICRNL | IXON,
    .output = OPOST | ONLCR,
    .control = B38400 | CS8 | CREAD,
    .local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .character = { [VINTR] = 3,
                   [VQUIT] = 28,
                   [VERASE] = 127,
                   [VKILL] = 21,
                   [VEOF] = 4,
                   [VMIN] = 1,
                   [VSTART] = 17,
                   [VSTOP] = 19,
                   [VSUSP] = 26,
                   [VREPRINT] = 18,
                   [VDISCARD] = 15,
                   [VWERASE] = 23,
                   [VLNEXT] = 22 },
};

void tty_init(struct tty *tty, const struct tty_operations *operations) {
    memset(tty, 0, sizeof(*tty));
    spin_init(&tty->lock, "tty");
    mutex_init(&tty->writing, "tty writing");
    tty->operations = operations;
    tty->termios = DEFAULT_TERMIOS;
}

static usize available(const struct tty *tty) { return tty->committed - tty->taken; }
static u16 item_at(const struct tty *tty, u64 position) { return tty->queue[position % TTY_QUEUE_SIZE]; }

/* How many bytes let a read of `size` return. */
static usize bytes_wanted(const struct tty *tty, usize size) {
    usize minimum = tty->termios.character[VMIN];
    return tty_has(tty, ICANON) || minimum == 0 ? 1 : smaller(minimum, size);
}

/* Holds the lock. VTIME, in tenths of a second, starts with the call when VMIN is 0, else with each byte. 1: read what
 * there is; 0: the end; or -errno. */
static int wait_for_input(struct file *file, usize size, u64 *interrupts) {
    struct tty *tty = file->private;
    u64 deadline = 0, seen = tty->committed;
    int error = 0;
    for (;;) {
        u64 pause_ns = tty->termios.character[VTIME] * (NS_PER_SECOND / 10);
        bool raw = !tty_has(tty, ICANON), timed = raw && pause_ns != 0,
             at_once = raw && tty->termios.character[VMIN] == 0;
        if (tty_file_is_dead(file)) return 0;
        if (available(tty) >= bytes_wanted(tty, size)) return 1;
        if (at_once && !timed) return 0;
        if (error != 0) return available(tty) > 0 ? 1 : error == -ETIMEDOUT ? 0 : error;
        if ((file->flags & O_NONBLOCK) != 0) return available(tty) > 0 ? 1 : -EAGAIN;
        if (timed && at_once && deadline == 0) deadline = arch_clock_ns() + pause_ns;
        if (timed && !at_once && available(tty) > 0 && (deadline == 0 || seen != tty->committed)) {
            deadline = arch_clock_ns() + pause_ns;
        }
        seen = tty->committed;
        error = wait_on(&tty->readers, &tty->lock, interrupts, timed ? deadline : 0);
    }
}

/* Up to the end of a line in canonical mode. */
static usize take_input(struct tty *tty, char *to, usize size) {
    bool canonical = tty_has(tty, ICANON);
    usize count = 0;
    while (available(tty) > 0) {
        u16 item = item_at(tty, tty->taken);
        bool end_of_file = (item & TTY_END_OF_FILE) != 0;
        if (count == size && !(canonical && end_of_file && count > 0)) break;
        tty->taken++;
        if (!end_of_file) to[count++] = (char)item;
        if (canonical && (item & TTY_LINE_END) != 0) break;
    }
    if (tty->operations->input_taken != NULL) tty->operations->input_taken(tty);
    return count;
}

static isize tty_read(struct file *file, struct transfer *to, u64 *offset) {
    struct tty *tty = file->private;
    if (tty_file_is_dead(file)) return 0;
    int error = tty_check_background(tty, SIGTTIN);
    if (error != 0) return error;
    if (to->remaining == 0) return 0;
    char *page = page_alloc();
    if (page == NULL) return -ENOMEM;
    usize size = smaller(to->remaining, PAGE_SIZE);
    u64 interrupts = spin_lock(&tty->lock);
    isize result = wait_for_input(file, size, &interrupts);
    if (result == 1) result = (isize)take_input(tty, page, size);
    spin_unlock(&tty->lock, interrupts);
    if (result > 0 && transfer_out(to, page, (usize)result) != 0) result = -EFAULT;
    page_put(page);
    return result;
}

static unsigned tty_poll(struct file *file) {
    struct tty *tty = file->private;
    u64 interrupts = spin_lock(&tty->lock);
    bool timed = tty->termios.character[VTIME] != 0;
    unsigned ready = 0;
    if (available(tty) >= (timed ? 1 : bytes_wanted(tty, TTY_QUEUE_SIZE / 2))) ready |= POLLIN;
    if (!tty->stopped && tty->operations->room(tty) > 1) ready |= POLLOUT;
    if (tty_file_is_dead(file)) ready = POLLIN | POLLOUT | POLLERR | POLLHUP;
    spin_unlock(&tty->lock, interrupts);
    return ready;
}

static void tty_release(struct file *file) {
    struct tty *tty = file->private;
    u64 interrupts = spin_lock(&tty->lock);
    if (!tty_file_is_dead(file)) tty->opens--;
    if (tty->operations->input_taken != NULL) tty->operations->input_taken(tty);
    spin_unlock(&tty->lock, interrupts);
    if (tty->operations->closed != NULL) tty->operations->closed(tty);
}

static const struct file_operations tty_file_operations = {
    .read = tty_read,
    .write = tty_write,
    .ioctl = tty_ioctl,
    .poll = tty_poll,
    .release = tty_release,
    .mode = S_IFCHR | 0620,
};

/* file->offset, which a terminal has no other use for, remembers how often it had been hung up. */
bool tty_file_is_dead(const struct file *file) {
    const struct tty *tty = file->private;
    return file->offset != __atomic_load_n(&tty->hangups, __ATOMIC_RELAXED);
}

void tty_file_open(struct file *file, struct tty *tty, u32 flags) {
    struct process *process = current_process();
    file->operations = &tty_file_operations;
    file->private = tty;
    u64 interrupts = spin_lock(&tty->lock);
    file->offset = tty->hangups;
    tty->opens++;
    bool leader = process->sid == process->pid && tty_of_process() == NULL;
    if (leader && (flags & O_NOCTTY) == 0 && tty->session == 0) tty_take_as_controlling(tty, process);
    spin_unlock(&tty->lock, interrupts);
}

/* Every open file of it is dead, and its session has no terminal any more. */
void tty_hang_up(struct tty *tty) {
    u64 interrupts = spin_lock(&tty->lock);
    u32 session = tty->session, group = tty->group;
    tty->session = tty->group = 0;
    __atomic_fetch_add(&tty->hangups, 1, __ATOMIC_RELAXED);
    tty->opens = 0;
    tty->taken = tty->committed = tty->queued;
    tty->stopped = false;
    wake_all(&tty->readers);
    wake_all(&tty->writers);
    if (tty->operations->input_taken != NULL) tty->operations->input_taken(tty);
    poll_notify();
    spin_unlock(&tty->lock, interrupts);
    if (session != 0) {
        signal_send_group(session, SIGHUP); /* the leader's group bears the session's number */
        signal_send_group(session, SIGCONT);
    }
    if (group != 0 && group != session) {
        signal_send_group(group, SIGHUP);
        signal_send_group(group, SIGCONT);
    }
}
