/* Exceptions and interrupts: what happened, and who deals with it. */
#include "x86_64.h"

#include "cpu.h"
#include "kernel.h"
#include "process.h"
#include "scheduler.h"
#include "signal.h"
#include "space.h"
#include "trace.h"

enum {
    EXCEPTION_DIVIDE = 0,
    EXCEPTION_DEBUG = 1,
    EXCEPTION_BREAKPOINT = 3,
    EXCEPTION_INVALID = 6,
    EXCEPTION_STACK = 12,
    EXCEPTION_PROTECTION = 13,
    EXCEPTION_X87 = 16,
    EXCEPTION_ALIGNMENT = 17,
    EXCEPTION_SIMD = 19,
    EXCEPTIONS = 32,
};

#define ERROR_WRITE 2u
#define ERROR_FETCH 16u

struct fixup {
    u64 instruction, target;
};
extern const struct fixup fixup_table_start[], fixup_table_end[];

static u64 fixup_of(u64 pc) {
    for (const struct fixup *fixup = fixup_table_start; fixup < fixup_table_end; fixup++) {
        if (fixup->instruction == pc) return fixup->target;
    }
    return 0;
}

bool arch_has_fixup(const struct trap_frame *frame) { return fixup_of(frame->rip) != 0; }
void arch_take_fixup(struct trap_frame *frame) { frame->rip = fixup_of(frame->rip); }
bool arch_frame_from_user(const struct trap_frame *frame) { return (frame->cs & 3) != 0; }

static void user_exception(struct trap_frame *frame) {
    switch (frame->vector) {
    case EXCEPTION_DIVIDE:
    case EXCEPTION_X87:
    case EXCEPTION_SIMD: signal_fault(frame, SIGFPE, FPE_INTDIV, frame->rip); return;
    case EXCEPTION_DEBUG:
    case EXCEPTION_BREAKPOINT: signal_fault(frame, SIGTRAP, TRAP_BRKPT, frame->rip); return;
    case EXCEPTION_INVALID: signal_fault(frame, SIGILL, ILL_ILLOPC, frame->rip); return;
    case EXCEPTION_STACK:
    case EXCEPTION_ALIGNMENT: signal_fault(frame, SIGBUS, BUS_ADRALN, 0); return;
    default: signal_fault(frame, SIGSEGV, SEGV_ACCERR, 0); return;
    }
}

static void handle_exception(struct trap_frame *frame) {
    bool from_user = arch_frame_from_user(frame);
    u64 address;
    __asm__ volatile("movq %%cr2, %0" : "=r"(address)); /* before anything else can fault */
    bool enable = from_user || (frame->rflags & RFLAGS_IF) != 0;
    if (frame->vector == VECTOR_PAGE_FAULT) {
        if (enable) arch_interrupts_enable();
        u64 error = frame->original_rax;
        trap_page_fault(frame, address,
                        error & ERROR_FETCH   ? PAGE_EXECUTE
                        : error & ERROR_WRITE ? PAGE_WRITE
                                              : PAGE_READ);
        arch_interrupts_disable();
    } else if (from_user) {
        arch_interrupts_enable();
        user_exception(frame);
        arch_interrupts_disable();
    } else {
        panic_with_frame(frame, "unexpected exception %lu in the kernel, error code 0x%lx", frame->vector,
                         frame->original_rax);
    }
}

static void handle_interrupt(struct trap_frame *frame) {
    bool from_user = arch_frame_from_user(frame);
    if (frame->vector == VECTOR_SPURIOUS) return; /* nothing happened, and it wants no end */
    trace_count(&IRQ_TOTAL);
    if (frame->vector != VECTOR_TIMER) trace(TRACE_IRQ_ENTRY, (u32)frame->vector);
    switch (frame->vector) {
    case VECTOR_TIMER: timer_tick(from_user); break;
    case VECTOR_SERIAL: uart_interrupt(); break;
    case VECTOR_RESCHEDULE:
        this_cpu()->need_resched = true;
        trace(TRACE_RESCHED_IPI_RECV, arch_cpu_id());
        break;
    case VECTOR_FLUSH: mmu_flush_interrupt(); break;
    default: kprint("interrupt %lu has no handler\n", frame->vector);
    }
    if (frame->vector != VECTOR_TIMER) trace(TRACE_IRQ_EXIT, (u32)frame->vector);
    apic_end();
    /* The interrupted kernel code had interrupts on, so it holds no spinlock: it may be switched away from. User
     * code's turn comes in trap_leave_to_user. */
    if (!from_user) preempt_if_needed();
}

void trap_handle(struct trap_frame *frame) {
    if (frame->vector < EXCEPTIONS)
        handle_exception(frame);
    else
        handle_interrupt(frame);
}

noreturn void trap_nmi(struct trap_frame *frame) {
    if (panic_started()) arch_park();
    panic_with_frame(frame, "non-maskable interrupt");
}

void arch_print_frame(const struct trap_frame *frame) {
    char text[640];
    u64 cr2;
    __asm__ volatile("movq %%cr2, %0" : "=r"(cr2));
    int length =
        format_text(text, sizeof(text),
                    "  rax %016lx  rbx %016lx  rcx %016lx\r\n  rdx %016lx  rsi %016lx  rdi %016lx\r\n"
                    "  rbp %016lx  rsp %016lx  r8  %016lx\r\n  r9  %016lx  r10 %016lx  r11 %016lx\r\n"
                    "  r12 %016lx  r13 %016lx  r14 %016lx\r\n  r15 %016lx  rip %016lx  rflags %lx  cs %lx  cr2 %lx\r\n",
                    frame->rax, frame->rbx, frame->rcx, frame->rdx, frame->rsi, frame->rdi, frame->rbp, frame->rsp,
                    frame->r8, frame->r9, frame->r10, frame->r11, frame->r12, frame->r13, frame->r14, frame->r15,
                    frame->rip, frame->rflags, frame->cs, cr2);
    arch_console_write(text, (usize)length);
}

static void print_backtrace_line(unsigned index, u64 pc) {
    char line[64];
    int length = format_text(line, sizeof(line), "  #%u 0x%lx\r\n", index, pc);
    arch_console_write(line, (usize)length);
}

/* Frame records { caller's RBP, return address } go up the stack; anything else ends the walk. */
void arch_backtrace(const struct trap_frame *frame) {
    const u64 *record = frame != NULL ? (const u64 *)frame->rbp : __builtin_frame_address(0);
    unsigned index = 0;
    if (frame != NULL) print_backtrace_line(index++, frame->rip);
    const u64 *previous = NULL;
    while (index < 32 && record > previous && (u64)record >= DIRECT_MAP_BASE && ((u64)record & 7) == 0) {
        if (record[1] == 0) break;
        print_backtrace_line(index++, record[1]);
        previous = record;
        record = (const u64 *)record[0];
    }
}
