/* pipe_concurrent: many writers and readers on one pipe: records of up to PIPE_BUF bytes stay whole, none is lost and
 * none read twice. */
#include "test.h"

enum { WRITERS = 4, READERS = 3, RECORDS = 100 };

struct record {
    unsigned short writer, number;
    unsigned char filler[60];
};

static void write_records(int fd, unsigned short writer) {
    for (unsigned short i = 0; i < RECORDS; i++) {
        struct record record = { .writer = writer, .number = i };
        memset(record.filler, writer * 16 + i % 16, sizeof record.filler);
        CHECK_EQUAL(write(fd, &record, sizeof record), sizeof record);
    }
}

static void check_whole(const struct record *record) {
    CHECK(record->writer < WRITERS && record->number < RECORDS);
    for (size_t i = 0; i < sizeof record->filler; i++)
        CHECK_EQUAL(record->filler[i], (unsigned char)(record->writer * 16 + record->number % 16));
}

static void start_writers(int fds[2], pid_t *children) {
    for (unsigned short writer = 0; writer < WRITERS; writer++) {
        children[writer] = test_fork();
        if (children[writer] != 0) continue;
        CHECK_OK(close(fds[0]));
        write_records(fds[1], writer);
        _exit(0);
    }
    CHECK_OK(close(fds[1]));
}

static void records_of_many_writers_stay_whole_and_in_order(void) {
    int fds[2], next[WRITERS] = { 0 };
    pid_t writers[WRITERS];
    struct record record;
    CHECK_OK(pipe(fds));
    start_writers(fds, writers);
    for (int i = 0; i < WRITERS * RECORDS; i++) {
        CHECK_EQUAL(read_fully(fds[0], (char *)&record, sizeof record), sizeof record);
        check_whole(&record);
        CHECK_EQUAL(record.number, next[record.writer]++);
    }
    CHECK_EQUAL(read(fds[0], &record, sizeof record), 0);
    for (int i = 0; i < WRITERS; i++) CHECK_EXIT(writers[i], 0);
    CHECK_OK(close(fds[0]));
    say("%d writers, %d records each", WRITERS, RECORDS);
}

/* Records are of one size and written whole, so each read gives one whole record as well. */
static void each_record_reaches_one_of_many_readers(void) {
    int fds[2], results[2], seen[WRITERS][RECORDS] = { { 0 } }, total = 0;
    pid_t writers[WRITERS], readers[READERS];
    struct record record;
    CHECK_OK(pipe(fds));
    CHECK_OK(pipe(results));
    for (int i = 0; i < READERS; i++) {
        readers[i] = test_fork();
        if (readers[i] != 0) continue;
        CHECK_OK(close(fds[1]));
        while (read(fds[0], &record, sizeof record) == sizeof record) {
            check_whole(&record);
            CHECK_EQUAL(write(results[1], &record, sizeof record), sizeof record);
        }
        _exit(0);
    }
    start_writers(fds, writers);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(results[1]));
    while (read_fully(results[0], (char *)&record, sizeof record) == sizeof record) {
        check_whole(&record);
        CHECK_EQUAL(seen[record.writer][record.number]++, 0);
        total++;
    }
    CHECK_EQUAL(total, WRITERS * RECORDS);
    for (int i = 0; i < WRITERS; i++) CHECK_EXIT(writers[i], 0);
    for (int i = 0; i < READERS; i++) CHECK_EXIT(readers[i], 0);
    say("%d readers shared %d records, each read once", READERS, total);
}

static void a_large_write_waits_for_room_while_small_ones_stay_whole(void) {
    enum { SIZE = 200000 };
    static char block[SIZE];
    int fds[2], large = 0, small = 0;
    char buffer[4096];
    memset(block, 'L', SIZE);
    CHECK_OK(pipe(fds));
    pid_t writer = test_fork();
    if (writer == 0) {
        CHECK_EQUAL(write(fds[1], block, SIZE), SIZE);
        _exit(0);
    }
    pid_t other = test_fork();
    if (other == 0) {
        for (int i = 0; i < 50; i++) CHECK_WRITE(fds[1], "sss");
        _exit(0);
    }
    CHECK_OK(close(fds[1]));
    ssize_t size;
    int run = 0;
    while ((size = CHECK_OK(read(fds[0], buffer, sizeof buffer))) > 0) {
        for (ssize_t i = 0; i < size; i++) {
            if (buffer[i] == 's')
                small++, run++;
            else {
                CHECK_EQUAL(buffer[i], 'L');
                CHECK_EQUAL(run % 3, 0);
                large++, run = 0;
            }
        }
    }
    CHECK_EQUAL(large, SIZE);
    CHECK_EQUAL(small, 150);
    CHECK_EXIT(writer, 0);
    CHECK_EXIT(other, 0);
    say("%d large bytes among 50 small writes", SIZE);
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    records_of_many_writers_stay_whole_and_in_order();
    each_record_reaches_one_of_many_readers();
    a_large_write_waits_for_room_while_small_ones_stay_whole();
    return test_pass();
}
