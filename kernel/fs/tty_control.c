/* A terminal's modes, and its part in job control: sessions, the foreground group, the signals between them. */
#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "poll.h"
#include "process.h"
#include "signal.h"
#include "tty.h"

/* process->tty is only a claim: the session may have lost the terminal since, and another got it. */
static bool is_claim_valid(const struct process *process) {
    return process->tty != NULL && __atomic_load_n(&process->tty->session, __ATOMIC_RELAXED) == process->sid;
}

struct tty *tty_of_process(void) {
    struct process *process = current_process();
    return is_claim_valid(process) ? process->tty : NULL;
}

/* What a process outside of the foreground group may not do to its own terminal stops it, until it is brought back. */
int tty_check_background(struct tty *tty, int signal) {
    u32 pgid = current_process()->pgid, group = __atomic_load_n(&tty->group, __ATOMIC_RELAXED);
    if (tty_of_process() != tty || group == pgid || group == 0) return 0;
    if (signal_is_ignored_or_blocked(signal)) return signal == SIGTTIN ? -EIO : 0;
    if (process_group_is_orphaned(pgid)) return -EIO; /* nobody could continue it */
    signal_send_group(pgid, signal);
    return -EINTR;
}

void tty_take_as_controlling(struct tty *tty, struct process *process) {
    tty->session = process->sid;
    tty->group = process->pgid;
    process->tty = tty;
}

static int become_controlling(struct tty *tty, bool steal) {
    struct process *process = current_process();
    struct tty *present = tty_of_process();
    if (process->sid != process->pid) return -EPERM;
    if (present == tty) return 0;
    if (present != NULL) return -EPERM;
    u64 interrupts = spin_lock(&tty->lock);
    bool free = tty->session == 0 || (steal && process->uid == 0);
    if (free) tty_take_as_controlling(tty, process);
    spin_unlock(&tty->lock, interrupts);
    return free ? 0 : -EPERM;
}

/* The session loses its terminal; whoever is in the foreground is told. Its files stay as they are. */
static void give_up_session(struct tty *tty, bool leader_exits) {
    u64 interrupts = spin_lock(&tty->lock);
    u32 group = tty->group;
    tty->session = tty->group = 0;
    spin_unlock(&tty->lock, interrupts);
    if (group == 0) return;
    signal_send_group(group, SIGHUP);
    if (!leader_exits) signal_send_group(group, SIGCONT); /* else exit continues those that it orphans */
}

void tty_session_leader_exit(struct process *leader) {
    if (is_claim_valid(leader)) give_up_session(leader->tty, true);
}

static int give_up_controlling(struct tty *tty) {
    struct process *process = current_process();
    if (tty_of_process() != tty) return -ENOTTY;
    if (process->sid == process->pid) give_up_session(tty, false);
    process->tty = NULL;
    return 0;
}

static int set_foreground(struct tty *tty, vaddr address) {
    i32 group;
    int error = tty_check_background(tty, SIGTTOU);
    if (error != 0) return error;
    if (tty_of_process() != tty) return -ENOTTY;
    if (copy_from_user(&group, address, sizeof(group)) != 0) return -EFAULT;
    if (group < 0) return -EINVAL;
    if (!process_group_exists((u32)group, current_process()->sid)) {
        return signal_send_group((u32)group, 0) == 0 ? -EPERM : -ESRCH;
    }
    u64 interrupts = spin_lock(&tty->lock);
    tty->group = (u32)group;
    spin_unlock(&tty->lock, interrupts);
    return 0;
}

static int set_modes(struct tty *tty, u32 request, vaddr address) {
    struct termios termios;
    if (copy_from_user(&termios, address, sizeof(termios)) != 0) return -EFAULT;
    u64 interrupts = spin_lock(&tty->lock);
    struct termios old = tty->termios;
    if (request == TCSETSF) tty_flush_input(tty);
    tty->termios = termios;
    if ((termios.input & IXON) == 0) tty->stopped = false;
    tty_mode_changed(tty, &old);
    wake_all(&tty->readers); /* they wait by the old rules */
    wake_all(&tty->writers);
    poll_notify();
    spin_unlock(&tty->lock, interrupts);
    return 0;
}

static int get_modes(struct tty *tty, vaddr address) {
    u64 interrupts = spin_lock(&tty->lock);
    struct termios termios = tty->termios;
    spin_unlock(&tty->lock, interrupts);
    /* The C library's structure is longer, the kernel's ends with the last of the characters. */
    return copy_to_user(address, &termios, sizeof(termios));
}

static int set_window(struct tty *tty, vaddr address) {
    struct window_size window;
    if (copy_from_user(&window, address, sizeof(window)) != 0) return -EFAULT;
    u64 interrupts = spin_lock(&tty->lock);
    u32 group = memcmp(&tty->window, &window, sizeof(window)) != 0 ? tty->group : 0;
    tty->window = window;
    spin_unlock(&tty->lock, interrupts);
    if (group != 0) signal_send_group(group, SIGWINCH);
    return 0;
}

static int flush(struct tty *tty, u64 queue) {
    if (queue > TCIOFLUSH) return -EINVAL;
    if (queue == TCOFLUSH) return 0; /* output does not wait in a queue */
    u64 interrupts = spin_lock(&tty->lock);
    tty_flush_input(tty);
    spin_unlock(&tty->lock, interrupts);
    return 0;
}

static int put_number(vaddr address, u32 number) { return copy_to_user(address, &number, sizeof(number)); }

isize tty_ioctl_common(struct tty *tty, u32 request, vaddr address) {
    switch (request) {
    case TCGETS: return get_modes(tty, address);
    case TCSETS:
    case TCSETSW:
    case TCSETSF: return set_modes(tty, request, address);
    case TIOCGWINSZ: return copy_to_user(address, &tty->window, sizeof(tty->window));
    case TIOCSWINSZ: return set_window(tty, address);
    case TCSBRK:
    case TCXONC: return 0;
    default: return -ENOTTY;
    }
}

static bool changes_terminal(u32 request) {
    return request == TCSETS || request == TCSETSW || request == TCSETSF || request == TCFLSH ||
           request == TCSBRK;
}

isize tty_ioctl(struct file *file, u32 request, vaddr address) {
    struct tty *tty = file->private;
    bool ours = tty_of_process() == tty;
    if (tty_file_is_dead(file)) return request == TIOCSPGRP ? -ENOTTY : -EIO;
    int error = changes_terminal(request) ? tty_check_background(tty, SIGTTOU) : 0;
    if (error != 0) return error;
    switch (request) {
    case TIOCSCTTY: return become_controlling(tty, address == 1);
    case TIOCNOTTY: return give_up_controlling(tty);
    case TIOCGPGRP: return ours ? put_number(address, tty->group) : -ENOTTY;
    case TIOCSPGRP: return set_foreground(tty, address);
    case TIOCGSID: return ours ? put_number(address, tty->session) : -ENOTTY;
    case FIONREAD: return put_number(address, (u32)(tty->committed - tty->taken));
    case TIOCOUTQ: return put_number(address, 0);
    case TCFLSH: return flush(tty, address);
    default: return tty_ioctl_common(tty, request, address);
    }
}
