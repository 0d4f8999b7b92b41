/* cow_sole_owner: when all other owners of a page are gone, its last owner writes to it in place: right in content,
 * and without another page of memory. */
#include "test.h"

enum { PAGES = 256, SIZE = PAGES * PAGE_SIZE };

static char *pages;

static void fill(int seed) {
    for (int i = 0; i < PAGES; i++) pages[i * PAGE_SIZE + i] = (char)(i + seed);
}

static void check_content(int seed) {
    for (int i = 0; i < PAGES; i++) CHECK_EQUAL(pages[i * PAGE_SIZE + i], (char)(i + seed));
}

static void the_parent_writes_after_the_child_is_gone(void) {
    fill(1);
    pid_t child = test_fork();
    if (child == 0) {
        check_content(1);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    check_content(1);
    fill(2);
    check_content(2);
    say("the parent wrote to %d pages after its child had gone", PAGES);
}

static void a_child_writes_after_its_parent_is_gone(void) {
    struct gate orphaned = make_gate(), done = make_gate();
    pid_t middle = test_fork();
    if (middle == 0) {
        fill(3);
        pid_t orphan = fork();
        if (orphan == 0) {
            pass_gate(orphaned);
            check_content(3);
            fill(4);
            check_content(4);
            open_gate(done);
        }
        _exit(0);
    }
    CHECK_EXIT(middle, 0);
    open_gate(orphaned);
    pass_gate(done);
    check_content(2);
    say("an orphan wrote to pages that were its parent's");
}

static void ownership_returns_again_and_again(void) {
    for (int round = 0; round < 20; round++) {
        pid_t child = test_fork();
        if (child == 0) {
            pages[0] = 'c';
            _exit(round);
        }
        fill(round); /* while the child may still share them */
        CHECK_EXIT(child, round);
        fill(round + 1);
        check_content(round + 1);
    }
    say("20 forks, each with writes before and after the child's end");
}

/* Where free memory can be told exactly, writing as the sole owner must take next to none of it. */
static void a_sole_owner_needs_no_new_pages(void) {
    struct sysinfo before, after;
    if (!machine_is_small(&before)) {
        say("other processes move the amount of free memory here: not measured");
        return;
    }
    pid_t child = test_fork();
    if (child == 0) _exit(0);
    CHECK_EXIT(child, 0);
    CHECK_OK(sysinfo(&before));
    fill(9);
    CHECK_OK(sysinfo(&after));
    long taken = (long)(before.freeram - after.freeram) * (long)before.mem_unit;
    say("%ld KiB taken by writing to %d KiB", taken / 1024, SIZE / 1024);
    CHECK(taken < SIZE / 4);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    pages = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_OK(pages);
    the_parent_writes_after_the_child_is_gone();
    a_child_writes_after_its_parent_is_gone();
    ownership_returns_again_and_again();
    a_sole_owner_needs_no_new_pages();
    return test_pass();
}
