/* cow_cleanup: the pages that a child copied go back when it ends, however it ends, and none that its parent still
 * has. On a small machine the rounds take more memory in all than there is, so a leak ends the test. */
#include "test.h"

enum { PAGES = 512, SIZE = PAGES * PAGE_SIZE };

static char *pages;

static void dirty_all_pages(void) {
    for (int i = 0; i < SIZE; i += PAGE_SIZE) pages[i] = 'c';
}

static void check_parents_pages(void) {
    for (int i = 0; i < SIZE; i += PAGE_SIZE) CHECK_EQUAL(pages[i], 'p');
}

static void die_by_signal(void) {
    dirty_all_pages();
    kill(getpid(), SIGKILL);
}

static void become_another_program(void) {
    dirty_all_pages();
    execv(tool("true"), (char *[]){ "true", NULL });
    _exit(1);
}

static void the_parents_pages_survive_every_end_of_a_child(void) {
    CHECK_EXIT(in_child(dirty_all_pages), 0);
    check_parents_pages();
    CHECK_KILLED(in_child(die_by_signal), SIGKILL);
    check_parents_pages();
    CHECK_EXIT(in_child(become_another_program), 0);
    check_parents_pages();
    say("exit, SIGKILL and exec of a child left the parent's pages alone");
}

static void the_memory_of_children_comes_back(void) {
    struct sysinfo before, after;
    bool small = machine_is_small(&before);
    int rounds = small ? (int)(before.totalram * before.mem_unit / SIZE) + 8 : 24;
    for (int round = 0; round < rounds; round++) CHECK_EXIT(in_child(dirty_all_pages), 0);
    check_parents_pages();
    say("%d children copied %d KiB each", rounds, SIZE / 1024);
    if (!small) return;
    CHECK_OK(sysinfo(&after));
    long lost = (long)(before.freeram - after.freeram) * (long)before.mem_unit;
    say("%ld KiB less free memory than before", lost / 1024);
    CHECK(lost < SIZE / 2);
}

static void pages_unmapped_in_a_child_stay_with_the_parent(void) {
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(munmap(pages, SIZE / 2));
        pages[SIZE / 2] = 'c';
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    check_parents_pages();
    say("munmap in a child left the parent's pages alone");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    pages = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_OK(pages);
    memset(pages, 'p', SIZE);
    the_parents_pages_survive_every_end_of_a_child();
    the_memory_of_children_comes_back();
    pages_unmapped_in_a_child_stay_with_the_parent();
    return test_pass();
}
