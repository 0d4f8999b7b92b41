/* getdents: a directory's entries: each name once with its inode and type, in as many calls as the buffer needs. */
#include "test.h"

enum { COUNT = 100 };

struct listing {
    int total, dot, dotdot, calls;
    int seen[COUNT];
};

static void add_entry(struct listing *listing, const struct dirent64 *entry) {
    long number;
    struct stat status;
    CHECK(entry->d_reclen % 8 == 0);
    CHECK(strlen(entry->d_name) < entry->d_reclen - offsetof(struct dirent64, d_name));
    listing->total++;
    CHECK_OK(lstat(entry->d_name, &status));
    if (strcmp(entry->d_name, "..") != 0) CHECK_EQUAL(entry->d_ino, status.st_ino); /* or a mount's */
    if (strcmp(entry->d_name, ".") == 0)
        listing->dot++;
    else if (strcmp(entry->d_name, "..") == 0)
        listing->dotdot++;
    else {
        CHECK(starts_with(entry->d_name, "entry-"));
        CHECK(parse_number(entry->d_name + 6, &number) && number >= 0 && number < COUNT);
        listing->seen[number]++;
    }
}

static struct listing list(int directory, size_t buffer_size) {
    static char buffer[8192];
    struct listing listing = { 0 };
    ssize_t size;
    while ((size = CHECK_OK(getdents64(directory, buffer, buffer_size))) > 0) {
        CHECK(size <= (ssize_t)buffer_size);
        listing.calls++;
        for (ssize_t at = 0; at < size; at += ((struct dirent64 *)(buffer + at))->d_reclen)
            add_entry(&listing, (struct dirent64 *)(buffer + at));
    }
    CHECK_EQUAL(getdents64(directory, buffer, buffer_size), 0); /* the end stays the end */
    return listing;
}

static void check_complete(const struct listing *listing) {
    CHECK_EQUAL(listing->dot, 1);
    CHECK_EQUAL(listing->dotdot, 1);
    CHECK_EQUAL(listing->total, COUNT + 2);
    for (int i = 0; i < COUNT; i++) CHECK_EQUAL(listing->seen[i], 1);
}

static void make_entries(void) {
    char name[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "entry-%d", i);
        write_file(name, "");
    }
}

static void every_name_comes_once(void) {
    int directory = (int)CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
    struct listing listing = list(directory, 8192);
    check_complete(&listing);
    CHECK_OK(close(directory));
    say("%d entries in %d calls", listing.total, listing.calls);
}

static void a_small_buffer_takes_more_calls(void) {
    int directory = (int)CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
    struct listing listing = list(directory, 256);
    check_complete(&listing);
    CHECK(listing.calls > 10);
    CHECK_OK(close(directory));
    say("the same in %d calls", listing.calls);
}

static void rewinding_begins_again(void) {
    int directory = (int)CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
    struct listing listing = list(directory, 1024);
    check_complete(&listing);
    CHECK_EQUAL(lseek(directory, 0, SEEK_SET), 0);
    CHECK_OK(unlink("entry-0"));
    listing = list(directory, 1024);
    CHECK_EQUAL(listing.total, COUNT + 1);
    CHECK_EQUAL(listing.seen[0], 0);
    CHECK_OK(close(directory));
    say("a second pass saw that one had gone");
}

static void types_are_told(void) {
    char buffer[1024];
    int seen = 0;
    CHECK_OK(mkdir("types", 0755));
    write_file("types/r", "");
    CHECK_OK(mkdir("types/d", 0755));
    CHECK_OK(symlink("r", "types/l"));
    CHECK_OK(mkfifo("types/f", 0644));
    int directory = (int)CHECK_OK(open("types", O_RDONLY | O_DIRECTORY));
    ssize_t size = CHECK_OK(getdents64(directory, buffer, sizeof buffer));
    for (ssize_t at = 0; at < size; at += ((struct dirent64 *)(buffer + at))->d_reclen) {
        struct dirent64 *entry = (struct dirent64 *)(buffer + at);
        switch (entry->d_name[0]) {
        case 'r': CHECK_EQUAL(entry->d_type, DT_REG); break;
        case 'd': CHECK_EQUAL(entry->d_type, DT_DIR); break;
        case 'l': CHECK_EQUAL(entry->d_type, DT_LNK); break;
        case 'f': CHECK_EQUAL(entry->d_type, DT_FIFO); break;
        default: CHECK_EQUAL(entry->d_type, DT_DIR); /* . and .. */
        }
        seen++;
    }
    CHECK_EQUAL(seen, 6);
    CHECK_OK(close(directory));
    say("file, directory, link and FIFO have their types");
}

static void errors_are_told(void) {
    char buffer[64];
    int file = (int)CHECK_OK(open("entry-1", O_RDONLY)), directory = (int)CHECK_OK(open(".", O_RDONLY));
    CHECK_ERRNO(getdents64(file, buffer, sizeof buffer), ENOTDIR);
    CHECK_ERRNO(getdents64(directory, buffer, 8), EINVAL);
    CHECK_ERRNO(getdents64(99, buffer, sizeof buffer), EBADF);
    CHECK_OK(close(file));
    CHECK_OK(close(directory));
    say("a file and too small a buffer are refused");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    make_entries();
    every_name_comes_once();
    a_small_buffer_takes_more_calls();
    rewinding_begins_again();
    types_are_told();
    errors_are_told();
    return test_pass();
}
