/* The serial console as a terminal. */
#include "kernel.h"
#include "tty.h"

struct tty console_tty;

static usize console_room(struct tty *tty) { return TTY_QUEUE_SIZE; } /* written at once: it never fills */

static void console_put(struct tty *tty, const char *bytes, usize count) {
    if (count > 0) console_write(bytes, count);
}

static const struct tty_operations console_operations = { .room = console_room, .put = console_put };

void console_tty_init(void) { tty_init(&console_tty, &console_operations); }

/* From the serial interrupt, of whatever CPU. */
void console_receive(char byte) {
    u64 interrupts = spin_lock(&console_tty.lock);
    tty_receive(&console_tty, (u8)byte);
    spin_unlock(&console_tty.lock, interrupts);
}
