/* kthread_stress [THREADS [OPERATIONS [KEYS [insert|delete|search|mixed]]]]: kernel threads against a shared lock-free
 * sorted list. OPERATIONS are each thread's, on random keys below KEYS; THREADS is the number of CPUs unless told.
 *
 * The list starts empty for insert, full for delete, with every other key for search and mixed. The kernel verifies
 * it at the end. Exit status 0, 1 for a failure, 2 for a wrong argument.
 */
#include "../../include/self_check.h"
#include "command.h"

static const char *const workload_names[STRESS_WORKLOADS] = { "insert", "delete", "search", "mixed" };
static struct stress_run run = { .operations = 100000, .keys = 256, .workload = STRESS_MIXED };

static bool parse_within(const char *text, uint32_t most, uint32_t *result) {
    long number;
    if (!parse_number(text, &number) || number < 1 || number > (long)most) return false;
    *result = (uint32_t)number;
    return true;
}

static bool parse_workload(const char *text) {
    for (uint32_t i = 0; i < STRESS_WORKLOADS; i++) {
        if (strcmp(text, workload_names[i]) != 0) continue;
        run.workload = i;
        return true;
    }
    return false;
}

static bool parse_arguments(int argc, char **argv) {
    if (argc > 1 && !parse_within(argv[1], STRESS_MAX_THREADS, &run.threads)) return false;
    if (argc > 2 && !parse_within(argv[2], STRESS_MAX_OPERATIONS, &run.operations)) return false;
    if (argc > 3 && !parse_within(argv[3], STRESS_MAX_KEYS, &run.keys)) return false;
    return argc <= 4 || (argc == 5 && parse_workload(argv[4]));
}

static void print_row(const char *name, const struct stress_thread_result *row) {
    char cpus[24];
    snprintf(cpus, sizeof cpus, "0x%x", row->cpus);
    printf("%6s %9lu %9lu %9lu %9lu %9lu %9lu %8lu %6s\n", name, row->done[STRESS_OP_INSERT],
           row->failed[STRESS_OP_INSERT], row->done[STRESS_OP_DELETE], row->failed[STRESS_OP_DELETE],
           row->done[STRESS_OP_SEARCH], row->failed[STRESS_OP_SEARCH], row->retries, cpus);
}

static void print_table(void) {
    struct stress_thread_result total = { 0 };
    unsigned long milliseconds = run.elapsed_ns / 1000000, operations = (unsigned long)run.threads * run.operations;
    char name[16];
    printf("kthread_stress: %u threads, %u operations each, %u keys, %s\n", run.threads, run.operations, run.keys,
           workload_names[run.workload]);
    printf("%6s %9s %9s %9s %9s %9s %9s %8s %6s\n", "thread", "inserted", "failed", "deleted", "failed", "found",
           "failed", "retries", "cpus");
    for (uint32_t i = 0; i < run.threads; i++) {
        const struct stress_thread_result *row = &run.thread[i];
        snprintf(name, sizeof name, "%u", i);
        print_row(name, row);
        for (int kind = 0; kind < STRESS_OPERATIONS; kind++) {
            total.done[kind] += row->done[kind];
            total.failed[kind] += row->failed[kind];
        }
        total.retries += row->retries;
        total.cpus |= row->cpus;
    }
    print_row("total", &total);
    printf("population %lu = %lu before + %lu inserted - %lu deleted; %lu nodes\n", run.population, run.prefilled,
           total.done[STRESS_OP_INSERT], total.done[STRESS_OP_DELETE], run.nodes);
    printf("%lu operations in %lu ms, %lu a second\n", operations, milliseconds,
           operations * 1000 / (milliseconds > 0 ? milliseconds : 1));
}

int main(int argc, char **argv) {
    command_begin(argv);
    if (!parse_arguments(argc, argv))
        return usage("[THREADS [OPERATIONS [KEYS [insert|delete|search|mixed]]]]"
                     "    at most 64, 100000000, 1000000 (one a CPU, 100000, 256, mixed)");
    int fd = open("/dev/stress", O_RDWR);
    if (fd < 0) return complain("/dev/stress");
    if (ioctl(fd, STRESS_RUN, &run) < 0) return complain("cannot run");
    print_table();
    if (run.failure[0] == '\0')
        printf("kthread_stress: PASS\n");
    else
        printf("kthread_stress: FAIL: %s\n", run.failure);
    return run.failure[0] != '\0';
}
