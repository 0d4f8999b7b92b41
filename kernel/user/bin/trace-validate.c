/* trace-validate [RATE [SECONDS]]: has every CPU put RATE markers a second into its trace ring, and reads them back.
 *
 * Markers are MARKER_A events with a CPU number and a sequence number as payload. The kernel follows the rings while
 * they are written: no marker may be missing, but where the ring was written over before it could be read; time must
 * not go back; each event must be in its own CPU's ring. Exit status 0, 1 for a failure, 2 for a wrong argument, 77
 * when nothing was wrong but a CPU did not reach nine tenths of the rate: a machine with too few or too busy CPUs.
 */
#include "../../include/self_check.h"
#include "command.h"

static struct trace_validation validation = { .rate = 1000, .seconds = 2 };

static bool parse_within(const char *text, uint32_t most, uint32_t *result) {
    long number;
    if (!parse_number(text, &number) || number < 1 || number > (long)most) return false;
    *result = (uint32_t)number;
    return true;
}

static int validate(void) {
    int fd = open("/dev/trace", O_RDWR);
    if (fd < 0) return complain("/dev/trace");
    if (ioctl(fd, TRACE_VALIDATE, &validation) == 0) return 0;
    if (errno != EOPNOTSUPP) return complain("cannot validate");
    dprintf(2, "trace-validate: markers are not traced: boot without trace=, or with trace=marker in its list\n");
    return 1;
}

/* In tenths; the first event marks the start, so n events are n - 1 periods. */
static unsigned long rate_reached(const struct trace_validation_cpu *cpu) {
    return cpu->elapsed_ns == 0 ? 0 : (cpu->emitted - 1) * 10000000000ul / cpu->elapsed_ns;
}

static bool is_too_slow(const struct trace_validation_cpu *cpu) {
    return cpu->emitted > 1 && rate_reached(cpu) < validation.rate * 9ul;
}

static void print_table(void) {
    printf("trace-validate: %u markers a second for %u s on %u CPUs\n", validation.rate, validation.seconds,
           validation.cpus);
    printf("%3s %8s %8s %10s %10s %8s %11s %6s\n", "cpu", "asked", "emitted", "rate/s", "latest/us", "verified",
           "overwritten", "lost");
    for (uint32_t cpu = 0; cpu < validation.cpus; cpu++) {
        const struct trace_validation_cpu *row = &validation.cpu[cpu];
        unsigned long rate = rate_reached(row);
        printf("%3u %8u %8u %8lu.%lu %10lu %8u %11lu %6lu\n", cpu, validation.asked, row->emitted, rate / 10, rate % 10,
               row->latest_ns / 1000, row->verified, row->overwritten, row->lost);
    }
}

static int conclude(void) {
    if (validation.failure[0] != '\0') {
        printf("trace-validate: FAIL: %s\n", validation.failure);
        return 1;
    }
    for (uint32_t cpu = 0; cpu < validation.cpus; cpu++) {
        if (!is_too_slow(&validation.cpu[cpu])) continue;
        printf("trace-validate: SKIP: all is right, but CPU %u did not reach the rate\n", cpu);
        return 77;
    }
    printf("trace-validate: PASS\n");
    return 0;
}

int main(int argc, char **argv) {
    command_begin(argv);
    if (argc > 3 || (argc > 1 && !parse_within(argv[1], TRACE_VALIDATE_MAX_RATE, &validation.rate)) ||
        (argc > 2 && !parse_within(argv[2], TRACE_VALIDATE_MAX_SECONDS, &validation.seconds)))
        return usage("[RATE [SECONDS]]    1 to 10000 markers a second on each CPU (1000), for 1 to 600 s (2)");
    if (validate() != 0) return 1;
    print_table();
    return conclude();
}
