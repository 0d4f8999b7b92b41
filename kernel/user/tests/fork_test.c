/* fork: two processes go on from one call, the child as a copy of its own, and the parent collects it. */
#include "test.h"

static int shared_value = 1;

static void fork_returns_zero_in_the_child_and_its_pid_in_the_parent(void) {
    pid_t parent = getpid(), child = test_fork();
    if (child == 0) {
        CHECK(getpid() != parent);
        CHECK_EQUAL(getppid(), parent);
        _exit(42);
    }
    CHECK(child > 0 && child != parent);
    CHECK_EQUAL(getpid(), parent);
    CHECK_EXIT(child, 42);
    say("child %d of %d went on with 0 and exited with 42", child, parent);
}

static void the_child_works_on_its_own_copy_of_memory(void) {
    volatile int local = 10;
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_EQUAL(shared_value, 1);
        CHECK_EQUAL(local, 10);
        shared_value = 2;
        local = 20;
        CHECK_EQUAL(shared_value + local, 22);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_EQUAL(shared_value, 1);
    CHECK_EQUAL(local, 10);
    say("the child changed its own copy alone");
}

static void parent_and_child_run_at_the_same_time(void) {
    struct gate from_child = make_gate(), from_parent = make_gate();
    pid_t child = test_fork();
    if (child == 0) {
        open_gate(from_child);
        pass_gate(from_parent);
        _exit(0);
    }
    pass_gate(from_child);
    open_gate(from_parent);
    CHECK_EXIT(child, 0);
    say("each waited for the other");
}

static void a_child_can_fork_again(void) {
    pid_t child = test_fork();
    if (child == 0) {
        pid_t grandchild = test_fork();
        if (grandchild == 0) _exit(7);
        CHECK_EXIT(grandchild, 7);
        _exit(8);
    }
    CHECK_EXIT(child, 8);
    say("a grandchild lived and was collected");
}

static void many_children_at_once_have_different_pids(void) {
    enum { COUNT = 16 };
    struct gate hold = make_gate();
    pid_t children[COUNT];
    for (int i = 0; i < COUNT; i++) {
        children[i] = test_fork();
        if (children[i] == 0) {
            pass_gate(hold);
            _exit(i);
        }
    }
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < i; j++) CHECK(children[i] != children[j]);
    for (int i = 0; i < COUNT; i++) open_gate(hold);
    for (int i = 0; i < COUNT; i++) CHECK_EXIT(children[i], i);
    CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);
    say("%d children lived at once", COUNT);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    fork_returns_zero_in_the_child_and_its_pid_in_the_parent();
    the_child_works_on_its_own_copy_of_memory();
    parent_and_child_run_at_the_same_time();
    a_child_can_fork_again();
    many_children_at_once_have_different_pids();
    return test_pass();
}
