/* exec_from_ext2: a program that was written to an ext2 file system (or its successors ext3 and ext4, which have the
 * same magic number) is executed from there. */
#include "test.h"

static const int64_t ext2_magic = 0xef53;

static void skip_unless_ext2(const char *directory) {
    struct statfs found;
    if (statfs(directory, &found) < 0)
        test_skip("the file system of %s does not tell its kind: %s", directory, errno_name(errno));
    if (found.f_type != ext2_magic) test_skip("%s is not on ext2 but on kind 0x%lx", directory, (long)found.f_type);
}

static void copy_file(const char *from, const char *to, long size_limit) {
    static char buffer[65536];
    int in = (int)CHECK_OK(open(from, O_RDONLY)), out = (int)CHECK_OK(open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755));
    long left = size_limit;
    while (left > 0) {
        ssize_t size = CHECK_OK(read(in, buffer, left < (long)sizeof buffer ? (size_t)left : sizeof buffer));
        if (size == 0) break;
        CHECK_EQUAL(write(out, buffer, (size_t)size), size);
        left -= size;
    }
    CHECK_OK(close(in));
    CHECK_OK(close(out));
}

static void a_copy_of_this_program_runs(void) {
    copy_file(own_path(), "copy", 1 << 30);
    pid_t child = test_fork();
    if (child == 0) CHECK_OK(execv("./copy", (char *[]){ "copy", "status", "37", NULL }));
    CHECK_EXIT(child, 37);
    say("a copy ran and exited with 37");
}

static void it_runs_through_links(void) {
    CHECK_OK(link("copy", "hard"));
    CHECK_OK(symlink("copy", "soft"));
    static const char *const names[] = { "./hard", "./soft" };
    for (int i = 0; i < 2; i++) {
        pid_t child = test_fork();
        if (child == 0) CHECK_OK(execv(names[i], (char *[]){ "copy", "status", "38", NULL }));
        CHECK_EXIT(child, 38);
    }
    say("a hard and a symbolic link ran");
}

static void a_file_open_for_writing_is_busy(void) {
    int fd = (int)CHECK_OK(open("copy", O_WRONLY));
    CHECK_ERRNO(execv("./copy", (char *[]){ "copy", NULL }), ETXTBSY);
    CHECK_OK(close(fd));
    say("open for writing: ETXTBSY");
}

static void a_running_program_outlives_its_name(void) {
    struct gate hold = make_gate();
    char number[16], nothing;
    int executed[2]; /* closed by the exec */
    CHECK_OK(pipe2(executed, O_CLOEXEC));
    snprintf(number, sizeof number, "%d", hold.fds[0]);
    pid_t child = test_fork();
    if (child == 0) CHECK_OK(execv("./copy", (char *[]){ "copy", "wait", number, NULL }));
    CHECK_OK(close(executed[1]));
    CHECK_EQUAL(read(executed[0], &nothing, 1), 0);
    CHECK_OK(unlink("copy"));
    CHECK_OK(unlink("hard"));
    open_gate(hold);
    CHECK_EXIT(child, 39);
    say("the program was unlinked while it ran");
}

/* Shorter than its own header; under qemu-user, too short to be taken for a program of the other architecture. */
static void a_cut_program_is_refused(void) {
    int size = runs_under_user_emulator() ? 10 : 60;
    copy_file(own_path(), "cut", size);
    CHECK_ERRNO(execv("./cut", (char *[]){ "cut", NULL }), ENOEXEC);
    say("the first %d bytes of a program are none", size);
}

static int run_as_copy(char **argv) {
    long number = 0;
    char byte;
    if (!parse_number(argv[2], &number)) return 1;
    if (strcmp(argv[1], "status") == 0) return (int)number;
    return read((int)number, &byte, 1) == 1 ? 39 : 2;
}

int main(int argc, char **argv) {
    if (argc == 3) return run_as_copy(argv);
    test_begin(argc, argv);
    skip_unless_ext2(enter_scratch_directory());
    a_copy_of_this_program_runs();
    it_runs_through_links();
    a_file_open_for_writing_is_busy();
    a_running_program_outlives_its_name();
    a_cut_program_is_refused();
    return test_pass();
}
