/* Terminals: the line discipline that the console and the pseudo-terminals share.
 *
 * Lock order: tty->writing (a mutex), then tty->lock, then poll, processes and the console. Input arrives in interrupts:
 * tty->lock, like every spinlock, is only ever held with interrupts off.
 */
#pragma once

#include "file.h"
#include "linux_abi.h"
#include "mutex.h"
#include "transfer.h"
#include "types.h"

#define TTY_QUEUE_SIZE 4096

struct process;
struct tty;

struct tty_operations {
    usize (*room)(struct tty *tty);                                /* bytes that `put` takes now */
    void (*put)(struct tty *tty, const char *bytes, usize count);  /* beyond the room they are lost */
    void (*input_taken)(struct tty *tty); /* under the lock: there is room for input again, or a file less; NULL */
    void (*closed)(struct tty *tty);      /* a file is gone; NULL */
};

/* Input is a queue of three parts, by counters that only grow: [taken, committed) can be read, [committed, queued) is
 * the line that is still edited. Outside of canonical mode the second part is empty. */
struct tty {
    struct spinlock lock; /* all but `writing` and `operations` */
    struct mutex writing; /* one write at a time, so that they do not mix */
    const struct tty_operations *operations;
    struct termios termios;
    struct window_size window;
    u32 session, group; /* whose controlling terminal it is, and who is in the foreground; 0: nobody */
    u32 hangups;        /* a file opened before the last one is dead */
    u32 opens;          /* live files */
    bool stopped;       /* by ^S */
    bool literal;       /* after ^V: the next byte is text, whatever it is */
    u64 taken, committed, queued;
    u16 queue[TTY_QUEUE_SIZE]; /* a byte, and TTY_LINE_END or TTY_END_OF_FILE */
    struct wait_queue readers, writers;
};

#define TTY_LINE_END    0x100u
#define TTY_END_OF_FILE 0x200u /* no byte: read returns what is before it */

void tty_init(struct tty *tty, const struct tty_operations *operations);
void tty_file_open(struct file *file, struct tty *tty, u32 flags); /* may become the controlling terminal */
void tty_hang_up(struct tty *tty);

/* tty_input.c, under the lock */
void tty_receive(struct tty *tty, u8 byte);
usize tty_input_room(const struct tty *tty);
void tty_flush_input(struct tty *tty);
void tty_mode_changed(struct tty *tty, const struct termios *old);
static inline bool tty_has(const struct tty *tty, u32 local_flag) { return (tty->termios.local & local_flag) != 0; }

/* tty_output.c */
usize tty_cook(const struct tty *tty, char *to, usize room, const char *from, usize size, usize *taken);
void tty_echo(struct tty *tty, const char *bytes, usize count); /* under the lock */
isize tty_write(struct file *file, struct transfer *from, u64 *offset);

/* tty_control.c */
isize tty_ioctl(struct file *file, u32 request, vaddr address);
isize tty_ioctl_common(struct tty *tty, u32 request, vaddr address); /* those that a pseudo-terminal's master has too */
int tty_check_background(struct tty *tty, int signal); /* 0, -EINTR after the signal, -EIO */
struct tty *tty_of_process(void);                      /* the controlling terminal, or NULL */
void tty_take_as_controlling(struct tty *tty, struct process *process); /* under the lock */
bool tty_file_is_dead(const struct file *file);

/* console.c, pty.c */
extern struct tty console_tty;
void console_tty_init(void);
#define PTY_SLAVE_MAJOR 136u
void pty_init(struct inode *device_directory);
int pty_open_master(struct file *file);
int pty_open_slave(struct file *file, u32 number, u32 flags);
int pty_open_same(struct file *file, struct tty *tty, u32 flags);
