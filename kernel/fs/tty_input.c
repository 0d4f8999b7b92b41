/* A terminal's input: editing lines, echo, and keys that are signals. Everything here runs under tty->lock, much of it
 * in the serial interrupt. */
#include "kernel.h"
#include "poll.h"
#include "process.h"
#include "signal.h"
#include "tty.h"

static bool is_key(const struct tty *tty, unsigned key, u8 byte) {
    return byte != 0 && tty->termios.character[key] == byte; /* 0 disables a key */
}

static bool is_control(u8 byte) { return byte < ' ' || byte == 0x7f; }
static bool is_shown_with_caret(const struct tty *tty, u8 byte) {
    return is_control(byte) && byte != '\t' && byte != '\n' && tty_has(tty, ECHOCTL);
}

static void echo(struct tty *tty, u8 byte) {
    char caret[2] = { '^', (char)(byte ^ 0x40) }, plain = (char)byte;
    if (is_shown_with_caret(tty, byte))
        tty_echo(tty, caret, 2);
    else
        tty_echo(tty, &plain, 1);
}

static void append(struct tty *tty, u16 item) { tty->queue[tty->queued++ % TTY_QUEUE_SIZE] = item; }

static void commit(struct tty *tty) {
    tty->committed = tty->queued;
    wake_all(&tty->readers);
    poll_notify();
}

/* A place is kept for the end of a line: without it nothing could be read. */
usize tty_input_room(const struct tty *tty) {
    usize used = tty->queued - tty->taken;
    if (used < TTY_QUEUE_SIZE - 1) return TTY_QUEUE_SIZE - 1 - used;
    /* An endless line: what does not fit is dropped, since no reader will make room. */
    return tty_has(tty, ICANON) && tty->committed == tty->taken ? 1 : 0;
}

void tty_flush_input(struct tty *tty) {
    tty->taken = tty->committed = tty->queued;
    if (tty->operations->input_taken != NULL) tty->operations->input_taken(tty);
}

static void erase_one(struct tty *tty) {
    u8 byte = (u8)tty->queue[--tty->queued % TTY_QUEUE_SIZE];
    if (!tty_has(tty, ECHO)) return;
    if (!tty_has(tty, ECHOE)) {
        echo(tty, tty->termios.character[VERASE]);
        return;
    }
    for (unsigned width = is_shown_with_caret(tty, byte) ? 2 : is_control(byte) ? 0 : 1; width > 0; width--) {
        tty_echo(tty, "\b \b", 3);
    }
}

static void erase_word(struct tty *tty) {
    bool in_word = false;
    while (tty->queued > tty->committed) {
        u8 byte = (u8)tty->queue[(tty->queued - 1) % TTY_QUEUE_SIZE];
        if (byte != ' ' && byte != '\t')
            in_word = true;
        else if (in_word)
            break;
        erase_one(tty);
    }
}

static void erase_line(struct tty *tty) {
    if (tty_has(tty, ECHO) && tty_has(tty, ECHOK) && !(tty_has(tty, ECHOKE) && tty_has(tty, ECHOE))) {
        tty->queued = tty->committed;
        echo(tty, tty->termios.character[VKILL]);
        tty_echo(tty, "\n", 1);
        return;
    }
    while (tty->queued > tty->committed) erase_one(tty);
}

static void show_again(struct tty *tty) {
    if (!tty_has(tty, ECHO)) return;
    echo(tty, tty->termios.character[VREPRINT]);
    tty_echo(tty, "\n", 1);
    for (u64 at = tty->committed; at < tty->queued; at++) echo(tty, (u8)tty->queue[at % TTY_QUEUE_SIZE]);
}

/* True when the byte was a signal's key. */
static bool receive_signal(struct tty *tty, u8 byte) {
    int signal = is_key(tty, VINTR, byte)   ? SIGINT
                 : is_key(tty, VQUIT, byte) ? SIGQUIT
                 : is_key(tty, VSUSP, byte) ? SIGTSTP
                                            : 0;
    if (signal == 0 || !tty_has(tty, ISIG)) return false;
    if (!tty_has(tty, NOFLSH)) tty_flush_input(tty);
    tty->stopped = false;
    if (tty_has(tty, ECHO)) echo(tty, byte);
    if (tty->group != 0) signal_send_group(tty->group, signal);
    wake_all(&tty->writers);
    return true;
}

/* True when the byte was ^S or ^Q. */
static bool receive_flow_control(struct tty *tty, u8 byte) {
    if ((tty->termios.input & IXON) == 0 || !(is_key(tty, VSTART, byte) || is_key(tty, VSTOP, byte)))
        return false;
    tty->stopped = is_key(tty, VSTOP, byte);
    wake_all(&tty->writers);
    poll_notify();
    return true;
}

static void receive_text(struct tty *tty, u8 byte) {
    if (tty->queued - tty->taken >= TTY_QUEUE_SIZE - 1) {
        if (tty_has(tty, ECHO)) tty_echo(tty, "\a", 1);
        return;
    }
    if (tty_has(tty, ECHO)) echo(tty, byte);
    append(tty, byte);
    if (!tty_has(tty, ICANON)) commit(tty);
}

static void end_line(struct tty *tty, u16 item) {
    if (tty->queued - tty->taken >= TTY_QUEUE_SIZE) return;
    append(tty, item);
    commit(tty);
}

static void receive_canonical(struct tty *tty, u8 byte) {
    bool extended = tty_has(tty, IEXTEN);
    if (is_key(tty, VERASE, byte)) {
        if (tty->queued > tty->committed) erase_one(tty);
    } else if (is_key(tty, VKILL, byte)) {
        erase_line(tty);
    } else if (extended && is_key(tty, VWERASE, byte)) {
        erase_word(tty);
    } else if (extended && is_key(tty, VREPRINT, byte)) {
        show_again(tty);
    } else if (is_key(tty, VEOF, byte)) {
        end_line(tty, TTY_END_OF_FILE | TTY_LINE_END);
    } else if (byte == '\n') {
        if (tty_has(tty, ECHO) || tty_has(tty, ECHONL)) tty_echo(tty, "\n", 1);
        end_line(tty, '\n' | TTY_LINE_END);
    } else if (is_key(tty, VEOL, byte) || (extended && is_key(tty, VEOL2, byte))) {
        if (tty_has(tty, ECHO)) echo(tty, byte);
        end_line(tty, byte | TTY_LINE_END);
    } else {
        receive_text(tty, byte);
    }
}

void tty_receive(struct tty *tty, u8 byte) {
    u32 input = tty->termios.input;
    if ((input & ISTRIP) != 0) byte &= 0x7f;
    if (tty->literal || (is_key(tty, VLNEXT, byte) && tty_has(tty, ICANON) && tty_has(tty, IEXTEN))) {
        tty->literal = !tty->literal;
        if (!tty->literal)
            receive_text(tty, byte);
        else if (tty_has(tty, ECHO))
            tty_echo(tty, "^\b", 2);
        return;
    }
    if (receive_signal(tty, byte) || receive_flow_control(tty, byte)) return;
    if (byte == '\r') {
        if ((input & IGNCR) != 0) return;
        if ((input & ICRNL) != 0) byte = '\n';
    } else if (byte == '\n' && (input & INLCR) != 0) {
        byte = '\r';
    }
    if (tty_has(tty, ICANON))
        receive_canonical(tty, byte);
    else
        receive_text(tty, byte);
}

/* Between lines and bytes: what is there already is a line from now on, or readable byte by byte. */
void tty_mode_changed(struct tty *tty, const struct termios *old) {
    if (((old->local ^ tty->termios.local) & ICANON) == 0) return;
    if (tty->queued > tty->taken && tty_has(tty, ICANON))
        tty->queue[(tty->queued - 1) % TTY_QUEUE_SIZE] |= TTY_LINE_END;
    commit(tty);
}
