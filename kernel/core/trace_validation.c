/* Markers at a given rate on every CPU at once, and a reader that follows the rings; see self_check.h.
 *
 * Each CPU emits from its own timer interrupt, which runs at the asked rate meanwhile: events are spread as evenly as
 * the timer is, nothing spins, and everything else goes on as before. An interrupt that comes late or takes several
 * periods in one emits all that is due, so that the count is kept and the lateness is reported.
 *
 * A marker's payload is CPU << 24 | sequence number: an event in a wrong ring cannot pass for one of its own.
 */
#include "trace_validation.h"

#include "arch.h"
#include "clock.h"
#include "cpu.h"
#include "errno.h"
#include "file.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"
#include "scheduler.h"
#include "self_check.h"
#include "trace.h"

#define SEQUENCE_BITS 24
#define SEQUENCE_MASK ((1u << SEQUENCE_BITS) - 1)
#define GRACE_NS      (NS_PER_SECOND * 2) /* past the given time, for a machine that is short of CPUs */

_Static_assert(SEQUENCE_MASK / TRACE_VALIDATE_MAX_SECONDS >= TRACE_VALIDATE_MAX_RATE, "sequence numbers do not repeat");
_Static_assert(SELF_CHECK_CPUS == MAX_CPUS, "a row for each CPU");

enum emitter_state { EMITTER_WAITING, EMITTER_RUNNING, EMITTER_DONE };

/* Written by its own CPU, in the interrupt; the reader looks at the rest once `state` is DONE. */
struct emitter {
    enum emitter_state state;
    u32 emitted;
    u64 start_ns, last_ns, latest_ns, next_tick_ns;
    u64 start_index, end_index; /* of the ring: what lies between is this run's */
} __attribute__((aligned(64)));

/* Follows one ring. */
struct reader {
    u64 next_index, last_timestamp;
    u32 expected; /* sequence number */
    u32 verified;
    u64 lost, lost_since_marker;
};

bool trace_validation_active;

static struct emitter emitters[MAX_CPUS];
static u32 asked;
static u64 period_ns;
static bool stopping; /* emit no more */
static u32 taken;     /* one validation at a time */

static void set_timer(u64 period) {
    if (period_ns < TICK_NS) arch_timer_start(period);
}

static void emitter_start(struct emitter *emitter, unsigned cpu, u64 now_ns) {
    emitter->start_ns = emitter->next_tick_ns = now_ns;
    emitter->start_index = TRACE_BUFFERS[cpu].write_idx;
    emitter->state = EMITTER_RUNNING;
    set_timer(period_ns);
}

static void emitter_emit(struct emitter *emitter, unsigned cpu, u64 now_ns) {
    u64 due = (now_ns - emitter->start_ns) / period_ns + 1;
    u64 late_ns = now_ns - (emitter->start_ns + emitter->emitted * period_ns);
    if (due > asked) due = asked;
    if (emitter->emitted < due && late_ns > emitter->latest_ns) emitter->latest_ns = late_ns;
    while (emitter->emitted < due) {
        trace(TRACE_MARKER_A, cpu << SEQUENCE_BITS | emitter->emitted++);
        emitter->last_ns = now_ns;
    }
}

static void emitter_end(struct emitter *emitter, unsigned cpu) {
    set_timer(TICK_NS);
    emitter->end_index = TRACE_BUFFERS[cpu].write_idx;
    __atomic_store_n(&emitter->state, EMITTER_DONE, __ATOMIC_RELEASE); /* after all of it */
}

bool trace_validation_tick(void) {
    unsigned cpu = arch_cpu_id();
    struct emitter *emitter = &emitters[cpu];
    u64 now_ns = arch_clock_ns();
    if (emitter->state == EMITTER_DONE) return false;
    if (emitter->state == EMITTER_WAITING) emitter_start(emitter, cpu, now_ns);
    if (!__atomic_load_n(&stopping, __ATOMIC_RELAXED)) emitter_emit(emitter, cpu, now_ns);
    if (emitter->emitted == asked || stopping) emitter_end(emitter, cpu);
    if (now_ns < emitter->next_tick_ns) return true;
    emitter->next_tick_ns += TICK_NS;
    if (emitter->next_tick_ns <= now_ns) emitter->next_tick_ns = now_ns + TICK_NS;
    return false;
}

/* Reading. `failure` takes the first complaint; later ones follow from it as a rule. */

static void complain(char *failure, const char *format, ...) {
    va_list arguments;
    if (failure[0] != 0) return;
    va_start(arguments, format);
    format_arguments(failure, SELF_CHECK_MESSAGE, format, arguments);
    va_end(arguments);
}

static void check_event(struct reader *reader, unsigned cpu, const struct trace_event *event, char *failure) {
    if (event->cpu_id != cpu) complain(failure, "cpu %u: an event of CPU %u in its ring", cpu, event->cpu_id);
    if (event->timestamp < reader->last_timestamp) {
        complain(failure, "cpu %u: time goes back by %lu at index %lu", cpu, reader->last_timestamp - event->timestamp,
                 reader->next_index);
    }
    reader->last_timestamp = event->timestamp;
    if (event->event_type != TRACE_MARKER_A) return;

    u32 sequence = event->payload & SEQUENCE_MASK;
    if (event->payload >> SEQUENCE_BITS != cpu) {
        complain(failure, "cpu %u: a marker of CPU %u in its ring", cpu, event->payload >> SEQUENCE_BITS);
    } else if (sequence < reader->expected || sequence - reader->expected > reader->lost_since_marker) {
        complain(failure, "cpu %u: marker %u follows %d", cpu, sequence, (int)reader->expected - 1);
    }
    reader->expected = sequence + 1;
    reader->lost_since_marker = 0;
    reader->verified++;
}

/* An event is copied, then write_idx is read again: had the writer come round to its slot meanwhile, it would have
 * reserved an index a whole ring above. */
static void read_ring(struct reader *reader, unsigned cpu, u64 end, char *failure) {
    const struct trace_cpu_buffer *ring = &TRACE_BUFFERS[cpu];
    while (reader->next_index < end) {
        struct trace_event event =
            *(const volatile struct trace_event *)&ring->entries[reader->next_index % TRACE_RING_SIZE];
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        u64 written = __atomic_load_n(&ring->write_idx, __ATOMIC_RELAXED);
        if (written > reader->next_index + TRACE_RING_SIZE) {
            u64 lost = written - TRACE_RING_SIZE - reader->next_index;
            reader->lost += lost;
            reader->lost_since_marker += lost;
            reader->next_index += lost;
            continue;
        }
        check_event(reader, cpu, &event, failure);
        reader->next_index++;
    }
}

/* True when the CPU has emitted all, and all of it was read. */
static bool follow(struct reader *reader, unsigned cpu, char *failure) {
    const struct emitter *emitter = &emitters[cpu];
    if (__atomic_load_n(&emitter->state, __ATOMIC_ACQUIRE) == EMITTER_DONE) {
        read_ring(reader, cpu, emitter->end_index, failure);
        return true;
    }
    /* The newest may still be on its way into the ring; all below it are there, by the writer's release. */
    u64 written = __atomic_load_n(&TRACE_BUFFERS[cpu].write_idx, __ATOMIC_ACQUIRE);
    read_ring(reader, cpu, written > 0 ? written - 1 : 0, failure);
    return false;
}

static bool follow_all(struct reader *readers, char *failure) {
    bool done = true;
    for (unsigned cpu = 0; cpu < cpus_online; cpu++) done &= follow(&readers[cpu], cpu, failure);
    return done;
}

static void conclude(struct trace_validation *validation, const struct reader *reader, unsigned cpu) {
    struct trace_validation_cpu *result = &validation->cpu[cpu];
    const struct emitter *emitter = &emitters[cpu];
    char *failure = validation->failure;
    *result = (struct trace_validation_cpu){
        .emitted = emitter->emitted,
        .verified = reader->verified,
        .lost = reader->lost,
        .elapsed_ns = emitter->last_ns - emitter->start_ns,
        .latest_ns = emitter->latest_ns,
    };
    u64 end = TRACE_BUFFERS[cpu].write_idx, held_from = end > TRACE_RING_SIZE ? end - TRACE_RING_SIZE : 0;
    if (held_from > emitter->start_index) result->overwritten = held_from - emitter->start_index;

    if (emitter->emitted != asked) complain(failure, "cpu %u: %u of %u events emitted", cpu, emitter->emitted, asked);
    if (reader->expected + reader->lost_since_marker < emitter->emitted) {
        complain(failure, "cpu %u: the last marker read is %u of %u", cpu, reader->expected, emitter->emitted);
    }
}

/* Every CPU has its timer back when this returns, but one whose timer is dead. -EINTR: by a signal. */
static int run(struct trace_validation *validation, struct reader *readers) {
    u64 deadline_ns = arch_clock_ns() + validation->seconds * NS_PER_SECOND + GRACE_NS;
    int error = 0;
    memset(emitters, 0, sizeof(emitters));
    for (unsigned cpu = 0; cpu < cpus_online; cpu++) {
        readers[cpu].next_index = __atomic_load_n(&TRACE_BUFFERS[cpu].write_idx, __ATOMIC_ACQUIRE);
    }
    stopping = false;
    __atomic_store_n(&trace_validation_active, true, __ATOMIC_RELEASE);
    while (!follow_all(readers, validation->failure) && error == 0 && arch_clock_ns() < deadline_ns) {
        error = sleep_until(arch_clock_ns() + TICK_NS);
    }
    __atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
    deadline_ns = arch_clock_ns() + GRACE_NS;
    while (!follow_all(readers, validation->failure) && arch_clock_ns() < deadline_ns) yield();
    __atomic_store_n(&trace_validation_active, false, __ATOMIC_RELEASE);
    return error;
}

static int validate(struct trace_validation *validation) {
    if (validation->rate < 1 || validation->rate > TRACE_VALIDATE_MAX_RATE) return -EINVAL;
    if (validation->seconds < 1 || validation->seconds > TRACE_VALIDATE_MAX_SECONDS) return -EINVAL;
    if (!trace_is_on(TRACE_MARKER_A)) return -EOPNOTSUPP;
    struct reader *readers = kmalloc(MAX_CPUS * sizeof(*readers));
    if (readers == NULL) return -ENOMEM;
    asked = validation->asked = validation->rate * validation->seconds;
    period_ns = NS_PER_SECOND / validation->rate;
    validation->cpus = cpus_online;
    validation->failure[0] = 0;
    int error = run(validation, readers);
    for (unsigned cpu = 0; cpu < cpus_online && error == 0; cpu++) conclude(validation, &readers[cpu], cpu);
    kfree(readers);
    return error;
}

static isize trace_ioctl(struct file *file, u32 request, vaddr argument) {
    if (request != TRACE_VALIDATE) return -ENOTTY;
    struct trace_validation *validation = kmalloc(sizeof(*validation));
    if (validation == NULL) return -ENOMEM;
    int error = copy_from_user(validation, argument, sizeof(*validation));
    if (error == 0 && __atomic_exchange_n(&taken, 1, __ATOMIC_ACQUIRE) != 0) error = -EBUSY;
    if (error == 0) {
        error = validate(validation);
        __atomic_store_n(&taken, 0, __ATOMIC_RELEASE);
    }
    if (error == 0) error = copy_to_user(argument, validation, sizeof(*validation));
    kfree(validation);
    return error;
}

const struct file_operations trace_device_operations = { .ioctl = trace_ioctl };
