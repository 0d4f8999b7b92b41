/* cow_signal: a signal frame is written to a stack that is shared with another process until then, and the handler
 * writes to shared data: each process keeps its own copy. */
#include "test.h"

static volatile int value = 100;
static volatile char *page;

static void write_to_shared_data(int signal) {
    value += signal;
    page[0]++;
}

static void a_handler_in_the_child_changes_the_childs_copy(void) {
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(raise(SIGUSR1));
        CHECK_EQUAL(value, 100 + SIGUSR1);
        CHECK_EQUAL(page[0], 'b');
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_EQUAL(value, 100);
    CHECK_EQUAL(page[0], 'a');
    say("the child's handler wrote to its own copy");
}

static void a_handler_in_the_parent_leaves_the_child_alone(void) {
    struct gate signalled = make_gate();
    pid_t child = test_fork();
    if (child == 0) {
        pass_gate(signalled);
        CHECK_EQUAL(value, 100);
        CHECK_EQUAL(page[0], 'a');
        _exit(0);
    }
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQUAL(value, 100 + SIGUSR1);
    open_gate(signalled);
    CHECK_EXIT(child, 0);
    value = 100;
    page[0] = 'a';
    say("the parent's handler wrote to its own copy");
}

/* The child is asleep in the kernel on a stack page that it has not touched since the fork. */
static void a_frame_is_pushed_onto_an_untouched_stack_page(void) {
    enum { COUNT = 8 };
    pid_t children[COUNT];
    struct gate hold = make_gate();
    sigset_t usr1 = signal_bit(SIGUSR1), none = 0;
    CHECK_OK(sigprocmask(SIG_BLOCK, &usr1, NULL));
    for (int i = 0; i < COUNT; i++) {
        children[i] = test_fork();
        if (children[i] == 0) {
            CHECK_ERRNO(sigsuspend(&none), EINTR);
            CHECK_EQUAL(value, 100 + SIGUSR1);
            pass_gate(hold);
            _exit(i);
        }
    }
    for (int i = 0; i < COUNT; i++) CHECK_OK(kill(children[i], SIGUSR1));
    for (int i = 0; i < COUNT; i++) open_gate(hold);
    for (int i = 0; i < COUNT; i++) CHECK_EXIT(children[i], i);
    CHECK_EQUAL(value, 100);
    say("%d children took a signal on shared stack pages", COUNT);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_OK(page);
    page[0] = 'a';
    CHECK_OK(handle_signal(SIGUSR1, write_to_shared_data, 0));
    a_handler_in_the_child_changes_the_childs_copy();
    a_handler_in_the_parent_leaves_the_child_alone();
    a_frame_is_pushed_onto_an_untouched_stack_page();
    return test_pass();
}
