/* itimer: interval timers run once or periodically, tell what is left, and stop when set to nothing. In children, since
 * the test's watchdog has the parent's timer. */
#include "test.h"

static volatile int calls;
static void count_signal(int signal) { calls += signal == SIGALRM; }

static struct itimerval timer_of(long first_us, long interval_us) {
    return (struct itimerval){ .it_value = { first_us / 1000000, first_us % 1000000 },
                               .it_interval = { interval_us / 1000000, interval_us % 1000000 } };
}

static void a_single_timer_fires_once(void) {
    struct itimerval once = timer_of(30000, 0), left;
    CHECK_OK(handle_signal(SIGALRM, count_signal, 0));
    long started = now_ms();
    CHECK_OK(setitimer(ITIMER_REAL, &once, NULL));
    await_calls(SIGALRM, &calls, 1);
    long elapsed = now_ms() - started;
    CHECK(elapsed >= 29);
    CHECK(elapsed < 1000);
    CHECK_OK(getitimer(ITIMER_REAL, &left));
    CHECK_EQUAL(left.it_value.tv_sec + left.it_value.tv_usec, 0);
    sleep_ms(70);
    CHECK_EQUAL(calls, 1);
    say("30 ms took %ld ms, once", elapsed);
}

static void a_periodic_timer_fires_again_and_again(void) {
    enum { PERIOD_MS = 10, WANTED = 8 };
    struct itimerval periodic = timer_of(PERIOD_MS * 1000, PERIOD_MS * 1000), none = timer_of(0, 0), old;
    CHECK_OK(handle_signal(SIGALRM, count_signal, 0));
    long started = now_ms();
    CHECK_OK(setitimer(ITIMER_REAL, &periodic, NULL));
    await_calls(SIGALRM, &calls, WANTED);
    long elapsed = now_ms() - started;
    CHECK_OK(setitimer(ITIMER_REAL, &none, &old));
    CHECK_EQUAL(old.it_interval.tv_usec, PERIOD_MS * 1000);
    CHECK(old.it_value.tv_usec <= PERIOD_MS * 1000);
    CHECK(elapsed >= PERIOD_MS * WANTED - 1);
    CHECK(elapsed < 1400);
    int at_the_end = calls;
    sleep_ms(3 * PERIOD_MS);
    CHECK(calls <= at_the_end);
    say("%d periods of %d ms took %ld ms", WANTED, PERIOD_MS, elapsed);
}

static void what_is_left_goes_down(void) {
    struct itimerval long_one = timer_of(5000000, 250000), first, second;
    CHECK_OK(setitimer(ITIMER_REAL, &long_one, NULL));
    CHECK_OK(getitimer(ITIMER_REAL, &first));
    sleep_ms(20);
    CHECK_OK(getitimer(ITIMER_REAL, &second));
    CHECK_EQUAL(first.it_interval.tv_usec, 250000);
    long difference =
        (first.it_value.tv_sec - second.it_value.tv_sec) * 1000000 + first.it_value.tv_usec - second.it_value.tv_usec;
    CHECK(difference >= 19000);
    CHECK(difference < 1000000);
    say("after 20 ms there are %ld us less left", difference);
}

static void wrong_values_are_refused(void) {
    struct itimerval wrong = { .it_value = { .tv_usec = 1000000 } }, current;
    CHECK_ERRNO(setitimer(ITIMER_REAL, &wrong, NULL), EINVAL);
    wrong = (struct itimerval){ .it_value = { .tv_sec = -1 } };
    CHECK_ERRNO(setitimer(ITIMER_REAL, &wrong, NULL), EINVAL);
    CHECK_ERRNO(setitimer(77, &current, NULL), EINVAL);
    CHECK_ERRNO(getitimer(77, &current), EINVAL);
    say("a million microseconds, a negative second and timer 77 are EINVAL");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    CHECK_EXIT(in_child(a_single_timer_fires_once), 0);
    CHECK_EXIT(in_child(a_periodic_timer_fires_again_and_again), 0);
    CHECK_EXIT(in_child(what_is_left_goes_down), 0);
    CHECK_EXIT(in_child(wrong_values_are_refused), 0);
    return test_pass();
}
