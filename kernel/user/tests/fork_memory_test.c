/* fork_memory: every kind of memory that a process has is copied by fork: data, bss, heap, stack and mappings, of
 * which shared ones stay one. */
#include "test.h"

enum { MAPPING_SIZE = 64 * PAGE_SIZE };

static int data = 11;
static int bss[4096];
static const char constant[] = "read-only";

static void data_bss_and_constants_are_copied(void) {
    bss[4095] = 22;
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_EQUAL(data, 11);
        CHECK_EQUAL(bss[4095], 22);
        CHECK_TEXT(constant, "read-only");
        data = 12;
        bss[4095] = 23;
        bss[0] = 24;
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_EQUAL(data, 11);
    CHECK_EQUAL(bss[4095], 22);
    CHECK_EQUAL(bss[0], 0);
    say("data and bss are private");
}

static void the_heap_is_copied_and_grows_on_its_own(void) {
    enum { SIZE = 100000 };
    char *block = malloc(SIZE);
    CHECK(block != NULL);
    memset(block, 'p', SIZE);
    void *break_before = sbrk(0);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK(sbrk(0) == break_before);
        for (int i = 0; i < SIZE; i += 1000) CHECK_EQUAL(block[i], 'p');
        memset(block, 'c', SIZE);
        char *grown = sbrk(8 * PAGE_SIZE);
        CHECK(grown == break_before);
        memset(grown, 'g', 8 * PAGE_SIZE);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    for (int i = 0; i < SIZE; i++) CHECK_EQUAL(block[i], 'p');
    CHECK(sbrk(0) == break_before);
    free(block);
    say("the heap is private, its end too");
}

/* Deep enough for several pages of stack. */
static int fill_stack_and_fork(int depth) {
    volatile char frame[1024];
    for (int i = 0; i < 1024; i++) frame[i] = (char)depth;
    if (depth == 0) {
        pid_t child = test_fork();
        if (child == 0) return 0;
        CHECK_EXIT(child, 0);
    } else {
        int result = fill_stack_and_fork(depth - 1);
        for (int i = 0; i < 1024; i++) CHECK_EQUAL(frame[i], (char)depth);
        return result;
    }
    return 1;
}

static void the_stack_is_copied(void) {
    if (fill_stack_and_fork(40) == 0) _exit(0);
    say("a child unwound 40 frames of its own stack");
}

static void private_mappings_are_copied_page_by_page(void) {
    char *pages = mmap(NULL, MAPPING_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_OK(pages);
    for (int i = 0; i < MAPPING_SIZE; i += PAGE_SIZE) pages[i] = (char)(i / PAGE_SIZE);
    pid_t child = test_fork();
    if (child == 0) {
        for (int i = 0; i < MAPPING_SIZE; i += 2 * PAGE_SIZE) pages[i] = 'c';
        for (int i = 0; i < MAPPING_SIZE; i += PAGE_SIZE)
            CHECK_EQUAL(pages[i], i / PAGE_SIZE % 2 == 0 ? 'c' : (char)(i / PAGE_SIZE));
        CHECK_OK(munmap(pages, MAPPING_SIZE));
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    for (int i = 0; i < MAPPING_SIZE; i += PAGE_SIZE) CHECK_EQUAL(pages[i], (char)(i / PAGE_SIZE));
    CHECK_OK(munmap(pages, MAPPING_SIZE));
    say("a private mapping is private");
}

static void shared_mappings_stay_shared(void) {
    volatile char *page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK_OK(page);
    page[0] = 'p';
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_EQUAL(page[0], 'p');
        page[1] = 'c';
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_EQUAL(page[1], 'c');
    say("a shared mapping is shared");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    data_bss_and_constants_are_copied();
    the_heap_is_copied_and_grows_on_its_own();
    the_stack_is_copied();
    private_mappings_are_copied_page_by_page();
    shared_mappings_stay_shared();
    return test_pass();
}
