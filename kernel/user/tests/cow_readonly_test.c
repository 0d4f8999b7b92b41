/* cow_readonly: pages that are shared after a fork become private by writing only where writing is allowed: code and
 * read-only pages still end the writer with SIGSEGV. */
#include "test.h"

static const volatile int constant = 7;
static char *pages;

static void map_pages(int protection) {
    pages = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_OK(pages);
    for (int i = 0; i < 4; i++) pages[i * PAGE_SIZE] = (char)('a' + i);
    CHECK_OK(mprotect(pages, 4 * PAGE_SIZE, protection));
}

static void write_to_page(void) { *(volatile char *)pages = 'x'; }
static void write_to_constant(void) { *(volatile int *)(uintptr_t)&constant = 8; }
static void write_to_code(void) { *(volatile char *)(uintptr_t)&map_pages = 0; }

static void reading_shared_read_only_pages_works(void) {
    map_pages(PROT_READ);
    pid_t child = test_fork();
    if (child == 0) {
        for (int i = 0; i < 4; i++) CHECK_EQUAL(pages[i * PAGE_SIZE], 'a' + i);
        CHECK_EQUAL(constant, 7);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    say("a child reads what it shares");
}

static void writing_to_a_read_only_page_is_sigsegv_on_both_sides_of_a_fork(void) {
    CHECK_KILLED(in_child(write_to_page), SIGSEGV);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_KILLED(in_child(write_to_page), SIGSEGV);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_EQUAL(pages[0], 'a');
    CHECK_OK(munmap(pages, 4 * PAGE_SIZE));
    say("a read-only page is no copy-on-write page");
}

static void writing_to_constants_and_code_is_sigsegv(void) {
    CHECK_KILLED(in_child(write_to_constant), SIGSEGV);
    CHECK_KILLED(in_child(write_to_code), SIGSEGV);
    CHECK_EQUAL(constant, 7);
    say("constants and code stay as they are");
}

static void a_page_made_writable_after_the_fork_is_private(void) {
    map_pages(PROT_READ);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(mprotect(pages, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE));
        pages[0] = 'x';
        CHECK_EQUAL(pages[0], 'x');
        CHECK_EQUAL(pages[PAGE_SIZE], 'b');
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_EQUAL(pages[0], 'a');
    say("mprotect after the fork gave the child its own page");
}

static void a_page_made_read_only_after_the_fork_cannot_be_written(void) {
    CHECK_OK(munmap(pages, 4 * PAGE_SIZE));
    map_pages(PROT_READ | PROT_WRITE);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_OK(mprotect(pages, PAGE_SIZE, PROT_READ));
        pages[PAGE_SIZE] = 'y';
        write_to_page();
        _exit(0);
    }
    CHECK_KILLED(child, SIGSEGV);
    write_to_page(); /* the parent's is writable still */
    CHECK_EQUAL(pages[0], 'x');
    CHECK_EQUAL(pages[PAGE_SIZE], 'b');
    say("mprotect after the fork took writing from the child alone");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    reading_shared_read_only_pages_works();
    writing_to_a_read_only_page_is_sigsegv_on_both_sides_of_a_fork();
    writing_to_constants_and_code_is_sigsegv();
    a_page_made_writable_after_the_fork_is_private();
    a_page_made_read_only_after_the_fork_cannot_be_written();
    return test_pass();
}
