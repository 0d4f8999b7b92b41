/* Threads and the user state in their trap frames. */
#include "x86_64.h"

#include "cpu.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"
#include "syscall.h"

#define FCW_DEFAULT   0x037f
#define MXCSR_DEFAULT 0x1f80u

void arch_fp_save(struct thread *thread) { __asm__ volatile("fxsaveq %0" : "=m"(thread->arch.fp)); }
void arch_fp_restore(const struct thread *thread) { __asm__ volatile("fxrstorq %0" ::"m"(thread->arch.fp)); }

static char *stack_end(const struct thread *thread) { return (char *)thread->kernel_stack + KERNEL_STACK_SIZE; }

void arch_context_switch(struct thread *from, struct thread *to) {
    if (from->process != NULL) arch_fp_save(from);
    arch_space_switch(to->process != NULL ? to->process->space : 0);
    if (to->process != NULL) {
        arch_fp_restore(to);
        write_msr(MSR_FS_BASE, to->arch.tls);
        segments_set_kernel_stack((u64)stack_end(to));
    }
    cpu_block()->current = to;
    switch_stacks(&from->arch.sp, to->arch.sp);
}

/* What switch_stacks pops: r15, r14, r13, r12, rbx, rbp, the return address. The entry then stands at `below`. */
static void push_switch_frame(struct thread *thread, char *below, void (*entry)(void), u64 rbx, u64 r12) {
    u64 *registers = (u64 *)(below - 56);
    memset(registers, 0, 56);
    registers[3] = r12;
    registers[4] = rbx;
    registers[6] = (u64)entry;
    thread->arch.sp = (u64)registers;
}

struct trap_frame *arch_user_frame(const struct thread *thread) {
    return (struct trap_frame *)(stack_end(thread) - sizeof(struct trap_frame));
}

static void reset_fp(struct fp_state *state) {
    memset(state, 0, sizeof(*state));
    *(u16 *)state->bytes = FCW_DEFAULT;
    *(u32 *)(state->bytes + 24) = MXCSR_DEFAULT;
}

void arch_thread_init_kernel(struct thread *thread, void (*entry)(void *), void *argument) {
    reset_fp(&thread->arch.fp);
    /* Room for a user frame above: init starts as a kernel thread. */
    push_switch_frame(thread, (char *)arch_user_frame(thread), kernel_thread_entry, (u64)entry, (u64)argument);
}

/* The parent is the running thread: its floating point registers are the live ones. */
void arch_thread_init_fork(struct thread *child, const struct trap_frame *parent) {
    struct trap_frame *frame = arch_user_frame(child);
    *frame = *parent;
    arch_fp_save(child);
    child->arch.tls = current_thread()->arch.tls;
    push_switch_frame(child, (char *)frame, fork_entry, 0, 0);
}

noreturn void arch_enter_user(struct trap_frame *frame) {
    arch_interrupts_disable();
    struct trap_frame *top = arch_user_frame(current_thread());
    memmove(top, frame, sizeof(*top));
    enter_frame(top);
}

void arch_frame_init_user(struct trap_frame *frame, vaddr entry, vaddr stack) {
    memset(frame, 0, sizeof(*frame));
    frame->rip = entry;
    frame->rsp = stack;
    frame->cs = SELECTOR_USER_CODE;
    frame->ss = SELECTOR_USER_DATA;
    frame->rflags = RFLAGS_IF;
}

void arch_thread_reset_user(struct thread *thread) {
    u64 interrupts = arch_interrupts_save();
    reset_fp(&thread->arch.fp);
    arch_fp_restore(thread);
    thread->arch.tls = 0;
    write_msr(MSR_FS_BASE, 0);
    arch_interrupts_restore(interrupts);
}

void arch_thread_set_tls(struct thread *thread, u64 value) { thread->arch.tls = value < USER_END ? value : 0; }

SYSCALL(arch_prctl) {
    enum { ARCH_SET_FS = 0x1002, ARCH_GET_FS = 0x1003 };
    struct thread *thread = current_thread();
    if (argument[0] == ARCH_GET_FS) return copy_to_user(argument[1], &thread->arch.tls, sizeof(u64));
    if (argument[0] != ARCH_SET_FS) return -EINVAL;
    if (argument[1] >= USER_END) return -EPERM;
    u64 interrupts = arch_interrupts_save();
    thread->arch.tls = argument[1];
    write_msr(MSR_FS_BASE, argument[1]);
    arch_interrupts_restore(interrupts);
    return 0;
}

u64 arch_frame_syscall_number(const struct trap_frame *frame) { return (u32)frame->original_rax; }

u64 arch_frame_argument(const struct trap_frame *frame, unsigned index) {
    const u64 arguments[6] = { frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9 };
    return arguments[index];
}

void arch_frame_set_result(struct trap_frame *frame, i64 result) { frame->rax = (u64)result; }
u64 arch_frame_pc(const struct trap_frame *frame) { return frame->rip; }
u64 arch_frame_user_sp(const struct trap_frame *frame) { return frame->rsp; }
void arch_frame_set_user_sp(struct trap_frame *frame, vaddr sp) { frame->rsp = sp; }

void arch_frame_restart_syscall(struct trap_frame *frame) {
    frame->rax = frame->original_rax;
    frame->rip -= 2; /* SYSCALL is two bytes */
}

/* clone(flags, stack, parent_tid, child_tid, tls) */
void arch_clone_arguments(const u64 argument[6], u64 *tls, vaddr *child_tid) {
    *child_tid = argument[3];
    *tls = argument[4];
}

/* CPUID leaf 1, EDX: what Linux gives here. */
u64 arch_hardware_capabilities(void) {
    u32 eax = 1, ebx, ecx, edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return edx;
}

static bool is_user_range(vaddr start, usize size) { return start < USER_END && size <= USER_END - start; }

int copy_from_user(void *to, vaddr from, usize size) {
    if (size == 0) return 0;
    return is_user_range(from, size) ? copy_in(to, from, size) : -EFAULT;
}

int copy_to_user(vaddr to, const void *from, usize size) {
    if (size == 0) return 0;
    return is_user_range(to, size) ? copy_out(to, from, size) : -EFAULT;
}

isize string_from_user(char *to, vaddr from, usize size) {
    return from < USER_END ? string_in(to, from, size, USER_END - from) : -EFAULT;
}
