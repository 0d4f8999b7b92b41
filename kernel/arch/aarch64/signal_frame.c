/* Signal frames as Linux lays them out on arm64 (arch/arm64/include/uapi/asm/sigcontext.h). */
#include "aarch64.h"

#include "errno.h"
#include "kernel.h"
#include "process.h"
#include "signal.h"

#define FPSIMD_MAGIC 0x46508001u
#define PSTATE_FLAGS 0xf0000000ul /* N, Z, C, V: all of the saved state that a program may choose */

struct fpsimd_context {
    u32 magic, size;
    u32 fpsr, fpcr;
    unsigned __int128 v[32];
};

struct signal_context {
    u64 fault_address;
    u64 x[31];
    u64 sp, pc, pstate;
    u64 padding;
    union {
        struct {
            struct fpsimd_context fpsimd;
            u32 end_magic, end_size;
        };
        u8 room[4096];
    } __attribute__((aligned(16))) extensions;
};

struct signal_frame {
    struct signal_info info;
    struct {
        u64 flags;
        vaddr link;
        struct signal_stack stack;
        u64 mask;
        u8 room[120]; /* for a larger mask */
        u8 padding[8];
        struct signal_context context;
    } user;
    u64 frame_record[2]; /* x29, x30: a backtrace goes on through the handler */
};
_Static_assert(offsetof(struct signal_frame, user.context) == 128 + 176, "ucontext");
_Static_assert(offsetof(struct signal_context, extensions) == 288, "sigcontext");

/* mov x8, #139 (rt_sigreturn); svc #0 */
void arch_trampoline_fill(void *page) {
    static const u32 code[] = { 0xd2801168, 0xd4000001 };
    memcpy(page, code, sizeof(code));
}

static void save_fp(struct fpsimd_context *to) {
    struct thread *thread = current_thread();
    u64 interrupts = arch_interrupts_save(); /* the registers are this thread's while it runs */
    arch_fp_save(thread);
    arch_interrupts_restore(interrupts);
    *to = (struct fpsimd_context){ FPSIMD_MAGIC, sizeof(*to), thread->arch.fp.fpsr, thread->arch.fp.fpcr, { 0 } };
    memcpy(to->v, thread->arch.fp.v, sizeof(to->v));
}

static void restore_fp(const struct fpsimd_context *from) {
    struct thread *thread = current_thread();
    u64 interrupts = arch_interrupts_save();
    memcpy(thread->arch.fp.v, from->v, sizeof(from->v));
    thread->arch.fp.fpsr = from->fpsr;
    thread->arch.fp.fpcr = from->fpcr;
    arch_fp_restore(thread);
    arch_interrupts_restore(interrupts);
}

/* The frame is built in pieces: a whole one would take a third of the kernel stack. */
int arch_signal_push(struct trap_frame *frame, const struct signal_delivery *delivery) {
    vaddr at = (delivery->top - sizeof(struct signal_frame)) & ~15ul;
    struct {
        u64 flags;
        vaddr link;
        struct signal_stack stack;
        u64 mask;
    } user = { 0, 0, delivery->stack, delivery->mask };
    struct {
        struct fpsimd_context fpsimd;
        u32 end_magic, end_size;
    } extensions = { .end_magic = 0 };
    u64 registers[35] = { [0] = delivery->info.address, [32] = frame->sp, [33] = frame->pc, [34] = frame->pstate };
    memcpy(&registers[1], frame->x, sizeof(frame->x));
    save_fp(&extensions.fpsimd);
    const u64 record[2] = { frame->x[29], frame->x[30] };
#define PUT(member, value) copy_to_user(at + offsetof(struct signal_frame, member), &(value), sizeof(value))
    if (PUT(info, delivery->info) != 0 || PUT(user, user) != 0 || PUT(user.context, registers) != 0 ||
        PUT(user.context.extensions, extensions) != 0 || PUT(frame_record, record) != 0) {
        return -EFAULT;
    }
#undef PUT
    frame->x[0] = (u64)delivery->signal;
    frame->x[1] = at + offsetof(struct signal_frame, info);
    frame->x[2] = at + offsetof(struct signal_frame, user);
    frame->x[29] = at + offsetof(struct signal_frame, frame_record);
    frame->x[30] = (delivery->action.flags & SA_RESTORER) != 0 ? delivery->action.restorer : USER_TRAMPOLINE;
    frame->sp = at;
    frame->pc = delivery->action.handler;
    return 0;
}

int arch_signal_return(struct trap_frame *frame, u64 *mask) {
    vaddr at = frame->sp;
    u64 registers[35];
    struct fpsimd_context fpsimd;
#define GET(member, value) copy_from_user(&(value), at + offsetof(struct signal_frame, member), sizeof(value))
    if (at % 16 != 0 || GET(user.mask, *mask) != 0 || GET(user.context, registers) != 0 ||
        GET(user.context.extensions, fpsimd) != 0) {
        return -EFAULT;
    }
#undef GET
    memcpy(frame->x, &registers[1], sizeof(frame->x));
    frame->sp = registers[32];
    frame->pc = registers[33];
    frame->pstate = registers[34] & PSTATE_FLAGS; /* EL0, interrupts on, whatever the frame says */
    if (fpsimd.magic == FPSIMD_MAGIC && fpsimd.size == sizeof(fpsimd)) restore_fp(&fpsimd);
    return 0;
}
