/* job_control: what a shell's jobs do on a terminal: the background is stopped when it reads, ^Z stops the foreground,
 * and SIGCONT with the terminal makes a job go on where it was. */
#include "pty.h"
#include "test.h"

/* A job in a group of its own; `body` runs when the leader has opened the gate. */
static pid_t start_job(struct gate go, void (*body)(void)) {
    pid_t job = test_fork();
    if (job == 0) {
        CHECK_OK(setpgid(0, 0));
        pass_gate(go);
        body();
        _exit(0);
    }
    setpgid(job, job);
    return job;
}

static void check_stopped(pid_t job, int signal) {
    int status;
    CHECK_EQUAL(waitpid(job, &status, WUNTRACED), job);
    CHECK(WIFSTOPPED(status));
    CHECK_EQUAL(WSTOPSIG(status), signal);
}

static void give_terminal(pid_t group) {
    sigset_t ttou = signal_bit(SIGTTOU), old;
    CHECK_OK(sigprocmask(SIG_BLOCK, &ttou, &old));
    CHECK_OK(tcsetpgrp(0, group));
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    CHECK_EQUAL(tcgetpgrp(0), group);
}

static void read_one_line(void) {
    char line[16];
    CHECK_EQUAL(read(0, line, sizeof line), 5);
    CHECK_EQUAL(memcmp(line, "line\n", 5), 0);
}

static void lead_a_reader(void) {
    struct gate go = make_gate();
    pid_t job = start_job(go, read_one_line);
    CHECK_EQUAL(tcgetpgrp(0), getpgrp());
    open_gate(go);
    check_stopped(job, SIGTTIN);
    CHECK_OK(kill(-job, SIGCONT)); /* without the terminal: stopped again */
    check_stopped(job, SIGTTIN);
    give_terminal(job);
    CHECK_OK(kill(-job, SIGCONT));
    CHECK_WRITE(0, "now");
    CHECK_EXIT(job, 0);
    give_terminal(getpgrp());
}

static void a_background_reader_is_stopped_until_it_is_in_front(void) {
    struct pty pty = open_pty();
    pid_t leader = in_session(&pty, lead_a_reader);
    CHECK_READ(pty.master, "now");
    CHECK_WRITE(pty.master, "line\n");
    CHECK_EXIT(leader, 0);
    CHECK_OK(close(pty.master));
    say("SIGTTIN twice, then the terminal, then the line");
}

static void write_one_line(void) { CHECK_WRITE(0, "out"); }

static void lead_a_writer(void) {
    struct termios modes;
    struct gate go = make_gate();
    CHECK_OK(tcgetattr(0, &modes));
    modes.c_lflag &= ~(uint32_t)TOSTOP;
    CHECK_OK(tcsetattr(0, &modes));
    pid_t job = start_job(go, write_one_line);
    open_gate(go);
    CHECK_EXIT(job, 0); /* allowed without TOSTOP */
    modes.c_lflag |= TOSTOP;
    CHECK_OK(tcsetattr(0, &modes));
    job = start_job(go, write_one_line);
    open_gate(go);
    check_stopped(job, SIGTTOU);
    give_terminal(job);
    CHECK_OK(kill(-job, SIGCONT));
    CHECK_EXIT(job, 0);
    give_terminal(getpgrp());
}

static void a_background_writer_is_stopped_if_the_terminal_says_so(void) {
    struct pty pty = open_pty();
    pid_t leader = in_session(&pty, lead_a_writer);
    CHECK_READ(pty.master, "outout");
    CHECK_EXIT(leader, 0);
    CHECK_OK(close(pty.master));
    say("TOSTOP decides");
}

static void grab_the_terminal(void) { CHECK_OK(tcsetpgrp(0, getpgrp())); }

static void lead_a_grabber(void) {
    struct gate go = make_gate();
    pid_t job = start_job(go, grab_the_terminal);
    open_gate(go);
    check_stopped(job, SIGTTOU);
    CHECK_EQUAL(tcgetpgrp(0), getpgrp());
    CHECK_OK(kill(-job, SIGKILL));
    CHECK_KILLED(job, SIGKILL);
}

static void the_background_cannot_take_the_terminal(void) {
    struct pty pty = open_pty();
    CHECK_EXIT(in_session(&pty, lead_a_grabber), 0);
    CHECK_OK(close(pty.master));
    say("tcsetpgrp in the background is SIGTTOU");
}

static void say_ready_and_wait(void) {
    CHECK_WRITE(0, "ready");
    for (;;) pause();
}

static void lead_a_stopped_job(void) {
    struct gate go = make_gate();
    int status;
    pid_t job = start_job(go, say_ready_and_wait);
    give_terminal(job);
    open_gate(go);
    check_stopped(job, SIGTSTP);
    CHECK_EQUAL(tcgetpgrp(0), job); /* the shell has to take it back */
    give_terminal(getpgrp());
    CHECK_EQUAL(waitpid(job, &status, WNOHANG | WUNTRACED), 0); /* told once */
    CHECK_OK(kill(-job, SIGTERM));
    CHECK_EQUAL(waitpid(job, &status, WNOHANG), 0); /* a stopped job takes no signals */
    CHECK_OK(kill(-job, SIGCONT));
    CHECK_KILLED(job, SIGTERM);
}

static void control_z_stops_the_foreground(void) {
    struct pty pty = open_pty();
    pid_t leader = in_session(&pty, lead_a_stopped_job);
    CHECK_READ(pty.master, "ready");
    CHECK_WRITE(pty.master, "\032");
    CHECK_READ(pty.master, "^Z");
    CHECK_EXIT(leader, 0);
    CHECK_OK(close(pty.master));
    say("^Z stopped it, SIGTERM waited for SIGCONT");
}

static void become_a_shell(void) {
    CHECK_OK(dup2(0, 1));
    CHECK_OK(dup2(0, 2));
    CHECK_OK(execv(tool("sh"), (char *[]){ "sh", NULL }));
}

static void the_shell_uses_all_of_it(void) {
    struct pty pty = open_pty();
    pid_t shell = in_session(&pty, become_a_shell);
    CHECK_READ(pty.master, "duet> ");
    CHECK_WRITE(pty.master, "cat | cat\n");
    CHECK_READ(pty.master, "cat | cat\r\n");
    CHECK_WRITE(pty.master, "through two\n\004");
    CHECK_READ(pty.master, "through two\r\nthrough two\r\nduet> ");
    CHECK_WRITE(pty.master, "cat\n");
    CHECK_READ(pty.master, "cat\r\n");
    CHECK_WRITE(pty.master, "in front\n"); /* cat answers: it has the terminal */
    CHECK_READ(pty.master, "in front\r\nin front\r\n");
    CHECK_WRITE(pty.master, "\032");
    CHECK_READ(pty.master, "^Zstopped by signal 20\r\nduet> ");
    CHECK_WRITE(pty.master, "false\n");
    CHECK_READ(pty.master, "false\r\nexit status 1\r\nduet> ");
    CHECK_WRITE(pty.master, "exit\n");
    CHECK_EXIT(shell, 1);
    CHECK_OK(close(pty.master));
    say("the shell read through a pipeline, and came back from ^Z");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    a_background_reader_is_stopped_until_it_is_in_front();
    a_background_writer_is_stopped_if_the_terminal_says_so();
    the_background_cannot_take_the_terminal();
    control_z_stops_the_foreground();
    the_shell_uses_all_of_it();
    return test_pass();
}
