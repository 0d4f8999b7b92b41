/* Signal frames as Linux lays them out on x86-64 (arch/x86/include/uapi/asm/sigcontext.h). */
#include "x86_64.h"

#include "errno.h"
#include "kernel.h"
#include "process.h"
#include "signal.h"

#define RFLAGS_USER 0x240dd5ul /* what a program may set: ID AC OF DF TF SF ZF AF PF CF */
#define MXCSR_MASK  0xffffu

struct signal_context {
    u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    u16 cs, gs, fs, ss;
    u64 error, vector, old_mask, cr2;
    vaddr fp_state;
    u64 reserved[8];
};
_Static_assert(sizeof(struct signal_context) == 256, "sigcontext");

struct signal_frame {
    vaddr restorer; /* the handler's return address */
    struct {
        u64 flags;
        vaddr link;
        struct signal_stack stack;
        struct signal_context context;
        u64 mask;
    } user;
    struct signal_info info;
};

void arch_trampoline_fill(void *page) {} /* USER_TRAMPOLINE is 0: the restorer is the program's own */

static void save_context(struct signal_context *to, const struct trap_frame *frame) {
    *to = (struct signal_context){
        .r8 = frame->r8,
        .r9 = frame->r9,
        .r10 = frame->r10,
        .r11 = frame->r11,
        .r12 = frame->r12,
        .r13 = frame->r13,
        .r14 = frame->r14,
        .r15 = frame->r15,
        .rdi = frame->rdi,
        .rsi = frame->rsi,
        .rbp = frame->rbp,
        .rbx = frame->rbx,
        .rdx = frame->rdx,
        .rax = frame->rax,
        .rcx = frame->rcx,
        .rsp = frame->rsp,
        .rip = frame->rip,
        .rflags = frame->rflags,
        .cs = SELECTOR_USER_CODE,
        .ss = SELECTOR_USER_DATA,
        .error = frame->vector == VECTOR_PAGE_FAULT ? frame->original_rax : 0,
        .vector = frame->vector & 0xff,
    };
}

/* The selectors and the privileged flags are not the program's to choose, nor an address that IRET refuses. */
static int restore_context(struct trap_frame *frame, const struct signal_context *from) {
    if (from->rip >= USER_END) return -EFAULT;
    *frame = (struct trap_frame){
        .r8 = from->r8,
        .r9 = from->r9,
        .r10 = from->r10,
        .r11 = from->r11,
        .r12 = from->r12,
        .r13 = from->r13,
        .r14 = from->r14,
        .r15 = from->r15,
        .rdi = from->rdi,
        .rsi = from->rsi,
        .rbp = from->rbp,
        .rbx = from->rbx,
        .rdx = from->rdx,
        .rax = from->rax,
        .rcx = from->rcx,
        .rsp = from->rsp,
        .rip = from->rip,
        .rflags = (from->rflags & RFLAGS_USER) | RFLAGS_IF,
        .cs = SELECTOR_USER_CODE,
        .ss = SELECTOR_USER_DATA,
    };
    return 0;
}

int arch_signal_push(struct trap_frame *frame, const struct signal_delivery *delivery) {
    if ((delivery->action.flags & SA_RESTORER) == 0 || delivery->action.handler >= USER_END) return -EFAULT;
    struct thread *thread = current_thread();
    u64 interrupts = arch_interrupts_save(); /* the registers are this thread's while it runs */
    arch_fp_save(thread);
    arch_interrupts_restore(interrupts);

    vaddr top = delivery->top;
    if (top == frame->rsp) top -= 128; /* the ABI's red zone */
    vaddr fp_at = (top - sizeof(struct fp_state)) & ~63ul;
    vaddr at = ((fp_at - sizeof(struct signal_frame)) & ~15ul) - 8; /* as after a CALL */
    struct signal_frame image = {
        .restorer = delivery->action.restorer,
        .user = { .stack = delivery->stack, .mask = delivery->mask },
        .info = delivery->info,
    };
    save_context(&image.user.context, frame);
    image.user.context.cr2 = delivery->info.address;
    image.user.context.old_mask = delivery->mask;
    image.user.context.fp_state = fp_at;
    if (copy_to_user(fp_at, &thread->arch.fp, sizeof(struct fp_state)) != 0) return -EFAULT;
    if (copy_to_user(at, &image, sizeof(image)) != 0) return -EFAULT;
    frame->rdi = (u64)delivery->signal;
    frame->rsi = at + offsetof(struct signal_frame, info);
    frame->rdx = at + offsetof(struct signal_frame, user);
    frame->rax = 0;
    frame->rsp = at;
    frame->rip = delivery->action.handler;
    frame->rflags &= ~(RFLAGS_TF | 0x400); /* the ABI's direction */
    return 0;
}

static int restore_fp(vaddr from) {
    struct thread *thread = current_thread();
    struct fp_state state;
    if (from == 0) return 0;
    if (copy_from_user(&state, from, sizeof(state)) != 0) return -EFAULT;
    *(u32 *)(state.bytes + 24) &= MXCSR_MASK; /* other bits make FXRSTOR fault */
    u64 interrupts = arch_interrupts_save();
    thread->arch.fp = state;
    arch_fp_restore(thread);
    arch_interrupts_restore(interrupts);
    return 0;
}

/* The handler's RET has taken the restorer off the stack. */
int arch_signal_return(struct trap_frame *frame, u64 *mask) {
    struct signal_frame image;
    if (copy_from_user(&image, frame->rsp - 8, sizeof(image)) != 0) return -EFAULT;
    if (restore_fp(image.user.context.fp_state) != 0) return -EFAULT;
    *mask = image.user.mask;
    return restore_context(frame, &image.user.context);
}
