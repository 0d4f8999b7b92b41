/* cow_oom: when memory is out, the call or the process that asked for it fails, and nobody else: the parent keeps its
 * content, and the memory of the dead serves again. */
#include "test.h"

static const long megabyte = 1 << 20;

static void *map(long size) {
    return mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void asking_for_too_much_is_enomem(void) {
    CHECK_ERRNO((long)map(1l << 60), ENOMEM);
    char *page = map(PAGE_SIZE);
    CHECK_OK(page);
    page[0] = 1;
    CHECK_OK(munmap(page, PAGE_SIZE));
    say("a mapping of 2^60 bytes is ENOMEM, and the next one works");
}

/* A limit on the address space stands for an exhausted machine where that cannot be had. */
static void map_under_a_limit(void) {
    struct rlimit limit;
    CHECK_OK(getrlimit(RLIMIT_AS, &limit));
    limit.rlim_cur = 16ul * megabyte;
    CHECK_OK(setrlimit(RLIMIT_AS, &limit));
    CHECK_ERRNO((long)map(32 * megabyte), ENOMEM);
    char *fits = map(megabyte);
    CHECK_OK(fits);
    memset(fits, 1, megabyte);
    pid_t child = test_fork();
    if (child == 0) {
        CHECK_ERRNO((long)map(32 * megabyte), ENOMEM);
        memset(fits, 2, megabyte);
        _exit(0);
    }
    CHECK_EXIT(child, 0);
    CHECK_EQUAL(fits[megabyte - 1], 1);
}

static void a_limit_on_the_address_space_holds_across_fork(void) {
    if (runs_under_user_emulator()) {
        say("qemu-user leaves RLIMIT_AS out: not checked");
        return;
    }
    CHECK_EXIT(in_child(map_under_a_limit), 0);
    say("beyond RLIMIT_AS: ENOMEM, with copying on write as ever");
}

static char *region;
static long region_size;

static void write_region(void) {
    for (long i = 0; i < region_size; i += PAGE_SIZE) region[i] = 'c';
}

/* One child's copy fits beside the parent's, a second one's does not: that child has to die for it. */
static void run_out_of_memory_in_children(void) {
    struct sysinfo info;
    CHECK_OK(sysinfo(&info));
    region_size = (long)(info.freeram * info.mem_unit / 5 * 2) & -PAGE_SIZE;
    region = map(region_size);
    CHECK_OK(region);
    for (long i = 0; i < region_size; i += PAGE_SIZE) region[i] = 'p';

    struct gate hold = make_gate(), ready = make_gate();
    pid_t first = test_fork();
    if (first == 0) {
        write_region();
        open_gate(ready);
        pass_gate(hold);
        for (long i = 0; i < region_size; i += PAGE_SIZE) CHECK_EQUAL(region[i], 'c');
        _exit(0);
    }
    pass_gate(ready);
    CHECK_KILLED(in_child(write_region), SIGKILL);
    open_gate(hold);
    CHECK_EXIT(first, 0);
    for (long i = 0; i < region_size; i += PAGE_SIZE) CHECK_EQUAL(region[i], 'p');
    say("the child that could not copy its page was killed, the others were not");
    CHECK_EXIT(in_child(write_region), 0);
    say("its memory serves another child");
}

static void a_child_that_exhausts_the_machine_dies_alone(void) {
    struct sysinfo info;
    if (!machine_is_small(&info)) {
        say("this machine is too large to be exhausted: not done");
        return;
    }
    CHECK_EXIT(in_child(run_out_of_memory_in_children), 0);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    asking_for_too_much_is_enomem();
    a_limit_on_the_address_space_holds_across_fork();
    a_child_that_exhausts_the_machine_dies_alone();
    return test_pass();
}
