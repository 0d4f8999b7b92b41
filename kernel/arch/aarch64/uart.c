/* The console: a PL011 (Arm DDI 0183). */
#include "aarch64.h"

#include "kernel.h"

#define DATA            0x00
#define FLAGS           0x18
#define LINE_CONTROL    0x2c
#define CONTROL         0x30
#define FIFO_LEVEL      0x34
#define INTERRUPT_MASK  0x38
#define INTERRUPT_CLEAR 0x44

#define FLAG_RECEIVE_EMPTY 0x10
#define FLAG_TRANSMIT_FULL 0x20
#define RECEIVE_INTERRUPTS 0x50 /* data, and data that has waited */

void arch_console_init(void) {
    device_write(UART_BASE, INTERRUPT_MASK, 0);
    device_write(UART_BASE, LINE_CONTROL, 0x70); /* 8 bits, FIFOs */
    device_write(UART_BASE, CONTROL, 0x301);     /* on, both ways */
}

void arch_console_write(const char *bytes, usize count) {
    for (; count > 0; count--, bytes++) {
        while ((device_read(UART_BASE, FLAGS) & FLAG_TRANSMIT_FULL) != 0) arch_relax();
        device_write(UART_BASE, DATA, (u8)*bytes);
    }
}

void arch_console_enable_input(void) {
    gic_enable(UART_INTERRUPT);
    device_write(UART_BASE, INTERRUPT_MASK, RECEIVE_INTERRUPTS);
}

void uart_interrupt(void) {
    device_write(UART_BASE, INTERRUPT_CLEAR, RECEIVE_INTERRUPTS);
    while ((device_read(UART_BASE, FLAGS) & FLAG_RECEIVE_EMPTY) == 0) {
        console_receive((char)device_read(UART_BASE, DATA));
    }
}
