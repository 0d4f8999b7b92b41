/* Threads and the user state in their trap frames. */
#include "aarch64.h"

#include "cpu.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"

static void fp_save(struct fp_state *state) {
    __asm__ volatile(".arch_extension fp\n.arch_extension simd\n"
                     "stp q0, q1, [%0, #0]\nstp q2, q3, [%0, #32]\nstp q4, q5, [%0, #64]\nstp q6, q7, [%0, #96]\n"
                     "stp q8, q9, [%0, #128]\nstp q10, q11, [%0, #160]\nstp q12, q13, [%0, #192]\n"
                     "stp q14, q15, [%0, #224]\nstp q16, q17, [%0, #256]\nstp q18, q19, [%0, #288]\n"
                     "stp q20, q21, [%0, #320]\nstp q22, q23, [%0, #352]\nstp q24, q25, [%0, #384]\n"
                     "stp q26, q27, [%0, #416]\nstp q28, q29, [%0, #448]\nstp q30, q31, [%0, #480]\n" ::"r"(state)
                     : "memory");
    state->fpsr = (u32)read_register(fpsr);
    state->fpcr = (u32)read_register(fpcr);
}

static void fp_restore(const struct fp_state *state) {
    __asm__ volatile(".arch_extension fp\n.arch_extension simd\n"
                     "ldp q0, q1, [%0, #0]\nldp q2, q3, [%0, #32]\nldp q4, q5, [%0, #64]\nldp q6, q7, [%0, #96]\n"
                     "ldp q8, q9, [%0, #128]\nldp q10, q11, [%0, #160]\nldp q12, q13, [%0, #192]\n"
                     "ldp q14, q15, [%0, #224]\nldp q16, q17, [%0, #256]\nldp q18, q19, [%0, #288]\n"
                     "ldp q20, q21, [%0, #320]\nldp q22, q23, [%0, #352]\nldp q24, q25, [%0, #384]\n"
                     "ldp q26, q27, [%0, #416]\nldp q28, q29, [%0, #448]\nldp q30, q31, [%0, #480]\n" ::"r"(state)
                     : "memory");
    write_register(fpsr, state->fpsr);
    write_register(fpcr, state->fpcr);
}

void arch_fp_save(struct thread *thread) { fp_save(&thread->arch.fp); }
void arch_fp_restore(const struct thread *thread) { fp_restore(&thread->arch.fp); }

void arch_context_switch(struct thread *from, struct thread *to) {
    if (from->process != NULL) {
        fp_save(&from->arch.fp);
        from->arch.tls = read_register(tpidr_el0);
    }
    arch_space_switch(to->process != NULL ? to->process->space : 0);
    if (to->process != NULL) {
        fp_restore(&to->arch.fp);
        write_register(tpidr_el0, to->arch.tls);
    }
    write_register(tpidr_el1, to);
    switch_stacks(&from->arch.sp, to->arch.sp);
}

/* What switch_stacks pops: x29, x30, x19 to x28. */
static void push_switch_frame(struct thread *thread, char *below, void (*entry)(void), u64 x19, u64 x20) {
    u64 *registers = (u64 *)(below - 96);
    memset(registers, 0, 96);
    registers[1] = (u64)entry;
    registers[2] = x19;
    registers[3] = x20;
    thread->arch.sp = (u64)registers;
}

static char *stack_end(const struct thread *thread) { return (char *)thread->kernel_stack + KERNEL_STACK_SIZE; }

struct trap_frame *arch_user_frame(const struct thread *thread) {
    return (struct trap_frame *)(stack_end(thread) - sizeof(struct trap_frame));
}

void arch_thread_init_kernel(struct thread *thread, void (*entry)(void *), void *argument) {
    /* Room for a user frame above: init starts as a kernel thread. */
    push_switch_frame(thread, (char *)arch_user_frame(thread), kernel_thread_entry, (u64)entry, (u64)argument);
}

/* The parent is the running thread: its floating point registers are the live ones. */
void arch_thread_init_fork(struct thread *child, const struct trap_frame *parent) {
    struct trap_frame *frame = arch_user_frame(child);
    *frame = *parent;
    fp_save(&child->arch.fp);
    child->arch.tls = read_register(tpidr_el0);
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
    frame->pc = entry;
    frame->sp = stack;
}

void arch_thread_reset_user(struct thread *thread) {
    u64 interrupts = arch_interrupts_save();
    memset(&thread->arch.fp, 0, sizeof(thread->arch.fp));
    fp_restore(&thread->arch.fp);
    thread->arch.tls = 0;
    write_register(tpidr_el0, 0);
    arch_interrupts_restore(interrupts);
}

void arch_thread_set_tls(struct thread *thread, u64 value) { thread->arch.tls = value; }

u64 arch_frame_syscall_number(const struct trap_frame *frame) { return (u32)frame->x[8]; }
u64 arch_frame_argument(const struct trap_frame *frame, unsigned index) { return frame->x[index]; }
void arch_frame_set_result(struct trap_frame *frame, i64 result) { frame->x[0] = (u64)result; }
u64 arch_frame_pc(const struct trap_frame *frame) { return frame->pc; }
u64 arch_frame_user_sp(const struct trap_frame *frame) { return frame->sp; }
void arch_frame_set_user_sp(struct trap_frame *frame, vaddr sp) { frame->sp = sp; }

void arch_frame_restart_syscall(struct trap_frame *frame) {
    frame->x[0] = frame->original_x0;
    frame->pc -= 4;
}

/* clone(flags, stack, parent_tid, tls, child_tid) */
void arch_clone_arguments(const u64 argument[6], u64 *tls, vaddr *child_tid) {
    *tls = argument[3];
    *child_tid = argument[4];
}

u64 arch_hardware_capabilities(void) { return 3; } /* HWCAP_FP, HWCAP_ASIMD */

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
