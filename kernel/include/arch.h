/* The seam between the neutral kernel and one architecture.
 *
 * Neutral code includes this header and nothing below arch/<a>/ but "arch_types.h", which each
 * architecture supplies (struct trap_frame, struct arch_thread, the address map).
 */
#pragma once

#include "types.h"

#include "arch_types.h"

#define MAX_CPUS 16

/* CPUs. Interrupt state is a saved word, as the architecture likes it. */
unsigned arch_cpu_id(void);                        /* stable only with interrupts off */
unsigned arch_start_cpus(void);                    /* start the others; returns how many are online */
unsigned arch_cpus_present(void);
u64 arch_interrupts_save(void);                    /* disable, return the old state */
void arch_interrupts_restore(u64 state);
bool arch_interrupts_enabled(void);
void arch_interrupts_enable(void);
void arch_interrupts_disable(void);
void arch_wait_for_interrupt(void);                /* called with interrupts off: enable and halt, no lost-wakeup window */
void arch_send_reschedule(unsigned cpu);
void arch_stop_other_cpus(void);                   /* on panic: asks the others to park */
noreturn void arch_park(void);
static inline void arch_relax(void);               /* in arch_types.h: yield / pause */

/* Time. Monotonic, one source for all CPUs. */
u64 arch_clock_ns(void);
u64 arch_timestamp(void);                          /* raw counter, for the trace: CNTVCT or TSC */
u64 arch_timestamp_hz(void);
void arch_timer_start(u64 period_ns);              /* this CPU's periodic tick */
u64 arch_wall_clock_seconds(void);                 /* the real-time clock, since 1970 */
u64 arch_entropy(void);                            /* what unpredictable bits there are at boot */

/* Address spaces. A page table is named by the physical address of its root; 0 is the kernel's alone.
 * arch_map and arch_unmap change tables only: whoever replaces or weakens an entry flushes afterwards, and
 * before the page that was there is reused. */
enum page_protection { PAGE_READ = 1, PAGE_WRITE = 2, PAGE_EXECUTE = 4 };

paddr arch_space_create(void);                                       /* 0 when memory is out */
void arch_space_destroy(paddr root);                                 /* the tables; not active anywhere, no pages left */
int arch_map(paddr root, vaddr va, paddr pa, unsigned protection);   /* 0 or -ENOMEM */
paddr arch_unmap(paddr root, vaddr va);                              /* the page that was there, or 0 */
bool arch_lookup(paddr root, vaddr va, paddr *pa, unsigned *protection);
vaddr arch_next_mapped(paddr root, vaddr from, vaddr to);            /* the first mapped page in [from, to), or `to` */
void arch_space_switch(paddr root);
void arch_flush_page(paddr root, vaddr va);                          /* on all CPUs that may hold it */
void arch_flush_space(paddr root);
void arch_instruction_sync(void *page);                              /* after writing code through the direct map */

/* Threads. */
struct thread;
void arch_thread_init_kernel(struct thread *thread, void (*entry)(void *), void *argument);
void arch_thread_init_fork(struct thread *child, const struct trap_frame *parent);
void arch_context_switch(struct thread *from, struct thread *to);
struct trap_frame *arch_user_frame(const struct thread *thread);     /* at the top of its kernel stack */
noreturn void arch_enter_user(struct trap_frame *frame);
void arch_frame_init_user(struct trap_frame *frame, vaddr entry, vaddr stack);
void arch_thread_reset_user(struct thread *thread);                  /* exec: floating point and thread pointer */
void arch_thread_set_tls(struct thread *thread, u64 value);          /* of a thread that does not run yet */

/* The parts of a trap frame that neutral code reads and writes. */
u64 arch_frame_syscall_number(const struct trap_frame *frame);
u64 arch_frame_argument(const struct trap_frame *frame, unsigned index);     /* 0..5 */
void arch_frame_set_result(struct trap_frame *frame, i64 result);
void arch_frame_restart_syscall(struct trap_frame *frame);
void arch_clone_arguments(const u64 argument[6], u64 *tls, vaddr *child_tid); /* their order differs */
bool arch_frame_from_user(const struct trap_frame *frame);
u64 arch_frame_pc(const struct trap_frame *frame);
u64 arch_frame_user_sp(const struct trap_frame *frame);
void arch_frame_set_user_sp(struct trap_frame *frame, vaddr sp);
bool arch_has_fixup(const struct trap_frame *frame); /* the kernel was at an instruction that may fault on user memory */
void arch_take_fixup(struct trap_frame *frame);

/* Signal frames as Linux lays them out. `mask` is what the handler's return restores. */
struct signal_delivery;
int arch_signal_push(struct trap_frame *frame, const struct signal_delivery *delivery);
int arch_signal_return(struct trap_frame *frame, u64 *mask);   /* fills the whole frame, or -EFAULT */
void arch_trampoline_fill(void *page);                         /* code for USER_TRAMPOLINE */
u64 arch_hardware_capabilities(void);                          /* AT_HWCAP */

/* User memory: 0 or -EFAULT. A fault inside is caught, never fatal. */
int copy_from_user(void *to, vaddr from, usize size);
int copy_to_user(vaddr to, const void *from, usize size);
isize string_from_user(char *to, vaddr from, usize size);   /* length, -EFAULT, or -ENAMETOOLONG */

/* Devices. */
void arch_console_init(void);
void arch_console_write(const char *bytes, usize count);    /* polled; safe in a panic */
void arch_console_enable_input(void);                       /* interrupts that call console_receive() */
void arch_memory_map(void (*found)(paddr base, u64 size));  /* usable RAM, kernel and initrd excluded */
const char *arch_command_line(void);
const void *arch_initrd(usize *size);
void arch_print_frame(const struct trap_frame *frame);
void arch_backtrace(const struct trap_frame *frame);        /* NULL: from here */
noreturn void arch_power_off(void);
noreturn void arch_restart(void);
void arch_exit_device(u32 status);                          /* QEMU's exit device; returns where there is none */
