/* What every specimen has: entry.S brings it to kernel_main with paging on, interrupts off, at the machine's highest
 * level, and on one CPU. Each specimen is one way to get stuck; none has a scheduler, a counter or a panic of its own. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

void kernel_main(void);
void secondary_main(u64 cpu); /* where start_secondaries sends the others, paging on */
void start_secondaries(void); /* all that the machine has */

#define NOINLINE __attribute__((noinline))
#define SYMBOL(name) __asm__(name)

#if defined(__aarch64__)

static inline void write_byte(u8 byte) { *(volatile u32 *)0x09000000 = byte; }
static inline void mask_interrupts(void) { __asm__ volatile("msr daifset, #2" : : : "memory"); }
static inline void unmask_interrupts(void) { __asm__ volatile("msr daifclr, #2" : : : "memory"); }
static inline void wait_here(void) { __asm__ volatile("wfi" : : : "memory"); }
static inline void relax(void) { __asm__ volatile("yield" : : : "memory"); }

#else

static inline void write_byte(u8 byte) { __asm__ volatile("outb %0, %1" : : "a"(byte), "Nd"((u16)0x3f8)); }
static inline void mask_interrupts(void) { __asm__ volatile("cli" : : : "memory"); }
static inline void unmask_interrupts(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void wait_here(void) { __asm__ volatile("hlt" : : : "memory"); }
static inline void relax(void) { __asm__ volatile("pause" : : : "memory"); }

struct gate { u16 low, selector, type, middle; u32 high, zero; };
static inline void load_gates(struct gate *table, int number, void (*entry)(void))
{
    struct { u16 limit; u64 base; } __attribute__((packed)) pointer = {4095, (u64)table};
    u64 at = (u64)entry;
    table[number] = (struct gate){(u16)at, 0x08, 0x8e00, (u16)(at >> 16), (u32)(at >> 32), 0};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

#endif

static inline void print(const char *text)
{
    while (*text) write_byte((u8)*text++);
}
