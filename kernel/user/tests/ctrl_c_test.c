/* ctrl_c: the interrupt character signals the foreground group of a terminal, all of it and nobody else. */
#include "pty.h"
#include "test.h"

static volatile int interrupts, quits;
static void count_signal(int signal) {
    if (signal == SIGINT) interrupts++;
    if (signal == SIGQUIT) quits++;
}

static void wait_for_signals(void) {
    CHECK_WRITE(0, "ready");
    for (;;) pause();
}

static void it_kills_by_default(void) {
    struct pty pty = open_pty();
    pid_t leader = in_session(&pty, wait_for_signals);
    CHECK_READ(pty.master, "ready");
    CHECK_WRITE(pty.master, "\003");
    CHECK_READ(pty.master, "^C");
    CHECK_KILLED(leader, SIGINT);
    CHECK_OK(close(pty.master));
    say("^C killed a program, and was shown");
}

static void count_until_two(void) {
    CHECK_OK(handle_signal(SIGINT, count_signal, 0));
    CHECK_OK(handle_signal(SIGQUIT, count_signal, 0));
    CHECK_WRITE(0, "ready");
    while (interrupts < 1) sleep_ms(1);
    CHECK_WRITE(0, "one");
    while (quits < 1) sleep_ms(1);
    CHECK_EQUAL(interrupts, 1);
    CHECK_EQUAL(quits, 1);
}

static void handlers_see_interrupt_and_quit(void) {
    struct pty pty = open_pty();
    pid_t leader = in_session(&pty, count_until_two);
    CHECK_READ(pty.master, "ready");
    CHECK_WRITE(pty.master, "\003");
    CHECK_READ(pty.master, "^Cone");
    CHECK_WRITE(pty.master, "\034");
    CHECK_READ(pty.master, "^\\");
    CHECK_EXIT(leader, 0);
    CHECK_OK(close(pty.master));
    say("SIGINT for ^C, SIGQUIT for ^\\, once each");
}

/* A shell without prompts: two jobs, one of them in the foreground. */
static void lead_two_jobs(void) {
    struct gate ready = make_gate();
    pid_t front[2], back;
    for (int i = 0; i < 2; i++) {
        front[i] = test_fork();
        if (front[i] == 0) {
            CHECK_OK(setpgid(0, i == 0 ? 0 : front[0]));
            open_gate(ready);
            for (;;) pause();
        }
        setpgid(front[i], front[0]);
    }
    back = test_fork();
    if (back == 0) {
        CHECK_OK(setpgid(0, 0));
        open_gate(ready);
        for (;;) pause();
    }
    for (int i = 0; i < 3; i++) pass_gate(ready);
    CHECK_OK(handle_signal(SIGINT, count_signal, 0));
    CHECK_OK(tcsetpgrp(0, front[0]));
    sigset_t ttou = signal_bit(SIGTTOU);
    CHECK_OK(sigprocmask(SIG_BLOCK, &ttou, NULL));
    CHECK_WRITE(0, "ready");
    CHECK_KILLED(front[0], SIGINT);
    CHECK_KILLED(front[1], SIGINT);
    CHECK_EQUAL(waitpid(back, NULL, WNOHANG), 0);
    CHECK_EQUAL(interrupts, 0);
    CHECK_OK(kill(back, SIGKILL));
    CHECK_KILLED(back, SIGKILL);
}

static void the_whole_foreground_group_and_nobody_else(void) {
    struct pty pty = open_pty();
    pid_t leader = in_session(&pty, lead_two_jobs);
    CHECK_READ(pty.master, "ready");
    CHECK_WRITE(pty.master, "\003");
    CHECK_EXIT(leader, 0);
    CHECK_OK(close(pty.master));
    say("two processes of the foreground died, the background and the leader did not");
}

static void read_a_line(void) {
    char line[32];
    CHECK_OK(handle_signal(SIGINT, count_signal, SA_RESTART));
    CHECK_WRITE(0, "ready");
    CHECK_EQUAL(read(0, line, sizeof line), 6);
    CHECK_EQUAL(memcmp(line, "after\n", 6), 0);
    CHECK_EQUAL(interrupts, 1);
}

static void it_throws_the_typed_line_away(void) {
    struct pty pty = open_pty();
    pid_t leader = in_session(&pty, read_a_line);
    CHECK_READ(pty.master, "ready");
    CHECK_WRITE(pty.master, "before\003after\n");
    CHECK_EXIT(leader, 0);
    CHECK_OK(close(pty.master));
    say("what was typed before ^C is not read");
}

static void read_it_as_a_byte(void) {
    char byte;
    make_raw(0);
    CHECK_WRITE(0, "ready");
    CHECK_EQUAL(read(0, &byte, 1), 1);
    CHECK_EQUAL(byte, 3);
}

static void without_isig_it_is_a_byte(void) {
    struct pty pty = open_pty();
    pid_t leader = in_session(&pty, read_it_as_a_byte);
    CHECK_READ(pty.master, "ready");
    CHECK_WRITE(pty.master, "\003");
    CHECK_EXIT(leader, 0);
    CHECK_OK(close(pty.master));
    say("without ISIG: the byte 3");
}

static void become_a_shell(void) {
    CHECK_OK(dup2(0, 1));
    CHECK_OK(dup2(0, 2));
    CHECK_OK(execv(tool("sh"), (char *[]){ "sh", NULL }));
}

static void the_shell_outlives_its_program(void) {
    struct pty pty = open_pty();
    pid_t shell = in_session(&pty, become_a_shell);
    CHECK_READ(pty.master, "duet> ");
    CHECK_WRITE(pty.master, "cat\n");
    CHECK_READ(pty.master, "cat\r\n");
    CHECK_WRITE(pty.master, "in front\n"); /* cat answers: it has the terminal */
    CHECK_READ(pty.master, "in front\r\nin front\r\n");
    CHECK_WRITE(pty.master, "\003");
    CHECK_READ(pty.master, "^Csignal 2\r\nduet> ");
    CHECK_WRITE(pty.master, "\003"); /* at the prompt: a new one */
    CHECK_READ(pty.master, "^C\r\nduet> ");
    CHECK_WRITE(pty.master, "exit 3\n");
    CHECK_EXIT(shell, 3);
    CHECK_OK(close(pty.master));
    say("the shell's program died of ^C, the shell did not");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    it_kills_by_default();
    handlers_see_interrupt_and_quit();
    the_whole_foreground_group_and_nobody_else();
    it_throws_the_typed_line_away();
    without_isig_it_is_a_byte();
    the_shell_outlives_its_program();
    return test_pass();
}
