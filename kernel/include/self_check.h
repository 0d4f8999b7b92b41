/* What duet's own commands ask of /dev/trace and /dev/stress: one ioctl each, which returns when all is done.
 *
 * Shared with the user programs bin/trace-validate.c and bin/kthread_stress.c. The call's result tells whether the
 * check could be made (0, or -1 with EINVAL, EBUSY, EOPNOTSUPP, ENOMEM, EINTR), `failure` what it found.
 */
#pragma once

#include <stdint.h>

#define SELF_CHECK_CPUS    16
#define SELF_CHECK_MESSAGE 96

/* /dev/trace */
#define TRACE_VALIDATE 0x4401u

#define TRACE_VALIDATE_MAX_RATE    10000u
#define TRACE_VALIDATE_MAX_SECONDS 600u

struct trace_validation_cpu {
    uint32_t emitted;
    uint32_t verified;    /* read back from the ring, each the successor of the one before it */
    uint64_t elapsed_ns;  /* from the first to the last; what rate that is, is for the caller to judge */
    uint64_t latest_ns;   /* the longest that one came after its time */
    uint64_t overwritten; /* events of this run that the ring no longer holds */
    uint64_t lost;        /* those of them that were overwritten before they could be read back */
};

struct trace_validation {
    uint32_t rate;    /* in: events a second on each CPU */
    uint32_t seconds; /* in */
    uint32_t asked;   /* events for each CPU */
    uint32_t cpus;
    struct trace_validation_cpu cpu[SELF_CHECK_CPUS];
    char failure[SELF_CHECK_MESSAGE]; /* empty: none */
};

/* /dev/stress */
#define STRESS_RUN 0x4402u

#define STRESS_MAX_THREADS    64u
#define STRESS_MAX_OPERATIONS 100000000u
#define STRESS_MAX_KEYS       1000000u

enum stress_workload { STRESS_INSERT, STRESS_DELETE, STRESS_SEARCH, STRESS_MIXED, STRESS_WORKLOADS };
enum stress_operation { STRESS_OP_INSERT, STRESS_OP_DELETE, STRESS_OP_SEARCH, STRESS_OPERATIONS };

struct stress_thread_result {
    uint32_t tid;
    uint32_t cpus;                      /* bit n: it ran on CPU n */
    uint64_t done[STRESS_OPERATIONS];   /* took effect, or found the key */
    uint64_t failed[STRESS_OPERATIONS]; /* the key was there already, or was not there */
    uint64_t retries;                   /* lost races: a compare-and-swap that another thread's came before */
};

struct stress_run {
    uint32_t threads;    /* in; 0: one for each CPU, and filled in */
    uint32_t operations; /* in: of each thread */
    uint32_t keys;       /* in: from 0 to keys - 1 */
    uint32_t workload;   /* in */
    uint64_t elapsed_ns;
    uint64_t prefilled;  /* keys in the list when the threads started */
    uint64_t population; /* and at the end */
    uint64_t nodes;      /* allocated in all; the rest were used again */
    struct stress_thread_result thread[STRESS_MAX_THREADS];
    char failure[SELF_CHECK_MESSAGE]; /* empty: none */
};
