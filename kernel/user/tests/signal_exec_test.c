/* signal_exec: exec takes handlers back to the default, keeps what is ignored, the mask and what is pending. */
#include "test.h"

static void note_signal(int signal) { (void)signal; }

/* This program again, as `signal_exec_test after-exec`: the checks are of what the other one left. */
static int check_after_exec(void) {
    struct sigaction action;
    sigset_t mask, pending;
    CHECK_OK(sigaction(SIGUSR1, NULL, &action));
    CHECK(action.sa_handler == SIG_DFL);
    CHECK_OK(sigaction(SIGUSR2, NULL, &action));
    CHECK(action.sa_handler == SIG_IGN);
    CHECK_OK(sigaction(SIGTERM, NULL, &action));
    CHECK(action.sa_handler == SIG_DFL);
    if (!runs_under_user_emulator()) { /* qemu-user keeps mask and pending signals in itself: lost with it */
        CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &mask));
        CHECK_EQUAL(mask, signal_bit(SIGHUP) | signal_bit(SIGTERM));
        CHECK_OK(sigpending(&pending));
        CHECK_EQUAL(pending, signal_bit(SIGTERM));
    }
    CHECK_OK(raise(SIGUSR2));
    return 23;
}

static void prepare_and_exec(void) {
    sigset_t mask = signal_bit(SIGHUP) | signal_bit(SIGTERM);
    CHECK_OK(handle_signal(SIGUSR1, note_signal, 0));
    CHECK_OK(handle_signal(SIGUSR2, SIG_IGN, 0));
    CHECK_OK(sigprocmask(SIG_SETMASK, &mask, NULL));
    CHECK_OK(raise(SIGTERM));
    CHECK_OK(execv(own_path(), (char *[]){ "signal_exec_test", "after-exec", NULL }));
}

static void handlers_go_and_the_rest_stays(void) {
    CHECK_EXIT(in_child(prepare_and_exec), 23);
    say("handler to default, ignored to ignored; mask and pending signal stayed");
}

static void exec_sleep(void) {
    CHECK_OK(handle_signal(SIGTERM, note_signal, 0));
    CHECK_OK(execv(tool("sleep"), (char *[]){ "sleep", "5", NULL }));
}

static void the_default_action_works_in_the_new_program(void) {
    int fds[2];
    char nothing;
    CHECK_OK(pipe2(fds, O_CLOEXEC));
    pid_t child = test_fork();
    if (child == 0) exec_sleep();
    CHECK_OK(close(fds[1]));
    CHECK_EQUAL(read(fds[0], &nothing, 1), 0); /* the exec closed it */
    CHECK_OK(kill(child, SIGTERM));
    CHECK_KILLED(child, SIGTERM);
    say("SIGTERM, handled before the exec, killed after it");
}

static void a_failed_exec_keeps_the_handlers(void) {
    struct sigaction action;
    CHECK_OK(handle_signal(SIGUSR1, note_signal, 0));
    CHECK_ERRNO(execv("/nowhere/at/all", (char *[]){ "x", NULL }), ENOENT);
    CHECK_OK(sigaction(SIGUSR1, NULL, &action));
    CHECK(action.sa_handler == note_signal);
    say("after a failed exec the handler is there");
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "after-exec") == 0) return check_after_exec();
    test_begin(argc, argv);
    handlers_go_and_the_rest_stays();
    the_default_action_works_in_the_new_program();
    a_failed_exec_keeps_the_handlers();
    return test_pass();
}
