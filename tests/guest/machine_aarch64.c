/* QEMU virt, EL1, MMU off. An ELF kernel finds the device tree at the start of RAM (QEMU, docs/system/arm/virt.rst). */
#include "machine.h"

#define UART ((volatile unsigned *)0x09000000)
#define DEVICE_TREE ((const unsigned char *)0x40000000)

__asm__(".section .text.start\n"
        ".global _start\n"
        "_start:\n"
        "    mrs x0, mpidr_el1\n"
        "    and x0, x0, #0xff\n"
        "    cbnz x0, 1f\n"
        "    adrp x0, stack_top\n"
        "    mov sp, x0\n"
        "    bl guest_main\n"
        "1:  wfi\n"
        "    b 1b\n");

void serial_init(void) {}

void serial_write(unsigned char byte)
{
    while (UART[6] & (1 << 5)) ;
    UART[0] = byte;
}

unsigned char serial_read(void)
{
    while (UART[6] & (1 << 4)) ;
    return (unsigned char)UART[0];
}

/* virt has one PL011 before QEMU 9.2, and its disks need a virtio driver. */
void second_serial_write(unsigned char byte) { (void)byte; }
int disk_read(char *sector) { (void)sector; return 0; }
int disk_write(const char *sector) { (void)sector; return 0; }

static unsigned big_endian(const unsigned char *at)
{
    return (unsigned)at[0] << 24 | (unsigned)at[1] << 16 | (unsigned)at[2] << 8 | at[3];
}

/* The value of /chosen/bootargs: the only property of that name (Devicetree Specification 0.4, section 5.4). */
const char *command_line(void)
{
    const unsigned char *structure = DEVICE_TREE + big_endian(DEVICE_TREE + 8);
    const char *strings = (const char *)DEVICE_TREE + big_endian(DEVICE_TREE + 12);
    if (big_endian(DEVICE_TREE) != 0xd00dfeed) return "";
    for (;;) {
        unsigned token = big_endian(structure);
        structure += 4;
        if (token == 1) {
            while (*structure) structure++;
            structure = (const unsigned char *)(((unsigned long)structure + 4) & ~3ul);
        } else if (token == 3) {
            unsigned length = big_endian(structure);
            const char *key = strings + big_endian(structure + 4);
            const char *wanted = "bootargs";
            while (*wanted && *key == *wanted) key++, wanted++;
            if (*key == *wanted) return (const char *)structure + 8;
            structure += 8 + ((length + 3) & ~3u);
        } else if (token == 9) {
            return "";
        }
    }
}

void halt(void)
{
    for (;;) __asm__ volatile("msr daifset, #15\n wfi");
}

void pause_a_while(void)
{
    unsigned long start, now, frequency;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    __asm__ volatile("isb\n mrs %0, cntvct_el0" : "=r"(start));
    do __asm__ volatile("isb\n mrs %0, cntvct_el0" : "=r"(now));
    while (now - start < frequency / 100);
}

static void psci(unsigned long function)
{
    register unsigned long x0 __asm__("x0") = function;
    __asm__ volatile("hvc #0" : "+r"(x0) : : "memory");
}

void machine_reset(void) { psci(0x84000009); }     /* SYSTEM_RESET, PSCI 1.1 section 5 */
void machine_power_off(void) { psci(0x84000008); } /* SYSTEM_OFF */

void machine_exit(int status)
{
    unsigned long block[2] = {0x20026, (unsigned long)status}; /* ADP_Stopped_ApplicationExit */
    register unsigned long x0 __asm__("x0") = 0x20;            /* SYS_EXIT_EXTENDED, Arm semihosting 2.0 */
    register void *x1 __asm__("x1") = block;
    __asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}
