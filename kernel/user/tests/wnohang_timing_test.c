/* wnohang_timing: waitpid with WNOHANG returns at once: 0 while the child lives, its pid as soon as it has ended,
 * ECHILD when there is none. */
#include "test.h"

static void it_returns_zero_at_once_while_the_child_lives(void) {
    struct gate hold = make_gate();
    int status = 0x1234;
    pid_t child = test_fork();
    if (child == 0) {
        pass_gate(hold);
        _exit(5);
    }
    long started = now_ms();
    for (int i = 0; i < 50; i++) CHECK_EQUAL(waitpid(child, &status, WNOHANG), 0);
    CHECK_EQUAL(waitpid(-1, &status, WNOHANG), 0);
    long elapsed = now_ms() - started;
    CHECK_EQUAL(status, 0x1234);
    CHECK(elapsed < 500);
    open_gate(hold);
    CHECK_EXIT(child, 5);
    say("51 calls took %ld ms", elapsed);
}

static void the_end_is_seen_soon_and_not_before(void) {
    enum { LIFE_MS = 60 };
    int status;
    long started = now_ms();
    pid_t child = test_fork(), collected;
    if (child == 0) {
        sleep_ms(LIFE_MS);
        _exit(6);
    }
    while ((collected = waitpid(child, &status, WNOHANG)) == 0) sleep_ms(1);
    long elapsed = now_ms() - started;
    CHECK_EQUAL(collected, child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
    CHECK(elapsed >= LIFE_MS);
    CHECK(elapsed < LIFE_MS + 1000);
    say("a child of %d ms was collected after %ld ms", LIFE_MS, elapsed);
}

static void a_child_that_has_ended_waits_as_a_zombie(void) {
    struct gate ended = make_gate();
    int status;
    pid_t child = test_fork();
    if (child == 0) _exit(7); /* closes its end of the gate, the last one */
    CHECK_OK(close(ended.fds[1]));
    char nothing;
    CHECK_EQUAL(read(ended.fds[0], &nothing, 1), 0);
    CHECK_OK(kill(child, 0)); /* still there */
    long limit = now_ms() + 2000;
    while (waitpid(child, &status, WNOHANG) == 0) CHECK(now_ms() < limit);
    CHECK_EQUAL(WEXITSTATUS(status), 7);
    CHECK_ERRNO(kill(child, 0), ESRCH);
    say("the status was kept until it was asked for");
}

static void without_children_it_is_echild(void) {
    CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
    say("no children: ECHILD");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    it_returns_zero_at_once_while_the_child_lives();
    the_end_is_seen_soon_and_not_before();
    a_child_that_has_ended_waits_as_a_zombie();
    without_children_it_is_echild();
    return test_pass();
}
