/* Trace buffers: what each CPU did last, readable by a debugger without the kernel's help.
 *
 * The layout and the symbol names are an interface: tools read them out of a stopped or running machine. One ring
 * a CPU holds the newest 1024 events. A writer turns interrupts off, reads the clock, reserves a slot with an atomic
 * add on write_idx, and stores. It takes no lock, so it may run anywhere; only its own CPU writes to a ring. Timestamps
 * in a ring never go back; its newest slot, write_idx - 1, can be stale or torn while the CPU runs, all below are whole.
 */
#pragma once

#include "arch_types.h"
#include "types.h"

#define TRACE_RING_SIZE 1024
#define TRACE_MAX_CPUS  16

struct trace_event {
    u64 timestamp; /* arch_timestamp() */
    u16 event_type;
    u8 cpu_id;
    u8 flags;
    u32 payload;
} __attribute__((aligned(16)));

struct trace_cpu_buffer {
    struct trace_event entries[TRACE_RING_SIZE];
    u64 write_idx; /* counts on; the slot is its value modulo the ring's size */
    u64 read_idx;
    u64 dropped;   /* events overwritten before anybody read them */
} __attribute__((aligned(64)));

struct trace_text {
    const char *bytes;
    u64 length;
};

struct trace_counter {
    struct trace_text name;
    struct trace_text description;
    struct {
        u64 value;
    } __attribute__((aligned(64))) per_cpu[TRACE_MAX_CPUS];
};

struct trace_provider {
    struct trace_text name;
    u8 id;
    u64 enabled; /* bit n: probe n */
};

_Static_assert(sizeof(struct trace_event) == 16, "trace event");
_Static_assert(offsetof(struct trace_event, event_type) == 8, "trace event");
_Static_assert(offsetof(struct trace_event, cpu_id) == 10, "trace event");
_Static_assert(offsetof(struct trace_event, flags) == 11, "trace event");
_Static_assert(offsetof(struct trace_event, payload) == 12, "trace event");
_Static_assert(offsetof(struct trace_cpu_buffer, write_idx) == 0x4000, "trace ring");
_Static_assert(offsetof(struct trace_cpu_buffer, read_idx) == 0x4008, "trace ring");
_Static_assert(offsetof(struct trace_cpu_buffer, dropped) == 0x4010, "trace ring");
_Static_assert(sizeof(struct trace_cpu_buffer) == 0x4040, "trace ring");
_Static_assert(offsetof(struct trace_counter, per_cpu) == 64, "trace counter");
_Static_assert(sizeof(struct trace_counter) == 1088, "trace counter");
_Static_assert(offsetof(struct trace_provider, id) == 16, "trace provider");
_Static_assert(offsetof(struct trace_provider, enabled) == 24, "trace provider");

extern struct trace_cpu_buffer TRACE_BUFFERS[TRACE_MAX_CPUS];
extern u64 TRACE_ENABLED;
extern u64 TRACE_CPU0_WRITE_IDX;
extern u64 TRACE_TIMESTAMP_HZ;
extern struct trace_counter *TRACE_COUNTERS[];
extern u64 TRACE_COUNTER_COUNT;
extern struct trace_provider *TRACE_PROVIDERS[16];
extern u64 TRACE_PROVIDER_COUNT;

extern struct trace_counter SYSCALL_TOTAL, IRQ_TOTAL, CTX_SWITCH_TOTAL, TIMER_TICK_TOTAL;
extern struct trace_counter PAGE_FAULT_TOTAL, COW_COPY_TOTAL, FORK_TOTAL, EXEC_TOTAL, WAKE_TOTAL;

/* provider << 8 | probe. The comment is the payload. */
enum trace_event_type {
    TRACE_CTX_SWITCH_ENTRY = 0x0001, /* old tid << 16 | new tid */
    TRACE_CTX_SWITCH_EXIT = 0x0002,  /* the tid that runs now */
    TRACE_TO_USER = 0x0003,          /* tid: a thread's first entry to user mode, or exec's */
    TRACE_TO_IDLE = 0x0005,
    TRACE_IRQ_ENTRY = 0x0100,        /* vector or interrupt number; not the timer's, which has its own */
    TRACE_IRQ_EXIT = 0x0101,
    TRACE_TIMER_TICK = 0x0102,       /* this CPU's tick count, low 32 bits; every 32nd while idle */
    TRACE_SCHED_PICK = 0x0200,       /* tid */
    TRACE_SCHED_RESCHED = 0x0201,    /* tid that asked to be switched away from */
    TRACE_PREEMPT = 0x0202,          /* tid whose slice is over */
    TRACE_WAKE = 0x0203,             /* tid made ready */
    TRACE_RESCHED_IPI_SEND = 0x0204, /* CPU */
    TRACE_RESCHED_IPI_RECV = 0x0205,
    TRACE_SYSCALL_ENTRY = 0x0300,    /* number */
    TRACE_SYSCALL_EXIT = 0x0301,     /* result, low 32 bits, signed */
    TRACE_PAGE_FAULT = 0x0400,       /* faulting page number, low 32 bits */
    TRACE_TLB_FLUSH = 0x0401,        /* page number, or 0xffffffff for a whole space */
    TRACE_LOCK_ACQUIRE = 0x0500,     /* lock id: index into LOCK_NAMES */
    TRACE_LOCK_RELEASE = 0x0501,
    TRACE_LOCK_CONTEND = 0x0502,
    TRACE_FORK_ENTRY = 0x0600,       /* parent pid */
    TRACE_FORK_EXIT = 0x0601,        /* child pid, 0: failed */
    TRACE_EXEC_ENTRY = 0x0602,       /* pid */
    TRACE_EXEC_EXIT = 0x0603,        /* pid, 0: failed */
    TRACE_COW_FAULT = 0x0604,        /* page number, low 32 bits */
    TRACE_COW_COPY = 0x0605,         /* page number, low 32 bits */
    TRACE_DATA_ABORT = 0x0607,       /* pid << 16 | signal: a user fault that nothing could satisfy */
    TRACE_PROCESS_EXIT = 0x0608,     /* pid << 16 | wait status */
    TRACE_WAITPID_BLOCK = 0x060b,    /* parent tid << 16 | awaited pid, 0: any */
    TRACE_WAITPID_WAKE = 0x060c,     /* parent tid << 16 | child pid */
    TRACE_THREAD_EXIT = 0x060d,      /* tid */
    TRACE_MARKER_A = 0xff00,
    TRACE_MARKER_B = 0xff01,
    TRACE_MARKER_C = 0xff02,
    TRACE_MARKER_D = 0xff03,
};

void trace_init(void); /* reads `trace=` from the command line */
void trace_emit(u16 event_type, u32 payload);
bool trace_is_on(u16 event_type);

/* Off, this costs one load and one branch that is not taken; the payload is not even computed, hence a macro. On
 * aarch64 `adrp x8, page; ldr x8, [x8, #TRACE_ENABLED]; cbnz x8, emit`, on x86-64 `movq TRACE_ENABLED(%rip), %rax;
 * testq %rax, %rax; jne emit`, with the call out of line. */
#define trace(event_type, payload)                                                        \
    do {                                                                                  \
        if (__builtin_expect(__atomic_load_n(&TRACE_ENABLED, __ATOMIC_RELAXED) != 0, 0))  \
            trace_emit(event_type, payload);                                              \
    } while (0)

void trace_count(struct trace_counter *counter); /* counts whether or not tracing is on */

/* Two ids in one payload, each cut to 16 bits. */
static inline u32 trace_pair(u32 high, u32 low) { return high << 16 | (low & 0xffff); }
