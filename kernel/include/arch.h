/* The seam between the neutral kernel and one architecture.
 *
 * Neutral code includes this header and nothing below arch/<a>/ but "arch_types.h", which each
 * architecture supplies (struct trap_frame, struct arch_thread, the system-call numbers).
 */
#pragma once

#include "types.h"

#include "arch_types.h"

#define MAX_CPUS 16

/* CPUs. Interrupt state is a saved word, as the architecture likes it. */
unsigned arch_cpu_id(void);
unsigned arch_start_cpus(void);                    /* start the others; returns how many are online */
u64 arch_interrupts_save(void);                    /* disable, return the old state */
void arch_interrupts_restore(u64 state);
bool arch_interrupts_enabled(void);
void arch_interrupts_enable(void);
void arch_wait_for_interrupt(void);                /* enable and halt, without a lost-wakeup window */
void arch_send_reschedule(unsigned cpu);
void arch_stop_other_cpus(void);                   /* on panic: asks the others to park */
noreturn void arch_park(void);
static inline void arch_relax(void);               /* in arch_types.h: yield / pause */

/* Time. Monotonic, one source for all CPUs. */
u64 arch_clock_ns(void);
u64 arch_timestamp(void);                          /* raw counter, for the trace: CNTVCT or TSC */
u64 arch_timestamp_hz(void);
void arch_timer_start(u64 period_ns);              /* this CPU's periodic tick */

/* Address spaces. A page table is named by the physical address of its root. */
paddr arch_space_create(void);
void arch_space_destroy(paddr root);
int arch_map(paddr root, vaddr va, paddr pa, unsigned protection);   /* 0 or -ENOMEM */
paddr arch_unmap(paddr root, vaddr va);                              /* the page that was there, or 0 */
bool arch_lookup(paddr root, vaddr va, paddr *pa, unsigned *protection);
void arch_space_switch(paddr root);
void arch_flush_page(vaddr va);                    /* on all CPUs that may hold it */

/* Threads. */
struct thread;
void arch_thread_init_kernel(struct thread *thread, void (*entry)(void *), void *argument);
void arch_thread_init_fork(struct thread *child, const struct trap_frame *parent);
void arch_context_switch(struct thread *from, struct thread *to);
noreturn void arch_enter_user(struct trap_frame *frame);
void arch_frame_init_user(struct trap_frame *frame, vaddr entry, vaddr stack);

/* The parts of a trap frame that neutral code reads and writes. */
u64 arch_frame_syscall_number(const struct trap_frame *frame);
u64 arch_frame_argument(const struct trap_frame *frame, unsigned index);     /* 0..5 */
void arch_frame_set_result(struct trap_frame *frame, i64 result);
void arch_frame_restart_syscall(struct trap_frame *frame);
bool arch_frame_from_user(const struct trap_frame *frame);
int arch_signal_push(struct trap_frame *frame, int signal, const void *action, u64 old_mask);
i64 arch_signal_return(struct trap_frame *frame, u64 *old_mask);

/* User memory: 0 or -EFAULT. A fault inside is caught, never fatal. */
int copy_from_user(void *to, vaddr from, usize size);
int copy_to_user(vaddr to, const void *from, usize size);
isize string_from_user(char *to, vaddr from, usize size);   /* length, -EFAULT, or -ENAMETOOLONG */

/* Devices. */
void arch_console_init(void);
void arch_console_write(const char *bytes, usize count);    /* polled; safe in a panic */
void arch_memory_map(void (*found)(paddr base, u64 size));  /* usable RAM, kernel and initrd excluded */
const char *arch_command_line(void);
const void *arch_initrd(usize *size);
void arch_print_frame(const struct trap_frame *frame);
void arch_backtrace(const struct trap_frame *frame);        /* NULL: from here */
noreturn void arch_power_off(void);
