/* What the files of this port share. */
#pragma once

#include "arch.h"
#include "types.h"

#define read_register(name)                                                                                            \
    ({                                                                                                                 \
        u64 value_;                                                                                                    \
        __asm__ volatile("mrs %0, " #name : "=r"(value_));                                                             \
        value_;                                                                                                        \
    })
#define write_register(name, value) __asm__ volatile("msr " #name ", %0" ::"r"((u64)(value)) : "memory")

/* Physical addresses of QEMU's virt machine (hw/arm/virt.c), fixed for all its versions. */
#define UART_BASE       0x09000000ul
#define RTC_BASE        0x09010000ul
#define UART_INTERRUPT  33 /* SPI 1 */
#define TIMER_INTERRUPT 27 /* PPI 11: the virtual timer */

static inline volatile u32 *device_register(paddr base, u64 offset) {
    return (volatile u32 *)(DIRECT_MAP_BASE + base + offset);
}
static inline u32 device_read(paddr base, u64 offset) { return *device_register(base, offset); }
static inline void device_write(paddr base, u64 offset, u32 value) { *device_register(base, offset) = value; }

/* device_tree.c */
struct machine {
    paddr memory_base;
    u64 memory_size;
    paddr initrd_start, initrd_end;
    const char *command_line;
    u64 seed;
    unsigned cpu_count;
    u64 cpu_affinity[MAX_CPUS]; /* MPIDR */
    bool psci_smc;
    unsigned gic_version;
    paddr gic_distributor, gic_second; /* redistributors (3) or the CPU interface (2) */
};
extern struct machine machine;
void device_tree_read(void);

/* mmu.c */
void mmu_start(void);
void mmu_map_memory(paddr base, u64 size);

/* gic.c */
enum { IPI_RESCHEDULE, IPI_STOP };
void gic_start(void);     /* the distributor, once */
void gic_start_cpu(void); /* each CPU's own part */
void gic_enable(unsigned interrupt);
unsigned gic_acknowledge(void); /* 1020 and above: nothing */
void gic_end(unsigned interrupt);
void gic_send(unsigned cpu, unsigned ipi);

/* psci.c */
i64 psci_cpu_on(u64 affinity, paddr entry, u64 context);

/* uart.c */
void uart_interrupt(void);

/* timer.c */
void timer_interrupt(bool from_user);

/* thread.c: the running thread's floating point registers, interrupts off */
void arch_fp_save(struct thread *thread);
void arch_fp_restore(const struct thread *thread);

/* assembly */
noreturn void enter_frame(struct trap_frame *frame);
void switch_stacks(u64 *save_sp, u64 load_sp);
void kernel_thread_entry(void);
void fork_entry(void);
void boot_secondary(void);
int copy_in(void *to, vaddr from, usize size);
int copy_out(vaddr to, const void *from, usize size);
isize string_in(char *to, vaddr from, usize size, usize limit);
void semihosting_exit(u64 status);

/* called from assembly */
void boot_build_tables(void);
noreturn void primary_main(void);
noreturn void arch_secondary_main(void);
void trap_irq(struct trap_frame *frame);
void trap_user_sync(struct trap_frame *frame);
void trap_kernel_sync(struct trap_frame *frame);
noreturn void trap_unexpected(struct trap_frame *frame);
