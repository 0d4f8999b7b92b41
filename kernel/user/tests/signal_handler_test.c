/* signal_handler: a handler runs with its signal's number and information, with the mask it asked for, once or always,
 * and can be asked about. */
#include "test.h"

static volatile int calls, last_signal, depth, deepest;
static volatile sigset_t mask_in_handler;
static siginfo_t last_info;

static void note_signal(int signal) {
    sigset_t mask;
    calls++;
    last_signal = signal;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    mask_in_handler = mask;
}

static void note_information(int signal, siginfo_t *info, void *context) {
    (void)context;
    last_signal = signal;
    last_info = *info;
    calls++;
}

static void it_gets_the_signals_number(void) {
    static const int signals[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD, SIGWINCH, 34, 50 };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        calls = 0;
        CHECK_OK(handle_signal(signals[i], note_signal, 0));
        CHECK_OK(raise(signals[i]));
        CHECK_EQUAL(calls, 1);
        CHECK_EQUAL(last_signal, signals[i]);
        CHECK_OK(handle_signal(signals[i], SIG_DFL, 0));
    }
    say("handlers got the numbers of eight signals");
}

static void the_old_action_is_given_back(void) {
    struct sigaction old, action = { .sa_handler = note_signal, .sa_flags = SA_RESTART, .sa_mask = 1ul << 20 };
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    CHECK_OK(sigaction(SIGUSR1, NULL, &old));
    CHECK(old.sa_handler == note_signal);
    CHECK((old.sa_flags & SA_RESTART) != 0);
    CHECK_EQUAL(old.sa_mask, 1ul << 20);
    action.sa_handler = SIG_IGN;
    CHECK_OK(sigaction(SIGUSR1, &action, &old));
    CHECK(old.sa_handler == note_signal);
    CHECK_OK(sigaction(SIGUSR1, NULL, &old));
    CHECK(old.sa_handler == SIG_IGN);
    say("sigaction gave back what was set");
}

static void the_signal_and_its_mask_are_blocked_meanwhile(void) {
    sigset_t after;
    struct sigaction action = { .sa_handler = note_signal, .sa_mask = signal_bit(SIGUSR2) };
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQUAL(mask_in_handler, signal_bit(SIGUSR1) | signal_bit(SIGUSR2));
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &after));
    CHECK_EQUAL(after, 0);
    action.sa_flags = SA_NODEFER;
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQUAL(mask_in_handler, signal_bit(SIGUSR2));
    say("the mask held in the handler and was lifted after it");
}

static void raise_again(int signal) {
    depth++;
    if (depth > deepest) deepest = depth;
    if (++calls < 3) raise(signal);
    depth--;
}

static void a_signal_does_not_nest_unless_asked_to(void) {
    calls = depth = deepest = 0;
    CHECK_OK(handle_signal(SIGUSR1, raise_again, 0));
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQUAL(calls, 3);
    CHECK_EQUAL(deepest, 1);
    calls = depth = deepest = 0;
    CHECK_OK(handle_signal(SIGUSR1, raise_again, SA_NODEFER));
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQUAL(calls, 3);
    CHECK_EQUAL(deepest, 3);
    say("three calls in a row without SA_NODEFER, three deep with it");
}

static void resethand_means_once(void) {
    struct sigaction action;
    calls = 0;
    CHECK_OK(handle_signal(SIGUSR1, note_signal, SA_RESETHAND));
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQUAL(calls, 1);
    CHECK_OK(sigaction(SIGUSR1, NULL, &action));
    CHECK(action.sa_handler == SIG_DFL);
    say("SA_RESETHAND gave the default back");
}

static void siginfo_names_the_sender(void) {
    struct sigaction action = { .sa_sigaction = note_information, .sa_flags = SA_SIGINFO };
    CHECK_OK(sigaction(SIGUSR2, &action, NULL));
    pid_t parent = getpid(), child = test_fork();
    if (child == 0) _exit(kill(parent, SIGUSR2) < 0);
    calls = 0;
    CHECK_EXIT(child, 0); /* the signal was sent before the end */
    CHECK_EQUAL(last_signal, SIGUSR2);
    CHECK_EQUAL(last_info.si_signo, SIGUSR2);
    CHECK_EQUAL(last_info.si_code, SI_USER);
    CHECK_EQUAL(last_info.si_pid, child);
    CHECK_EQUAL(last_info.si_uid, getuid());
    say("siginfo named child %d", child);
}

static char *forbidden;
static void exit_on_the_right_fault(int signal, siginfo_t *info, void *context) {
    (void)context;
    _exit(signal == SIGSEGV && info->si_addr == forbidden + 5 && info->si_code == SEGV_ACCERR ? 0 : 1);
}

static void touch_forbidden_page(void) {
    struct sigaction action = { .sa_sigaction = exit_on_the_right_fault, .sa_flags = SA_SIGINFO };
    forbidden = mmap(NULL, PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_OK(forbidden);
    CHECK_OK(sigaction(SIGSEGV, &action, NULL));
    *(volatile char *)(forbidden + 5) = 1;
    _exit(2);
}

static void a_fault_can_be_handled_and_has_its_address(void) {
    CHECK_EXIT(in_child(touch_forbidden_page), 0);
    say("the SIGSEGV handler got the address");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    it_gets_the_signals_number();
    the_old_action_is_given_back();
    the_signal_and_its_mask_are_blocked_meanwhile();
    a_signal_does_not_nest_unless_asked_to();
    resethand_means_once();
    siginfo_names_the_sender();
    a_fault_can_be_handled_and_has_its_address();
    return test_pass();
}
