/* One run: threads that insert, delete and search random keys in a list of their own, and an account of all they did.
 *
 * What must hold at the end, with the threads gone:
 *   - keys rise strictly from node to node, are in range, and no node is marked as deleted;
 *   - for each key, what was inserted less what was deleted is 1 when it is in the list, and 0 when not;
 *   - hence the population is the prefilled keys and all successful insertions less all successful deletions;
 *   - searches of a list that nobody changes find exactly what is in it;
 *   - nobody ever met a node whose memory was free, and all nodes allocated are freed, each once.
 */
#include "stress.h"

#include "arch.h"
#include "cpu.h"
#include "errno.h"
#include "file.h"
#include "kernel.h"
#include "list.h"
#include "memory.h"
#include "process.h"
#include "self_check.h"

_Static_assert(STRESS_MAX_THREADS + 1 == EPOCH_MAX_THREADS, "the last one prefills and verifies");

struct worker {
    struct stress *stress;
    struct stress_thread_result *result;
    struct list_user user;
    u64 wrong_searches; /* of an unchanging list */
};

struct stress {
    struct stress_run *run;
    struct list list;
    i32 *balance; /* by key: insertions less deletions */
    bool started, stopping;
    u32 running; /* under run_lock */
    struct wait_queue ended;
    struct worker worker[STRESS_MAX_THREADS + 1];
};

static struct spinlock run_lock = SPINLOCK_INIT("stress");
static u32 taken; /* one run at a time */

static bool is_prefilled(const struct stress_run *run, u64 key) {
    switch (run->workload) {
    case STRESS_INSERT: return false;
    case STRESS_DELETE: return true;
    default: return key % 2 == 0;
    }
}

/* Mixed is 40 insertions and 40 deletions of 100, so that the population stays about half of the keys. */
static enum stress_operation choose(const struct stress_run *run, struct list_user *user) {
    if (run->workload != STRESS_MIXED) return (enum stress_operation)run->workload;
    u64 percent = list_random(user) % 100;
    return percent < 40 ? STRESS_OP_INSERT : percent < 80 ? STRESS_OP_DELETE : STRESS_OP_SEARCH;
}

/* The account is kept by relaxed additions: it must not order the list's operations, that is the list's affair. */
static bool operate(struct worker *worker, enum stress_operation operation, u64 key) {
    struct stress *stress = worker->stress;
    bool done;
    switch (operation) {
    case STRESS_OP_INSERT:
        done = list_insert(&worker->user, key);
        if (done) __atomic_fetch_add(&stress->balance[key], 1, __ATOMIC_RELAXED);
        return done;
    case STRESS_OP_DELETE:
        done = list_delete(&worker->user, key);
        if (done) __atomic_fetch_sub(&stress->balance[key], 1, __ATOMIC_RELAXED);
        return done;
    default:
        done = list_search(&worker->user, key);
        if (stress->run->workload == STRESS_SEARCH && done != is_prefilled(stress->run, key)) worker->wrong_searches++;
        return done;
    }
}

static void work(struct worker *worker) {
    struct stress *stress = worker->stress;
    const struct stress_run *run = stress->run;
    for (u32 count = 0; count < run->operations; count++) {
        if (__atomic_load_n(&stress->stopping, __ATOMIC_RELAXED)) return;
        enum stress_operation operation = choose(run, &worker->user);
        bool done = operate(worker, operation, list_random(&worker->user) % run->keys);
        if (worker->user.disordered) __atomic_store_n(&stress->stopping, true, __ATOMIC_RELAXED);
        if (done)
            worker->result->done[operation]++;
        else
            worker->result->failed[operation]++;
        worker->result->cpus |= 1u << (unsigned)__atomic_load_n(&current_thread()->cpu, __ATOMIC_RELAXED);
    }
}

static void worker_main(void *argument) {
    struct worker *worker = argument;
    struct stress *stress = worker->stress;
    worker->result->tid = current_thread()->tid;
    while (!__atomic_load_n(&stress->started, __ATOMIC_ACQUIRE)) yield();
    work(worker);
    worker->result->retries = worker->user.retries;
    u64 interrupts = spin_lock(&run_lock);
    stress->running--;
    wake_all(&stress->ended);
    spin_unlock(&run_lock, interrupts); /* `stress` may be gone from here on */
}

/* A failure is told once, the first of them. */
static void complain(struct stress_run *run, const char *format, ...) {
    va_list arguments;
    if (run->failure[0] != 0) return;
    va_start(arguments, format);
    format_arguments(run->failure, sizeof(run->failure), format, arguments);
    va_end(arguments);
}

static int prefill(struct stress *stress) {
    struct worker *worker = &stress->worker[stress->run->threads];
    /* From the top, so that each finds its place at once. */
    for (u64 key = stress->run->keys; key-- > 0;) {
        if (!is_prefilled(stress->run, key)) continue;
        if (!operate(worker, STRESS_OP_INSERT, key)) return -ENOMEM;
        stress->run->prefilled++;
    }
    return 0;
}

/* Waits for all; a signal makes them stop early. */
static int wait_for_workers(struct stress *stress) {
    struct thread *self = current_thread();
    int error = 0;
    u64 interrupts = spin_lock(&run_lock);
    while (stress->running > 0) {
        int woken = wait_on(&stress->ended, &run_lock, &interrupts, 0);
        if (woken == 0) continue;
        error = woken;
        __atomic_store_n(&stress->stopping, true, __ATOMIC_RELAXED);
        self->uninterruptible = true;
    }
    self->uninterruptible = false;
    spin_unlock(&run_lock, interrupts);
    return error;
}

static int run_workers(struct stress *stress) {
    struct stress_run *run = stress->run;
    int error = 0;
    for (u32 index = 0; index < run->threads && error == 0; index++) {
        char name[16];
        format_text(name, sizeof(name), "stress/%u", index);
        u64 interrupts = spin_lock(&run_lock);
        stress->running++;
        spin_unlock(&run_lock, interrupts);
        if (kernel_thread_create(name, worker_main, &stress->worker[index]) != NULL) continue;
        interrupts = spin_lock(&run_lock);
        stress->running--;
        spin_unlock(&run_lock, interrupts);
        stress->stopping = true;
        error = -ENOMEM;
    }
    u64 start_ns = arch_clock_ns();
    __atomic_store_n(&stress->started, true, __ATOMIC_RELEASE);
    int interrupted = wait_for_workers(stress);
    run->elapsed_ns = arch_clock_ns() - start_ns;
    return error != 0 ? error : interrupted;
}

static u64 sum_done(const struct stress_run *run, enum stress_operation operation) {
    u64 sum = 0;
    for (u32 index = 0; index < run->threads; index++) sum += run->thread[index].done[operation];
    return sum;
}

/* The list against the account. Each key found is taken off its balance, so that all must be 0 afterwards. */
static void verify_list(struct stress *stress) {
    struct stress_run *run = stress->run;
    u64 last = 0;
    for (struct node *node = node_at(stress->list.first); node != NULL; node = node_at(node->next)) {
        if (is_deleted(node->next)) complain(run, "key %lu is marked as deleted and still linked", node->key);
        if (node->key >= run->keys) {
            complain(run, "key %lu is out of range", node->key);
            return;
        }
        if (run->population > 0 && node->key <= last) {
            complain(run, node->key == last ? "key %lu is there twice" : "key %lu comes after %lu", node->key, last);
        }
        last = node->key;
        stress->balance[node->key]--;
        if (++run->population > run->keys) {
            complain(run, "more nodes than keys");
            return;
        }
    }
    for (u32 key = 0; key < run->keys; key++) {
        if (stress->balance[key] == 0) continue;
        complain(run, "key %u: %s, against insertions less deletions", key,
                 stress->balance[key] < 0 ? "there" : "not there");
    }
    u64 expected = run->prefilled + sum_done(run, STRESS_OP_INSERT) - sum_done(run, STRESS_OP_DELETE);
    if (run->population != expected) complain(run, "population %lu, expected %lu", run->population, expected);
}

static void verify_workers(struct stress *stress) {
    struct stress_run *run = stress->run;
    for (u32 index = 0; index <= run->threads; index++) {
        if (stress->worker[index].user.disordered) complain(run, "thread %u met keys out of order", index);
    }
    for (u32 index = 0; index < run->threads; index++) {
        const struct worker *worker = &stress->worker[index];
        const struct stress_thread_result *result = worker->result;
        u64 operations = 0;
        for (unsigned kind = 0; kind < STRESS_OPERATIONS; kind++)
            operations += result->done[kind] + result->failed[kind];
        if (worker->user.out_of_memory) complain(run, "thread %u: out of memory", index);
        if (operations != run->operations) complain(run, "thread %u: %lu operations", index, operations);
        if (worker->user.freed_seen > 0) complain(run, "thread %u met %lu freed nodes", index, worker->user.freed_seen);
        u64 twice = worker->user.epoch->retired_twice;
        if (twice > 0) complain(run, "thread %u: %lu nodes removed twice", index, twice);
        if (worker->wrong_searches > 0) complain(run, "thread %u: %lu wrong searches", index, worker->wrong_searches);
    }
}

static int run_all(struct stress *stress) {
    struct stress_run *run = stress->run;
    list_init(&stress->list, run->threads + 1);
    for (u32 index = 0; index <= run->threads; index++) {
        stress->worker[index] = (struct worker){
            .stress = stress,
            .result = index < run->threads ? &run->thread[index] : NULL,
            .user = list_user(&stress->list, index),
        };
    }
    int error = prefill(stress);
    if (error == 0) error = run_workers(stress);
    if (error == 0) {
        verify_workers(stress);
        verify_list(stress);
    }
    for (u32 index = 0; index <= run->threads; index++) run->nodes += stress->list.epochs.thread[index].allocated;
    /* What is left of a broken list is left alone: freeing a node twice would make a panic of it. */
    if (run->failure[0] != 0) return error;
    u64 freed = list_destroy(&stress->list);
    if (freed != run->nodes) complain(run, "%lu nodes allocated, %lu freed", run->nodes, freed);
    return error;
}

static int check_and_run(struct stress_run *run) {
    if (run->threads == 0) run->threads = cpus_online;
    if (run->threads > STRESS_MAX_THREADS || run->workload >= STRESS_WORKLOADS) return -EINVAL;
    if (run->operations < 1 || run->operations > STRESS_MAX_OPERATIONS) return -EINVAL;
    if (run->keys < 1 || run->keys > STRESS_MAX_KEYS) return -EINVAL;
    struct stress *stress = kmalloc(sizeof(*stress));
    i32 *balance = kmalloc(run->keys * sizeof(*balance));
    int error = -ENOMEM;
    if (stress != NULL && balance != NULL) {
        stress->run = run;
        stress->balance = balance;
        error = run_all(stress);
    }
    kfree(balance);
    kfree(stress);
    return error;
}

static isize stress_ioctl(struct file *file, u32 request, vaddr argument) {
    if (request != STRESS_RUN) return -ENOTTY;
    struct stress_run *run = kmalloc(sizeof(*run));
    if (run == NULL) return -ENOMEM;
    int error = copy_from_user(run, argument, offsetof(struct stress_run, elapsed_ns)); /* the rest is 0 */
    if (error == 0 && __atomic_exchange_n(&taken, 1, __ATOMIC_ACQUIRE) != 0) error = -EBUSY;
    if (error == 0) {
        error = check_and_run(run);
        __atomic_store_n(&taken, 0, __ATOMIC_RELEASE);
    }
    if (error == 0) error = copy_to_user(argument, run, sizeof(*run));
    kfree(run);
    return error;
}

const struct file_operations stress_device_operations = { .ioctl = stress_ioctl };
