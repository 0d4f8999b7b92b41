/* What the files of this port share. */
#pragma once

#include "arch.h"
#include "types.h"

/* At GS while in the kernel; entry.S knows the offsets. */
struct cpu_block {
    struct cpu_block *self;
    struct thread *current;
    u64 user_rsp;   /* scratch of syscall_entry */
    u64 kernel_rsp; /* where it continues */
    u32 id, apic_id;
    bool flush_wanted; /* see mmu.c */
};
_Static_assert(offsetof(struct cpu_block, current) == 8, "entry.S, arch_types.h");
_Static_assert(offsetof(struct cpu_block, user_rsp) == 16, "entry.S");
_Static_assert(offsetof(struct cpu_block, kernel_rsp) == 24, "entry.S");
extern struct cpu_block cpu_blocks[MAX_CPUS];

static inline struct cpu_block *cpu_block(void) {
    struct cpu_block *block;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(block));
    return block;
}

#define MSR_EFER           0xc0000080u
#define MSR_STAR           0xc0000081u
#define MSR_LSTAR          0xc0000082u
#define MSR_SYSCALL_MASK   0xc0000084u
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u

#define RFLAGS_TF 0x100ul
#define RFLAGS_IF 0x200ul

#define SELECTOR_KERNEL_CODE 0x10
#define SELECTOR_KERNEL_DATA 0x18
#define SELECTOR_USER_DATA   0x2b /* as on Linux: programs can see them in signal frames */
#define SELECTOR_USER_CODE   0x33
#define SELECTOR_TASK        0x40

enum {
    VECTOR_NMI = 2,
    VECTOR_BREAKPOINT = 3,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_TIMER = 0x20,
    VECTOR_SERIAL = 0x24,
    VECTOR_RESCHEDULE = 0xf0,
    VECTOR_FLUSH = 0xf1,
    VECTOR_SPURIOUS = 0xff,
};

static inline void write_msr(u32 number, u64 value) {
    __asm__ volatile("wrmsr" ::"c"(number), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}
static inline void port_write_8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline void port_write_16(u16 port, u16 value) { __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port)); }
static inline void port_write_32(u16 port, u32 value) { __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port)); }
static inline u8 port_read_8(u16 port) {
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* start_info.c */
void start_info_read(void);
paddr start_info_rsdp(void);
paddr start_info_memory_end(void); /* of RAM below 4 GiB */

/* acpi.c */
struct machine {
    unsigned cpu_count;
    u32 apic_id[MAX_CPUS];
    paddr local_apic, io_apic;
    u32 serial_gsi;
    u16 power_port;
};
extern struct machine machine;
void acpi_read(void);

/* mmu.c */
void mmu_start(void);
void mmu_load_kernel_root(void);
void mmu_flush_interrupt(void);

/* segments.c */
void segments_start(unsigned cpu);
void segments_set_kernel_stack(u64 top);

/* apic.c */
void apic_start(void); /* the I/O APIC and the old PIC, once */
void apic_start_cpu(void);
void apic_end(void);
void apic_send(u32 apic_id, u32 command);
u32 apic_timer_count(void);
void apic_timer_set(u32 count, bool periodic);
#define APIC_COMMAND_NMI     0x400u
#define APIC_COMMAND_INIT    0x4500u
#define APIC_COMMAND_STARTUP 0x4600u

/* clock.c */
void clock_calibrate(void);

/* uart.c */
void uart_interrupt(void);

/* thread.c: the running thread's floating point registers, interrupts off */
void arch_fp_save(struct thread *thread);
void arch_fp_restore(const struct thread *thread);

/* assembly */
noreturn void enter_frame(struct trap_frame *frame);
void switch_stacks(u64 *save_sp, u64 load_sp);
void kernel_thread_entry(void);
void fork_entry(void);
void syscall_entry(void);
void nmi_entry(void);
extern u8 vector_stubs[256][16];
int copy_in(void *to, vaddr from, usize size);
int copy_out(vaddr to, const void *from, usize size);
isize string_in(char *to, vaddr from, usize size, usize limit);

/* called from assembly */
noreturn void primary_main(void);
noreturn void arch_secondary_main(void);
void trap_handle(struct trap_frame *frame);
noreturn void trap_nmi(struct trap_frame *frame);
