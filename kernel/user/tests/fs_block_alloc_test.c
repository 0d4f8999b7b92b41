/* fs_block_alloc: a file takes blocks as it grows, no two files the same ones, and gives them back. */
#include "test.h"

static char block[4096];

static long blocks_of(const char *path) {
    struct stat status;
    int fd = (int)CHECK_OK(open(path, O_RDONLY));
    CHECK_OK(fsync(fd)); /* some file systems allocate late */
    CHECK_OK(fstat(fd, &status));
    CHECK_OK(close(fd));
    return (long)status.st_blocks;
}

static void grow(const char *path, int blocks, char filler) {
    int fd = (int)CHECK_OK(open(path, O_WRONLY | O_CREAT | O_APPEND, 0644));
    memset(block, filler, sizeof block);
    for (int i = 0; i < blocks; i++) CHECK_EQUAL(write(fd, block, sizeof block), sizeof block);
    CHECK_OK(close(fd));
}

static void blocks_follow_the_size(void) {
    write_file("file", "");
    long empty = blocks_of("file");
    CHECK(empty <= 8);
    grow("file", 16, 'x');
    long grown = blocks_of("file");
    CHECK(grown >= 16 * 8); /* in units of 512 bytes */
    CHECK(grown <= 32 * 8);
    CHECK_OK(truncate("file", 4096));
    long cut = blocks_of("file");
    CHECK(cut < grown);
    CHECK(cut >= 8);
    CHECK_OK(unlink("file"));
    say("%ld, %ld and %ld blocks for 0, 64 and 4 KiB", empty, grown, cut);
}

static void interleaved_files_do_not_share_blocks(void) {
    enum { FILES = 4, ROUNDS = 12 };
    char name[] = "file-0";
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < FILES; i++) {
            name[5] = (char)('0' + i);
            grow(name, 1, (char)('a' + i * 5 + round % 5));
        }
    for (int i = 0; i < FILES; i++) {
        name[5] = (char)('0' + i);
        int fd = (int)CHECK_OK(open(name, O_RDONLY));
        for (int round = 0; round < ROUNDS; round++) {
            CHECK_EQUAL(read(fd, block, sizeof block), sizeof block);
            for (size_t at = 0; at < sizeof block; at++) CHECK_EQUAL(block[at], 'a' + i * 5 + round % 5);
        }
        CHECK_OK(close(fd));
        CHECK_OK(unlink(name));
    }
    say("%d files grew in turns and kept their content apart", FILES);
}

static void a_new_block_is_clean(void) {
    grow("dirty", 8, 'd');
    CHECK_OK(unlink("dirty"));
    int fd = (int)CHECK_OK(open("clean", O_RDWR | O_CREAT, 0644));
    for (int i = 0; i < 8; i++) CHECK_EQUAL(pwrite(fd, "x", 1, i * 4096 + 2000), 1);
    CHECK_OK(ftruncate(fd, 8 * 4096));
    for (int i = 0; i < 8; i++) {
        CHECK_EQUAL(pread(fd, block, sizeof block, i * 4096), sizeof block);
        for (size_t at = 0; at < sizeof block; at++) CHECK_EQUAL(block[at], at == 2000 ? 'x' : 0);
    }
    CHECK_OK(close(fd));
    CHECK_OK(unlink("clean"));
    say("nothing of a removed file showed in a new one");
}

/* More in all than a small machine has, a little at a time. */
static void removed_files_give_their_blocks_back(void) {
    struct sysinfo before, after;
    bool small = machine_is_small(&before);
    enum { BLOCKS = 256 };
    int rounds = small ? (int)(before.freeram * before.mem_unit / (BLOCKS * 4096)) + 4 : 24;
    for (int round = 0; round < rounds; round++) {
        grow("again", BLOCKS, 'r');
        if (round % 2 == 0)
            CHECK_OK(unlink("again"));
        else
            CHECK_OK(truncate("again", 0));
    }
    unlink("again");
    say("%d files of 1 MiB one after another", rounds);
    if (!small) return;
    CHECK_OK(sysinfo(&after));
    long lost = (long)(before.freeram - after.freeram) * (long)before.mem_unit;
    CHECK(lost < 1 << 20);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    blocks_follow_the_size();
    interleaved_files_do_not_share_blocks();
    a_new_block_is_clean();
    removed_files_give_their_blocks_back();
    return test_pass();
}
