/* job_table: a shell's table of jobs, kept from what waitpid tells: several jobs, running, stopped and done, each with
 * its own state, whatever the order of events. */
#include "test.h"

enum state { RUNNING, STOPPED, DONE, KILLED };
enum { JOBS = 5 };

struct job {
    pid_t pid;
    enum state state;
    int detail; /* signal or exit status */
};

static struct job table[JOBS];
static struct gate ends[JOBS];

static void start_jobs(void) {
    for (int i = 0; i < JOBS; i++) {
        ends[i] = make_gate();
        pid_t child = test_fork();
        if (child == 0) {
            char byte;
            setpgid(0, 0);
            read(ends[i].fds[0], &byte, 1);
            _exit(10 + i);
        }
        setpgid(child, child);
        table[i] = (struct job){ child, RUNNING, 0 };
    }
}

/* One report of any job into its row: false when there is none. */
static bool update_table(int options) {
    int status;
    pid_t pid = waitpid(-1, &status, options | WUNTRACED | WCONTINUED);
    if (pid <= 0) return false;
    for (int i = 0; i < JOBS; i++) {
        if (table[i].pid != pid) continue;
        CHECK(table[i].state == RUNNING || table[i].state == STOPPED); /* nothing after the end */
        if (WIFSTOPPED(status))
            table[i] = (struct job){ pid, STOPPED, WSTOPSIG(status) };
        else if (WIFCONTINUED(status))
            table[i] = (struct job){ pid, RUNNING, 0 };
        else if (WIFEXITED(status))
            table[i] = (struct job){ pid, DONE, WEXITSTATUS(status) };
        else
            table[i] = (struct job){ pid, KILLED, WTERMSIG(status) };
        return true;
    }
    CHECK(!"a report of a job that is in the table");
    return false;
}

static void check_row(int row, enum state state, int detail) {
    CHECK_EQUAL(table[row].state, state);
    CHECK_EQUAL(table[row].detail, detail);
}

static void all_run_at_first(void) {
    start_jobs();
    CHECK(!update_table(WNOHANG));
    for (int i = 0; i < JOBS; i++) {
        check_row(i, RUNNING, 0);
        CHECK_EQUAL(getpgid(table[i].pid), table[i].pid);
    }
    say("%d jobs run", JOBS);
}

static void stopping_two_changes_two_rows(void) {
    CHECK_OK(kill(-table[1].pid, SIGSTOP));
    CHECK_OK(kill(-table[3].pid, SIGTSTP));
    CHECK(update_table(0) && update_table(0));
    check_row(1, STOPPED, SIGSTOP);
    check_row(3, STOPPED, SIGTSTP);
    check_row(0, RUNNING, 0);
    CHECK(!update_table(WNOHANG));
    say("jobs 1 and 3 are stopped, by different signals");
}

static void a_stopped_job_does_not_end(void) {
    open_gate(ends[1]);
    sleep_ms(10);
    CHECK(!update_table(WNOHANG));
    CHECK_OK(kill(-table[1].pid, SIGCONT));
    while (table[1].state != DONE) CHECK(update_table(0)); /* continued, then done: or at once done */
    check_row(1, DONE, 11);
    say("job 1 ended after it was continued");
}

static void ends_come_in_any_order(void) {
    open_gate(ends[4]);
    CHECK(update_table(0));
    check_row(4, DONE, 14);
    CHECK_OK(kill(-table[0].pid, SIGTERM));
    CHECK(update_table(0));
    check_row(0, KILLED, SIGTERM);
    check_row(2, RUNNING, 0);
    say("job 4 is done, job 0 killed, job 2 runs");
}

static void a_stopped_job_can_be_killed(void) {
    CHECK_OK(kill(-table[3].pid, SIGKILL));
    CHECK(update_table(0));
    check_row(3, KILLED, SIGKILL);
    say("job 3 was killed while it was stopped");
}

static void the_table_ends_empty(void) {
    open_gate(ends[2]);
    CHECK(update_table(0));
    check_row(2, DONE, 12);
    CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
    for (int i = 0; i < JOBS; i++) CHECK_ERRNO(kill(-table[i].pid, 0), ESRCH);
    say("no job is left, and no group");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    all_run_at_first();
    stopping_two_changes_two_rows();
    a_stopped_job_does_not_end();
    ends_come_in_any_order();
    a_stopped_job_can_be_killed();
    the_table_ends_empty();
    return test_pass();
}
