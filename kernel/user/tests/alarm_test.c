/* alarm: SIGALRM comes after the time asked for, not before; another alarm replaces the first, and 0 takes it back.
 * The checks run in children: the watchdog of the test has the parent's timer. */
#include "test.h"

static volatile int calls;
static void count_signal(int signal) { calls += signal == SIGALRM; }

static void the_signal_comes_after_a_second(void) {
    CHECK_OK(handle_signal(SIGALRM, count_signal, 0));
    long started = now_ms();
    CHECK_EQUAL(alarm(1), 0);
    await_calls(SIGALRM, &calls, 1);
    long elapsed = now_ms() - started;
    CHECK_EQUAL(calls, 1);
    CHECK(elapsed >= 999);
    CHECK(elapsed < 2000);
    CHECK_EQUAL(alarm(0), 0); /* once */
    say("SIGALRM came after %ld ms", elapsed);
}

static void another_alarm_replaces_the_first(void) {
    struct itimerval left;
    CHECK_OK(handle_signal(SIGALRM, count_signal, 0));
    CHECK_EQUAL(alarm(100), 0);
    CHECK_EQUAL(alarm(50), 100);
    CHECK_OK(getitimer(ITIMER_REAL, &left));
    CHECK(left.it_value.tv_sec < 50 || (left.it_value.tv_sec == 50 && left.it_value.tv_usec == 0));
    CHECK(left.it_value.tv_sec >= 48);
    CHECK_EQUAL(left.it_interval.tv_sec + left.it_interval.tv_usec, 0);
    CHECK_EQUAL(alarm(0), 50);
    CHECK_EQUAL(alarm(0), 0);
    sleep_ms(5);
    CHECK_EQUAL(calls, 0);
    say("100 s became 50 s, and then none");
}

static void sleep_under_a_short_alarm(void) {
    struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
    CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
    sleep_ms(2000);
}

static void by_default_it_kills(void) {
    CHECK_KILLED(in_child(sleep_under_a_short_alarm), SIGALRM);
    say("an unhandled SIGALRM killed a sleeper");
}

static void it_interrupts_a_blocking_call(void) {
    int fds[2];
    char byte;
    struct itimerval soon = { .it_value = { .tv_usec = 20000 }, .it_interval = { .tv_usec = 20000 } };
    CHECK_OK(pipe(fds));
    CHECK_OK(handle_signal(SIGALRM, count_signal, 0));
    CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
    CHECK_ERRNO(read(fds[0], &byte, 1), EINTR);
    CHECK(calls >= 1);
    say("read was interrupted");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    pid_t slow = in_child(the_signal_comes_after_a_second); /* while the others run */
    CHECK_EXIT(in_child(another_alarm_replaces_the_first), 0);
    by_default_it_kills();
    CHECK_EXIT(in_child(it_interrupts_a_blocking_call), 0);
    CHECK_EXIT(slow, 0);
    return test_pass();
}
