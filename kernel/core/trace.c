/* The rings, the counters and the providers; see trace.h for the interface. */
#include "trace.h"

#include "arch.h"
#include "kernel.h"

#define TEXT(literal)                                                                                                  \
    { literal, sizeof(literal) - 1 }

struct trace_cpu_buffer TRACE_BUFFERS[TRACE_MAX_CPUS];
u64 TRACE_ENABLED;
u64 TRACE_CPU0_WRITE_IDX;
u64 TRACE_TIMESTAMP_HZ;

#define COUNTER(symbol, text) struct trace_counter symbol = { .name = TEXT(#symbol), .description = TEXT(text) }

COUNTER(SYSCALL_TOTAL, "system calls");
COUNTER(IRQ_TOTAL, "interrupts");
COUNTER(CTX_SWITCH_TOTAL, "context switches");
COUNTER(TIMER_TICK_TOTAL, "timer ticks");
COUNTER(PAGE_FAULT_TOTAL, "page faults from user space or on its behalf");
COUNTER(COW_COPY_TOTAL, "pages copied on write");
COUNTER(FORK_TOTAL, "processes forked");
COUNTER(EXEC_TOTAL, "programs started");
COUNTER(WAKE_TOTAL, "threads made ready");

struct trace_counter *TRACE_COUNTERS[] = {
    &SYSCALL_TOTAL,  &IRQ_TOTAL,  &CTX_SWITCH_TOTAL, &TIMER_TICK_TOTAL, &PAGE_FAULT_TOTAL,
    &COW_COPY_TOTAL, &FORK_TOTAL, &EXEC_TOTAL,       &WAKE_TOTAL,
};
u64 TRACE_COUNTER_COUNT = ARRAY_SIZE(TRACE_COUNTERS);

#define ALL_PROBES (~0ul)

static struct trace_provider providers[] = {
    { .name = TEXT("context"), .id = 0x00, .enabled = ALL_PROBES },
    { .name = TEXT("irq"), .id = 0x01, .enabled = ALL_PROBES },
    { .name = TEXT("sched"), .id = 0x02, .enabled = ALL_PROBES },
    { .name = TEXT("syscall"), .id = 0x03, .enabled = ALL_PROBES },
    { .name = TEXT("memory"), .id = 0x04, .enabled = ALL_PROBES },
    { .name = TEXT("lock"), .id = 0x05, .enabled = 0 }, /* would crowd out all others */
    { .name = TEXT("process"), .id = 0x06, .enabled = ALL_PROBES },
    { .name = TEXT("marker"), .id = 0xff, .enabled = ALL_PROBES },
};

struct trace_provider *TRACE_PROVIDERS[16] = {
    &providers[0], &providers[1], &providers[2], &providers[3],
    &providers[4], &providers[5], &providers[6], &providers[7],
};
u64 TRACE_PROVIDER_COUNT = ARRAY_SIZE(providers);

static inline struct trace_provider *provider_of(u16 event_type) {
    u8 id = event_type >> 8;
    return &providers[id == 0xff ? ARRAY_SIZE(providers) - 1 : id];
}

void trace_emit(u16 event_type, u32 payload) {
    if ((provider_of(event_type)->enabled >> (event_type & 63) & 1) == 0) return;

    /* Interrupts are off from choosing the CPU to the store: a thread preempted in between would go on writing into
     * a ring that is no longer its CPU's, with the time of long ago. */
    u64 interrupts = arch_interrupts_save();
    unsigned cpu = arch_cpu_id();
    struct trace_cpu_buffer *ring = &TRACE_BUFFERS[cpu];
    u64 timestamp = arch_timestamp();
    /* Release: whoever reads the new index sees all events below this one whole. The fence is the other half: whoever
     * finds this event in the slot of an old one sees, looking at the index again, that the old one is gone. */
    u64 index = __atomic_fetch_add(&ring->write_idx, 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    ring->entries[index % TRACE_RING_SIZE] = (struct trace_event){
        .timestamp = timestamp,
        .event_type = event_type,
        .cpu_id = (u8)cpu,
        .payload = payload,
    };
    if (index >= TRACE_RING_SIZE) __atomic_fetch_add(&ring->dropped, 1, __ATOMIC_RELAXED);
    if (cpu == 0) __atomic_store_n(&TRACE_CPU0_WRITE_IDX, index + 1, __ATOMIC_RELAXED);
    arch_interrupts_restore(interrupts);
}

bool trace_is_on(u16 event_type) {
    return TRACE_ENABLED != 0 && (provider_of(event_type)->enabled >> (event_type & 63) & 1) != 0;
}

void trace_count(struct trace_counter *counter) {
    __atomic_fetch_add(&counter->per_cpu[arch_cpu_id()].value, 1, __ATOMIC_RELAXED);
}

/* trace=all|off|NAME,NAME: which providers are on. Without the word: all but the locks. */
void trace_init(void) {
    char value[128];
    TRACE_TIMESTAMP_HZ = arch_timestamp_hz();
    if (!command_line_value("trace", value, sizeof(value))) {
        TRACE_ENABLED = 1;
        return;
    }
    if (strcmp(value, "off") == 0) return;
    bool all = strcmp(value, "all") == 0;
    for (usize index = 0; index < ARRAY_SIZE(providers); index++) {
        bool on = all || command_line_list_has("trace", providers[index].name.bytes);
        providers[index].enabled = on ? ALL_PROBES : 0;
    }
    TRACE_ENABLED = 1;
}
