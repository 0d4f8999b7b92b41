/* The console: a 16550 at COM1. */
#include "x86_64.h"

#include "kernel.h"

enum {
    BASE = 0x3f8,
    DATA = BASE,
    INTERRUPTS = BASE + 1,
    FIFO = BASE + 2,
    LINE = BASE + 3,
    MODEM = BASE + 4,
    STATUS = BASE + 5
};
#define STATUS_RECEIVED 0x01
#define STATUS_EMPTY    0x20

void arch_console_init(void) {
    port_write_8(INTERRUPTS, 0);
    port_write_8(LINE, 0x80); /* divisor */
    port_write_8(DATA, 1);
    port_write_8(INTERRUPTS, 0);
    port_write_8(LINE, 0x03); /* 8 bits, no parity */
    port_write_8(FIFO, 0x07);
    port_write_8(MODEM, 0x03);
}

void arch_console_write(const char *bytes, usize count) {
    for (; count > 0; count--, bytes++) {
        while ((port_read_8(STATUS) & STATUS_EMPTY) == 0) arch_relax();
        port_write_8(DATA, (u8)*bytes);
    }
}

/* The line is edge-triggered: read until it is down, or no further edge comes. */
void uart_interrupt(void) {
    while ((port_read_8(STATUS) & STATUS_RECEIVED) != 0) console_receive((char)port_read_8(DATA));
}
