/* cow_stress: several processes write to the pages they share, at the same time and in waves of forks; each sees its
 * own writes alone. */
#include "test.h"

enum { PAGES = 64, CHILDREN = 6, ROUNDS = 5 };

static unsigned *words; /* one in each page, and one at its end */

static unsigned *word(int page, int which) { return words + page * (PAGE_SIZE / 4) + (which ? PAGE_SIZE / 4 - 1 : 0); }

static void write_all(unsigned owner) {
    for (int page = 0; page < PAGES; page++)
        for (int which = 0; which < 2; which++) *word(page, which) = owner * 1000 + (unsigned)page;
}

static void check_all(unsigned owner) {
    for (int page = 0; page < PAGES; page++)
        for (int which = 0; which < 2; which++) CHECK_EQUAL(*word(page, which), owner * 1000 + (unsigned)page);
}

static void run_child(unsigned owner) {
    check_all(1);
    for (int round = 0; round < ROUNDS; round++) {
        write_all(owner + (unsigned)round);
        sched_yield();
        check_all(owner + (unsigned)round);
    }
    _exit((int)owner);
}

static void children_and_parent_write_at_the_same_time(void) {
    pid_t children[CHILDREN];
    write_all(1);
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = test_fork();
        if (children[i] == 0) run_child(10 + (unsigned)i * 10);
    }
    for (int round = 0; round < ROUNDS; round++) {
        write_all(2);
        check_all(2);
    }
    for (int i = 0; i < CHILDREN; i++) CHECK_EXIT(children[i], 10 + i * 10);
    check_all(2);
    say("%d children and their parent wrote to %d pages", CHILDREN, PAGES);
}

/* Each generation writes a few pages and forks the next: a page may have many owners. */
static void run_generation(int generation) {
    enum { LAST = 6 };
    for (int page = 0; page < PAGES; page++) {
        int writer = page % (LAST + 1);
        CHECK_EQUAL(*word(page, 0), writer < generation ? 5000 + writer : 0);
        if (writer == generation) *word(page, 0) = 5000 + (unsigned)generation;
    }
    if (generation < LAST) {
        pid_t child = test_fork();
        if (child == 0) run_generation(generation + 1);
        CHECK_EXIT(child, generation + 1);
    }
    for (int page = 0; page < PAGES; page++) {
        int writer = page % (LAST + 1);
        CHECK_EQUAL(*word(page, 0), writer <= generation ? 5000 + writer : 0);
    }
    _exit(generation);
}

static void generations_share_pages(void) {
    memset(words, 0, PAGES * PAGE_SIZE);
    pid_t child = test_fork();
    if (child == 0) run_generation(0);
    CHECK_EXIT(child, 0);
    CHECK_EQUAL(*word(0, 0), 0);
    say("seven generations shared pages");
}

static void many_short_forks_follow_one_another(void) {
    write_all(3);
    for (int i = 0; i < 40; i++) {
        pid_t child = test_fork();
        if (child == 0) {
            *word(i, 0) = 0;
            _exit(0);
        }
        CHECK_EXIT(child, 0);
    }
    check_all(3);
    say("40 forks in a row");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    words = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_OK(words);
    children_and_parent_write_at_the_same_time();
    generations_share_pages();
    many_short_forks_follow_one_another();
    return test_pass();
}
