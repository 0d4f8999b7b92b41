/* QEMU q35, entered in 32-bit protected mode by the PVH note; EBX holds the start info (Xen, docs/misc/pvh.pandoc). */
#include "machine.h"

#define COM1 0x3f8
#define COM2 0x2f8
#define IDE 0x1f0 /* of machine `pc` */

__asm__(".section .note.pvh, \"a\", @note\n"
        "    .align 4\n"
        "    .long 4, 4, 18\n" /* name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY */
        "    .asciz \"Xen\"\n"
        "    .long _start\n"
        ".section .text.start, \"ax\"\n"
        ".global _start\n"
        "_start:\n"
        "    cli\n"
        "    mov $stack_top, %esp\n"
        "    mov %ebx, start_info\n"
        "    call guest_main\n"
        "1:  hlt\n"
        "    jmp 1b\n");

unsigned *start_info __attribute__((section(".data"))) = (unsigned *)1;

static void out8(unsigned short port, unsigned char value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static unsigned char in8(unsigned short port)
{
    unsigned char value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

void serial_init(void)
{
    out8(COM1 + 2, 1); /* FIFO on */
}

void serial_write(unsigned char byte)
{
    while (!(in8(COM1 + 5) & 0x20)) ;
    out8(COM1, byte);
}

unsigned char serial_read(void)
{
    while (!(in8(COM1 + 5) & 1)) ;
    return in8(COM1);
}

void second_serial_write(unsigned char byte)
{
    if (in8(COM2 + 5) == 0xff) return; /* there is none */
    while (!(in8(COM2 + 5) & 0x20)) ;
    out8(COM2, byte);
}

/* ATA, READ SECTORS of LBA 0 by programmed input. */
/* One sector by programmed input and output (ATA/ATAPI-6, 8.34 and 8.62). */
static int disk_begin(unsigned char command)
{
    unsigned char status;
    out8(IDE + 6, 0xe0); /* the first drive */
    status = in8(IDE + 7);
    if (status == 0xff || status == 0) return 0;
    out8(IDE + 2, 1);
    out8(IDE + 3, 0);
    out8(IDE + 4, 0);
    out8(IDE + 5, 0);
    out8(IDE + 7, command);
    while (((status = in8(IDE + 7)) & 0x88) != 0x08) ; /* not busy, data wanted */
    return 1;
}

int disk_read(char *sector)
{
    if (!disk_begin(0x20)) return 0;
    __asm__ volatile("cld\n rep insw" : "+D"(sector) : "d"((unsigned short)IDE), "c"(256) : "memory");
    return 1;
}

int disk_write(const char *sector)
{
    if (!disk_begin(0x30)) return 0;
    __asm__ volatile("cld\n rep outsw" : "+S"(sector) : "d"((unsigned short)IDE), "c"(256) : "memory");
    while (in8(IDE + 7) & 0x80) ; /* it is on the disk once that is over */
    return 1;
}

const char *command_line(void)
{
    const char *line = (const char *)start_info[6]; /* cmdline_paddr, low half */
    return line ? line : "";
}

void halt(void)
{
    for (;;) __asm__ volatile("cli\n hlt");
}

void pause_a_while(void)
{
    for (int i = 0; i < 20000; i++) in8(0x80); /* about a microsecond each */
}

void machine_reset(void)
{
    static const struct { unsigned short limit; unsigned base; } __attribute__((packed)) none = {0, 0};
    __asm__ volatile("lidt %0\n int3" : : "m"(none)); /* no handler, nor one for that: a triple fault */
}

void machine_power_off(void)
{
    __asm__ volatile("outw %0, %1" : : "a"((unsigned short)0x2000), "Nd"((unsigned short)0x604)); /* q35 PM1a */
}

void machine_exit(int status)
{
    out8(0xf4, (unsigned char)(status ? 0x11 : 0x10)); /* isa-debug-exit: QEMU ends with 2 * value + 1 */
}
