/* sigchld_job: what a shell does with its jobs: SIGCHLD for a stop, a continuation and an end, and a handler that
 * collects every child there is. */
#include "test.h"

static volatile int calls, last_code, last_pid, last_status;
static volatile int collected, collected_sum;

static void note_child(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    last_code = info->si_code;
    last_pid = info->si_pid;
    last_status = info->si_status;
    calls++;
}

static void collect_children(int signal) {
    int status;
    (void)signal;
    while (waitpid(-1, &status, WNOHANG) > 0) {
        collected++;
        collected_sum += WEXITSTATUS(status);
    }
}

static bool was_called(void) { return calls > 0; }

static void handle_sigchld(unsigned long flags) {
    struct sigaction action = { .sa_sigaction = note_child, .sa_flags = SA_SIGINFO | flags };
    CHECK_OK(sigaction(SIGCHLD, &action, NULL));
}

static void expect_report(pid_t job, int code, int status) {
    CHECK(happens_within(was_called, 2000));
    CHECK_EQUAL(last_code, code);
    CHECK_EQUAL(last_pid, job);
    CHECK_EQUAL(last_status, status);
    calls = 0;
}

static void wait_for_ever(void) {
    for (;;) sleep_ms(1000);
}

static void stop_continue_and_end_are_signalled(void) {
    int status;
    handle_sigchld(0);
    pid_t job = in_child(wait_for_ever);
    CHECK_OK(kill(job, SIGSTOP));
    expect_report(job, CLD_STOPPED, SIGSTOP);
    CHECK_EQUAL(waitpid(job, &status, WUNTRACED | WNOHANG), job);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK_OK(kill(job, SIGCONT));
    expect_report(job, CLD_CONTINUED, SIGCONT);
    CHECK_EQUAL(waitpid(job, &status, WCONTINUED | WNOHANG), job);
    CHECK(WIFCONTINUED(status));
    CHECK_OK(kill(job, SIGTERM));
    expect_report(job, CLD_KILLED, SIGTERM);
    CHECK_KILLED(job, SIGTERM);
    say("stopped, continued, killed: one SIGCHLD each");
}

static void nocldstop_means_ends_alone(void) {
    int status;
    if (runs_under_user_emulator()) { /* qemu-user does not pass the flag on: nothing could be told from it */
        say("qemu-user knows no SA_NOCLDSTOP: not checked");
        return;
    }
    handle_sigchld(SA_NOCLDSTOP);
    pid_t job = in_child(wait_for_ever);
    CHECK_OK(kill(job, SIGSTOP));
    CHECK_EQUAL(waitpid(job, &status, WUNTRACED), job);
    CHECK(WIFSTOPPED(status));
    CHECK_OK(kill(job, SIGCONT));
    CHECK_EQUAL(waitpid(job, &status, WCONTINUED), job);
    CHECK(WIFCONTINUED(status));
    CHECK_EQUAL(calls, 0);
    CHECK_OK(kill(job, SIGKILL));
    expect_report(job, CLD_KILLED, SIGKILL);
    CHECK_KILLED(job, SIGKILL);
    say("with SA_NOCLDSTOP the end alone was signalled");
}

static bool all_are_collected(void) { return collected == 10; }

static void a_handler_collects_all_jobs(void) {
    CHECK_OK(handle_signal(SIGCHLD, collect_children, SA_RESTART));
    for (int i = 1; i <= 10; i++)
        if (test_fork() == 0) _exit(i);
    CHECK(happens_within(all_are_collected, 2000));
    CHECK_EQUAL(collected_sum, 55);
    CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
    say("ten jobs were collected in the handler, none twice");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    stop_continue_and_end_are_signalled();
    nocldstop_means_ends_alone();
    a_handler_collects_all_jobs();
    return test_pass();
}
