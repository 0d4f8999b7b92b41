/* One run queue for all CPUs, first in, first out, one tick each.
 *
 * scheduler_lock guards every thread's state, the queue and the sleepers. It is held across the switch itself and
 * released by the thread switched to: thus no other CPU can pick a thread whose registers are not saved yet, and a
 * dying thread's stack is not freed while it is still stood on.
 */
#include "scheduler.h"

#include "arch.h"
#include "cpu.h"
#include "defect.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "private.h"
#include "trace.h"
#include "trace_validation.h"

#define IDLE_TICKS_PER_EVENT 32
#define STACK_CANARY         0x5ca1ab1e0ddba11ul

struct cpu cpus[MAX_CPUS];
unsigned cpus_online = 1;
struct thread *all_threads;

static struct spinlock scheduler_lock = SPINLOCK_INIT("scheduler");
static struct thread *queue_first, *queue_last;
static u32 queue_length;
static struct thread *sleepers;
static u64 next_wake_ns = ~0ul; /* no sleeper is due before; read without the lock */
static u32 idle_cpus;           /* bit n: CPU n runs its idle thread and was not told of work yet */
static struct thread *dead_threads;

struct thread boot_thread = { .name = "idle/0", .state = THREAD_RUNNING };

static void enqueue(struct thread *thread) {
    thread->queue_next = NULL;
    if (queue_last != NULL)
        queue_last->queue_next = thread;
    else
        queue_first = thread;
    queue_last = thread;
    queue_length++;
}

static struct thread *dequeue(void) {
    struct thread *thread = queue_first;
    if (thread == NULL) return NULL;
    queue_first = thread->queue_next;
    if (queue_first == NULL) queue_last = NULL;
    queue_length--;
    return thread;
}

/* The caller holds scheduler_lock. One idle CPU is told of each thread that becomes ready. */
static void make_ready(struct thread *thread) {
    thread->state = THREAD_READY;
    thread->wake_deadline_ns = 0;
    enqueue(thread);
    trace(TRACE_WAKE, thread->tid);
    trace_count(&WAKE_TOTAL);
    if (idle_cpus == 0) return;
    unsigned self = arch_cpu_id();
    unsigned last = (unsigned)thread->cpu;
    unsigned target = idle_cpus & 1u << last ? last : (unsigned)__builtin_ctz(idle_cpus);
    idle_cpus &= ~(1u << target);
    if (target == self) {
        cpus[self].need_resched = true;
    } else {
        trace(TRACE_RESCHED_IPI_SEND, target);
        arch_send_reschedule(target);
    }
}

/* After a switch, on the new thread: what the one before us left to do. */
static void finish_switch(void) {
    struct cpu *cpu = this_cpu();
    struct thread *previous = cpu->previous;
    cpu->slice_ticks = 0;
    if (previous->state == THREAD_DEAD) {
        previous->queue_next = dead_threads;
        dead_threads = previous;
    }
    trace(TRACE_CTX_SWITCH_EXIT, current_thread()->tid);
}

/* The caller holds scheduler_lock and has set its own state; returns when it is picked again, on any CPU. */
static void switch_away(void) {
    struct cpu *cpu = this_cpu();
    struct thread *self = current_thread();
    if (self->kernel_stack != NULL && *(u64 *)self->kernel_stack != STACK_CANARY) panic("kernel stack overflow");
    cpu->need_resched = false;
    if (self->state == THREAD_RUNNING && self != cpu->idle) {
        self->state = THREAD_READY;
        if (!defect_at_requeue(self)) enqueue(self);
    }
    struct thread *next = dequeue();
    if (next == NULL) next = cpu->idle;
    if (next == cpu->idle)
        idle_cpus |= 1u << cpu->id;
    else
        idle_cpus &= ~(1u << cpu->id);
    next->state = THREAD_RUNNING;
    next->cpu = (i32)cpu->id;
    if (next != cpu->idle) trace(TRACE_SCHED_PICK, next->tid);
    if (next == self) {
        cpu->slice_ticks = 0;
        return;
    }
    if (next == cpu->idle) trace(TRACE_TO_IDLE, cpu->id);
    trace(TRACE_CTX_SWITCH_ENTRY, trace_pair(self->tid, next->tid));
    trace_count(&CTX_SWITCH_TOTAL);
    cpu->previous = self;
    arch_context_switch(self, next);
    finish_switch();
}

/* Free what threads left behind that ended; never called by one of them. */
static void reap_dead_threads(void) {
    while (__atomic_load_n(&dead_threads, __ATOMIC_RELAXED) != NULL) {
        u64 interrupts = spin_lock(&scheduler_lock);
        struct thread *dead = dead_threads;
        if (dead != NULL) dead_threads = dead->queue_next;
        spin_unlock(&scheduler_lock, interrupts);
        if (dead != NULL) thread_destroy(dead);
    }
}

void schedule(void) {
    u64 interrupts = spin_lock(&scheduler_lock);
    switch_away();
    spin_unlock(&scheduler_lock, interrupts);
    reap_dead_threads();
}

void yield(void) {
    trace(TRACE_SCHED_RESCHED, current_thread()->tid);
    schedule();
}

void preempt_if_needed(void) {
    if (!this_cpu()->need_resched) return;
    trace(TRACE_PREEMPT, current_thread()->tid);
    schedule();
}

void thread_entered(void) {
    finish_switch();
    spin_unlock(&scheduler_lock, arch_interrupts_save());
    arch_interrupts_enable();
}

/* Threads */

struct thread *thread_create(const char *name) {
    struct thread *thread = kmalloc(sizeof(*thread));
    if (thread == NULL) return NULL;
    thread->kernel_stack = pages_alloc(2);
    if (thread->kernel_stack == NULL) {
        kfree(thread);
        return NULL;
    }
    memset(thread->kernel_stack, 0, KERNEL_STACK_SIZE); /* see pages_alloc */
    *(u64 *)thread->kernel_stack = STACK_CANARY;
    string_copy(thread->name, name, sizeof(thread->name));
    u64 interrupts = spin_lock(&scheduler_lock);
    thread->state = THREAD_NEW;
    thread->all_next = all_threads;
    all_threads = thread;
    spin_unlock(&scheduler_lock, interrupts);
    return thread;
}

void thread_destroy(struct thread *thread) {
    u64 interrupts = spin_lock(&scheduler_lock);
    for (struct thread **link = &all_threads; *link != NULL; link = &(*link)->all_next) {
        if (*link == thread) {
            *link = thread->all_next;
            break;
        }
    }
    spin_unlock(&scheduler_lock, interrupts);
    page_put(thread->kernel_stack);
    kfree(thread);
}

void thread_start(struct thread *thread) {
    u64 interrupts = spin_lock(&scheduler_lock);
    make_ready(thread);
    spin_unlock(&scheduler_lock, interrupts);
}

noreturn void thread_exit(void) {
    trace(TRACE_THREAD_EXIT, current_thread()->tid);
    spin_lock(&scheduler_lock);
    current_thread()->state = THREAD_DEAD;
    switch_away();
    panic("a dead thread ran");
}

struct thread *idle_thread_create(unsigned cpu) {
    char name[16];
    format_text(name, sizeof(name), "idle/%u", cpu);
    struct thread *thread = thread_create(name);
    if (thread == NULL) panic("no memory for CPU %u", cpu);
    thread->state = THREAD_RUNNING;
    thread->cpu = (i32)cpu;
    cpus[cpu].id = cpu;
    cpus[cpu].idle = thread;
    return thread;
}

void scheduler_init(void) {
    cpus[0].idle = &boot_thread;
    cpus[0].online = true;
    boot_thread.all_next = all_threads;
    all_threads = &boot_thread;
}

noreturn void idle_loop(void) {
    struct cpu *cpu = this_cpu(); /* an idle thread never moves */
    for (;;) {
        arch_interrupts_disable();
        if (cpu->need_resched || __atomic_load_n(&queue_first, __ATOMIC_RELAXED) != NULL) {
            schedule();
            arch_interrupts_enable();
            continue;
        }
        u64 interrupts = spin_lock(&scheduler_lock);
        bool work = queue_first != NULL;
        if (!work) idle_cpus |= 1u << cpu->id;
        spin_unlock(&scheduler_lock, interrupts);
        /* Interrupts are off: a reschedule sent from here on stays pending and ends the wait at once. */
        if (!work) arch_wait_for_interrupt();
    }
}

/* Sleeping */

static void sleepers_add(struct thread *thread, u64 deadline_ns) {
    thread->wake_deadline_ns = deadline_ns;
    thread->sleep_next = sleepers;
    sleepers = thread;
    if (deadline_ns < next_wake_ns) next_wake_ns = deadline_ns;
}

static void sleepers_remove(struct thread *thread) {
    for (struct thread **link = &sleepers; *link != NULL; link = &(*link)->sleep_next) {
        if (*link == thread) {
            *link = thread->sleep_next;
            return;
        }
    }
}

static void sleepers_run(u64 now_ns) {
    if (now_ns < __atomic_load_n(&next_wake_ns, __ATOMIC_RELAXED)) return;
    u64 interrupts = spin_lock(&scheduler_lock);
    u64 next = ~0ul;
    for (struct thread *thread = sleepers; thread != NULL; thread = thread->sleep_next) {
        if (thread->state != THREAD_BLOCKED) continue;
        if (thread->wake_deadline_ns <= now_ns)
            make_ready(thread);
        else if (thread->wake_deadline_ns < next)
            next = thread->wake_deadline_ns;
    }
    next_wake_ns = next;
    spin_unlock(&scheduler_lock, interrupts);
}

void timer_tick(bool from_user) {
    if (trace_validation_active && trace_validation_tick()) return;
    struct cpu *cpu = this_cpu();
    cpu->ticks++;
    trace_count(&TIMER_TICK_TOTAL);
    /* An idle CPU's ticks would soon be all that its ring remembers. */
    if (current_thread() != cpu->idle || cpu->ticks % IDLE_TICKS_PER_EVENT == 0)
        trace(TRACE_TIMER_TICK, (u32)cpu->ticks);
    defect_at_tick();
    sleepers_run(arch_clock_ns());
    process_tick(from_user);
    if (current_thread() == cpu->idle) return;
    cpu->slice_ticks++;
    if (__atomic_load_n(&queue_first, __ATOMIC_RELAXED) != NULL) cpu->need_resched = true;
}

static void queue_append(struct wait_queue *queue, struct thread *thread) {
    struct thread **link = &queue->first;
    while (*link != NULL) link = &(*link)->wait_next;
    thread->wait_next = NULL;
    thread->waiting_on = queue;
    *link = thread;
}

static void queue_unlink(struct wait_queue *queue, struct thread *thread) {
    for (struct thread **link = &queue->first; *link != NULL; link = &(*link)->wait_next) {
        if (*link == thread) {
            *link = thread->wait_next;
            break;
        }
    }
    thread->waiting_on = NULL;
}

/* Two races matter. A waker holds `lock`, as we do until BLOCKED is set: it finds us in the queue and blocked, or
 * not at all. A signal's sender sets the pending bit, then takes scheduler_lock to look at our state: either we see
 * the bit here, under the same lock, or it sees BLOCKED. */
int wait_on(struct wait_queue *queue, struct spinlock *lock, u64 *interrupts, u64 deadline_ns) {
    struct thread *self = current_thread();
    queue_append(queue, self);
    u64 off = spin_lock(&scheduler_lock);
    if (!self->uninterruptible && signal_pending()) {
        spin_unlock(&scheduler_lock, off);
        queue_unlink(queue, self);
        return -EINTR;
    }
    self->state = THREAD_BLOCKED;
    if (deadline_ns != 0) sleepers_add(self, deadline_ns);
    spin_unlock(lock, off);
    switch_away();
    if (deadline_ns != 0) sleepers_remove(self);
    spin_unlock(&scheduler_lock, *interrupts);

    reap_dead_threads();
    *interrupts = spin_lock(lock);
    if (self->waiting_on == NULL) return 0;
    queue_unlink(queue, self);
    if (deadline_ns != 0 && arch_clock_ns() >= deadline_ns) return -ETIMEDOUT;
    return !self->uninterruptible && signal_pending() ? -EINTR : 0;
}

static void wake_first(struct wait_queue *queue) {
    struct thread *thread = queue->first;
    queue->first = thread->wait_next;
    thread->waiting_on = NULL;
    u64 interrupts = spin_lock(&scheduler_lock);
    if (thread->state == THREAD_BLOCKED) make_ready(thread);
    spin_unlock(&scheduler_lock, interrupts);
}

void wake_one(struct wait_queue *queue) {
    if (queue->first != NULL) wake_first(queue);
}

void wake_all(struct wait_queue *queue) {
    while (queue->first != NULL) wake_first(queue);
}

void thread_interrupt(struct thread *thread) {
    u64 interrupts = spin_lock(&scheduler_lock);
    if (thread->state == THREAD_BLOCKED && !thread->uninterruptible) {
        make_ready(thread);
    } else if (thread->state == THREAD_RUNNING && (unsigned)thread->cpu != arch_cpu_id()) {
        arch_send_reschedule((unsigned)thread->cpu); /* it looks for signals on its way back to user space */
    }
    spin_unlock(&scheduler_lock, interrupts);
}

int sleep_until(u64 deadline_ns) {
    static struct spinlock sleep_lock = SPINLOCK_INIT("sleep");
    struct wait_queue nobody = { NULL };
    int result = 0;
    u64 interrupts = spin_lock(&sleep_lock);
    while (result != -EINTR && arch_clock_ns() < deadline_ns) {
        result = wait_on(&nobody, &sleep_lock, &interrupts, deadline_ns);
    }
    spin_unlock(&sleep_lock, interrupts);
    return result == -EINTR ? -EINTR : 0;
}
