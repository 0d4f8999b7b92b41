/* clock_gettime: clocks run forwards, at the right speed, agree with each other and with sleeping. */
#include "test.h"

static long long read_ns(int clock) {
    struct timespec now;
    CHECK_OK(clock_gettime(clock, &now));
    CHECK(now.tv_nsec >= 0 && now.tv_nsec < 1000000000);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void monotonic_never_goes_back(void) {
    long long last = read_ns(CLOCK_MONOTONIC), first = last;
    for (int i = 0; i < 20000; i++) {
        long long now = read_ns(CLOCK_MONOTONIC);
        CHECK(now >= last);
        last = now;
    }
    CHECK(last > first);
    say("20000 readings in %lld us, none before the one before", (last - first) / 1000);
}

/* Each forked child may run on another processor: their clocks must agree. */
static void it_agrees_between_processes(void) {
    volatile long long *latest = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK_OK(latest);
    for (int i = 0; i < 20; i++) {
        *latest = read_ns(CLOCK_MONOTONIC);
        pid_t child = test_fork();
        if (child == 0) {
            long long now = read_ns(CLOCK_MONOTONIC);
            CHECK(now >= *latest);
            *latest = now;
            _exit(0);
        }
        CHECK_EXIT(child, 0);
        CHECK(read_ns(CLOCK_MONOTONIC) >= *latest);
    }
    say("20 children saw no time before their parent's");
}

static void sleeping_takes_as_long_as_it_says(void) {
    static const long lengths_ms[] = { 1, 10, 50 };
    for (int i = 0; i < 3; i++) {
        struct timespec duration = { 0, lengths_ms[i] * 1000000 };
        long long started = read_ns(CLOCK_MONOTONIC);
        CHECK_OK(nanosleep(&duration, NULL));
        long long elapsed = read_ns(CLOCK_MONOTONIC) - started;
        CHECK(elapsed >= lengths_ms[i] * 1000000);
        CHECK(elapsed < (lengths_ms[i] + 1500) * 1000000ll);
        say("%ld ms took %lld us", lengths_ms[i], elapsed / 1000);
    }
}

/* Each reading of the one between two of the other: a pause in between widens the bounds instead of failing. */
static void both_clocks_run_at_one_speed(void) {
    const long long slew = 1000000; /* an adjusted wall clock may differ by a little */
    long long outer_start = read_ns(CLOCK_MONOTONIC), wall_start = read_ns(CLOCK_REALTIME);
    long long inner_start = read_ns(CLOCK_MONOTONIC);
    sleep_ms(30);
    long long inner_end = read_ns(CLOCK_MONOTONIC), wall_end = read_ns(CLOCK_REALTIME);
    long long outer_end = read_ns(CLOCK_MONOTONIC);
    CHECK(wall_end - wall_start >= inner_end - inner_start - slew);
    CHECK(wall_end - wall_start <= outer_end - outer_start + slew);
    say("%lld us by the wall clock, %lld us by the other", (wall_end - wall_start) / 1000,
        (inner_end - inner_start) / 1000);
}

static void an_absolute_sleep_ends_at_its_time(void) {
    struct timespec until;
    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &until));
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
    long long now = read_ns(CLOCK_MONOTONIC), wanted = until.tv_sec * 1000000000ll + until.tv_nsec;
    CHECK(now >= wanted);
    CHECK(now < wanted + 1500000000ll);
    CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0); /* long ago: at once */
    say("it ended %lld us after its time", (now - wanted) / 1000);
}

static void the_wall_clock_agrees_with_gettimeofday(void) {
    struct timeval time;
    long long before = read_ns(CLOCK_REALTIME) / 1000;
    CHECK_OK(gettimeofday(&time, NULL));
    long long after = read_ns(CLOCK_REALTIME) / 1000;
    long long between = time.tv_sec * 1000000ll + time.tv_usec;
    CHECK(between >= before && between <= after);
    CHECK(time.tv_sec >= 0);
    say("the two interfaces tell one time");
}

static void resolutions_and_errors(void) {
    struct timespec resolution, wrong = { 0, 1000000000 };
    CHECK_OK(clock_getres(CLOCK_MONOTONIC, &resolution));
    CHECK_EQUAL(resolution.tv_sec, 0);
    CHECK(resolution.tv_nsec >= 1 && resolution.tv_nsec <= 10000000);
    CHECK_ERRNO(clock_gettime(99, &resolution), EINVAL);
    CHECK_ERRNO(clock_gettime(CLOCK_MONOTONIC, (struct timespec *)8), EFAULT);
    CHECK_ERRNO(nanosleep(&wrong, NULL), EINVAL);
    wrong = (struct timespec){ -1, 0 };
    CHECK_ERRNO(nanosleep(&wrong, NULL), EINVAL);
    say("a resolution of %ld ns; unknown clocks and impossible times are refused", (long)resolution.tv_nsec);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    monotonic_never_goes_back();
    it_agrees_between_processes();
    sleeping_takes_as_long_as_it_says();
    both_clocks_run_at_one_speed();
    an_absolute_sleep_ends_at_its_time();
    the_wall_clock_agrees_with_gettimeofday();
    resolutions_and_errors();
    return test_pass();
}
