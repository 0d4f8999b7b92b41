/* Exceptions: what happened, and who deals with it. */
#include "aarch64.h"

#include "cpu.h"
#include "kernel.h"
#include "process.h"
#include "scheduler.h"
#include "signal.h"
#include "space.h"
#include "trace.h"

/* ESR_EL1.EC */
enum {
    CLASS_UNKNOWN = 0x00,
    CLASS_ILLEGAL_STATE = 0x0e,
    CLASS_SVC = 0x15,
    CLASS_TRAPPED_REGISTER = 0x18,
    CLASS_FETCH_USER = 0x20,
    CLASS_FETCH_KERNEL = 0x21,
    CLASS_PC_ALIGNMENT = 0x22,
    CLASS_DATA_USER = 0x24,
    CLASS_DATA_KERNEL = 0x25,
    CLASS_SP_ALIGNMENT = 0x26,
    CLASS_FLOATING_POINT = 0x2c,
    CLASS_STEP_USER = 0x32,
    CLASS_BREAK = 0x3c,
};

#define PSTATE_MODE 0x0f
#define PSTATE_I    0x80

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

bool arch_has_fixup(const struct trap_frame *frame) { return fixup_of(frame->pc) != 0; }
void arch_take_fixup(struct trap_frame *frame) { frame->pc = fixup_of(frame->pc); }
bool arch_frame_from_user(const struct trap_frame *frame) { return (frame->pstate & PSTATE_MODE) == 0; }

static unsigned class_of(const struct trap_frame *frame) { return frame->esr >> 26 & 0x3f; }

/* DFSC/IFSC: translation, access flag and permission faults, levels 0 to 3. */
static bool is_page_fault(const struct trap_frame *frame) {
    u64 kind = frame->esr >> 2 & 0xf;
    return kind >= 1 && kind <= 3;
}

static void handle_abort(struct trap_frame *frame) {
    unsigned class = class_of(frame);
    bool fetch = class == CLASS_FETCH_USER || class == CLASS_FETCH_KERNEL;
    bool cache = (frame->esr >> 8 & 1) != 0; /* cache maintenance counts as a write and needs only reading */
    bool write = !fetch && !cache && (frame->esr >> 6 & 1) != 0;
    if (is_page_fault(frame)) {
        trap_page_fault(frame, frame->far, fetch ? PAGE_EXECUTE : write ? PAGE_WRITE : PAGE_READ);
    } else if (arch_frame_from_user(frame)) {
        signal_fault(frame, SIGBUS, BUS_ADRALN, frame->far);
    } else if (arch_has_fixup(frame)) {
        arch_take_fixup(frame);
    } else {
        panic_with_frame(frame, "kernel abort, ESR 0x%lx", frame->esr);
    }
}

void trap_user_sync(struct trap_frame *frame) {
    arch_interrupts_enable();
    switch (class_of(frame)) {
    case CLASS_SVC: syscall_dispatch(frame); return;
    case CLASS_FETCH_USER:
    case CLASS_DATA_USER: handle_abort(frame); return;
    case CLASS_PC_ALIGNMENT:
    case CLASS_SP_ALIGNMENT: signal_fault(frame, SIGBUS, BUS_ADRALN, frame->far); return;
    case CLASS_BREAK:
    case CLASS_STEP_USER: signal_fault(frame, SIGTRAP, TRAP_BRKPT, frame->pc); return;
    case CLASS_FLOATING_POINT: signal_fault(frame, SIGFPE, FPE_INTDIV, frame->pc); return;
    default: signal_fault(frame, SIGILL, ILL_ILLOPC, frame->pc); return;
    }
}

/* Interrupts are on again while a page is fetched, if they were; off again for the way back. */
void trap_kernel_sync(struct trap_frame *frame) {
    unsigned class = class_of(frame);
    if (class == CLASS_UNKNOWN && arch_has_fixup(frame)) { /* HLT that nobody emulates */
        arch_take_fixup(frame);
        return;
    }
    if (class != CLASS_DATA_KERNEL && class != CLASS_FETCH_KERNEL) {
        panic_with_frame(frame, "unexpected exception in the kernel, ESR 0x%lx", frame->esr);
    }
    if ((frame->pstate & PSTATE_I) == 0) arch_interrupts_enable();
    handle_abort(frame);
    arch_interrupts_disable();
}

noreturn void trap_unexpected(struct trap_frame *frame) {
    panic_with_frame(frame, "unexpected exception, ESR 0x%lx", frame->esr);
}

void trap_irq(struct trap_frame *frame) {
    bool from_user = arch_frame_from_user(frame);
    for (;;) {
        unsigned interrupt = gic_acknowledge();
        if (interrupt >= 1020) break;
        trace_count(&IRQ_TOTAL);
        if (interrupt != TIMER_INTERRUPT) trace(TRACE_IRQ_ENTRY, interrupt);
        switch (interrupt) {
        case TIMER_INTERRUPT: timer_interrupt(from_user); break;
        case UART_INTERRUPT: uart_interrupt(); break;
        case IPI_RESCHEDULE:
            this_cpu()->need_resched = true;
            trace(TRACE_RESCHED_IPI_RECV, arch_cpu_id());
            break;
        case IPI_STOP: arch_park();
        default: kprint("interrupt %u has no handler\n", interrupt);
        }
        if (interrupt != TIMER_INTERRUPT) trace(TRACE_IRQ_EXIT, interrupt);
        gic_end(interrupt);
    }
    /* The interrupted kernel code had interrupts on, so it holds no spinlock: it may be switched away from. User
     * code's turn comes in trap_leave_to_user. */
    if (!from_user) preempt_if_needed();
}

void arch_print_frame(const struct trap_frame *frame) {
    char line[128];
    for (unsigned index = 0; index < 31; index += 3) {
        int length = 0;
        for (unsigned column = index; column < index + 3 && column < 31; column++) {
            length +=
                format_text(line + length, sizeof(line) - (usize)length, "  x%-2u %016lx", column, frame->x[column]);
        }
        length += format_text(line + length, sizeof(line) - (usize)length, "\r\n");
        arch_console_write(line, (usize)length);
    }
    int length = format_text(line, sizeof(line), "  sp  %016lx  pc  %016lx  pstate %lx  esr %lx  far %lx\r\n",
                             frame->sp, frame->pc, frame->pstate, frame->esr, frame->far);
    arch_console_write(line, (usize)length);
}

static void print_backtrace_line(unsigned index, u64 pc) {
    char line[64];
    int length = format_text(line, sizeof(line), "  #%u 0x%lx\r\n", index, pc);
    arch_console_write(line, (usize)length);
}

/* Frame records { caller's x29, return address } go up the stack; anything else ends the walk. */
void arch_backtrace(const struct trap_frame *frame) {
    const u64 *record = frame != NULL ? (const u64 *)frame->x[29] : __builtin_frame_address(0);
    unsigned index = 0;
    if (frame != NULL) print_backtrace_line(index++, frame->pc);
    const u64 *previous = NULL;
    while (index < 32 && record > previous && (u64)record >= DIRECT_MAP_BASE && ((u64)record & 7) == 0) {
        if (record[1] == 0) break;
        print_backtrace_line(index++, record[1]);
        previous = record;
        record = (const u64 *)record[0];
    }
}
