/* Waiting for any of several files: ppoll and pselect6.
 *
 * Lock order: poll_lock is inside every other lock of fs/ and net/.
 */
#include "poll.h"

#include "arch.h"
#include "clock.h"
#include "errno.h"
#include "file.h"
#include "kernel.h"
#include "linux_abi.h"
#include "memory.h"
#include "process.h"
#include "syscall.h"

static struct spinlock poll_lock = SPINLOCK_INIT("poll");
static struct wait_queue waiters;
static u64 generation; /* counts notifications while somebody polls */
static u32 pollers;

/* A poller counts itself before it looks at any file. Both it and we use the file's lock: if it looked before the
 * change, we see its count here; if after, it saw the change. */
void poll_notify(void) {
    if (__atomic_load_n(&pollers, __ATOMIC_SEQ_CST) == 0) return;
    u64 interrupts = spin_lock(&poll_lock);
    generation++;
    wake_all(&waiters);
    spin_unlock(&poll_lock, interrupts);
}

static unsigned readiness(struct file *file) {
    unsigned ready = file->operations->poll != NULL ? file->operations->poll(file) : POLLIN | POLLOUT;
    if (ready & POLLIN) ready |= POLLRDNORM;
    if (ready & POLLOUT) ready |= POLLWRNORM;
    return ready;
}

/* How many of them are ready. */
static i64 check(struct poll_request *requests, usize count) {
    i64 found = 0;
    for (usize index = 0; index < count; index++) {
        struct poll_request *request = &requests[index];
        request->ready = 0;
        if (request->fd < 0) continue;
        struct file *file = file_get(current_process()->files, request->fd);
        unsigned told = request->wanted | POLLERR | POLLHUP;
        request->ready = (u16)(file == NULL ? POLLNVAL : readiness(file) & told);
        if (file != NULL) file_put(file);
        found += request->ready != 0;
    }
    return found;
}

struct deadline {
    bool none;
    u64 ns;
};

static i64 wait_for_any(struct poll_request *requests, usize count, const struct deadline *deadline) {
    int error = 0;
    i64 found;
    __atomic_fetch_add(&pollers, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        u64 seen = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
        found = check(requests, count);
        if (found != 0 || error != 0) break;
        if (!deadline->none && arch_clock_ns() >= deadline->ns) break;
        u64 interrupts = spin_lock(&poll_lock);
        while (generation == seen && error == 0) {
            error = wait_on(&waiters, &poll_lock, &interrupts, deadline->none ? 0 : deadline->ns);
        }
        spin_unlock(&poll_lock, interrupts);
    }
    __atomic_fetch_sub(&pollers, 1, __ATOMIC_SEQ_CST);
    return found == 0 && error == -EINTR ? -EINTR : found;
}

static int read_deadline(struct deadline *deadline, vaddr timeout) {
    deadline->none = timeout == 0;
    if (deadline->none) return 0;
    int error = time_from_user(&deadline->ns, timeout);
    deadline->ns += arch_clock_ns();
    return error;
}

/* Linux tells how much of the time is left; where that cannot be written, nobody is told. */
static void write_remaining(const struct deadline *deadline, vaddr timeout) {
    u64 now = arch_clock_ns(), left = deadline->ns > now ? deadline->ns - now : 0;
    struct time_value value = { (i64)(left / NS_PER_SECOND), (i64)(left % NS_PER_SECOND) };
    if (!deadline->none) copy_to_user(timeout, &value, sizeof(value));
}

static int read_mask(vaddr mask_address, u64 size) {
    u64 mask;
    if (mask_address == 0) return 0;
    if (size != sizeof(mask)) return -EINVAL;
    if (copy_from_user(&mask, mask_address, sizeof(mask)) != 0) return -EFAULT;
    signal_mask_temporarily(mask);
    return 0;
}

SYSCALL(ppoll) {
    usize count = argument[1], size = count * sizeof(struct poll_request);
    struct deadline deadline;
    if (count > (usize)file_descriptor_limit()) return -EINVAL;
    int error = read_deadline(&deadline, argument[2]);
    if (error != 0) return error;
    struct poll_request *requests = kmalloc(size);
    if (requests == NULL) return -ENOMEM;
    i64 result = copy_from_user(requests, argument[0], size);
    if (result == 0) result = read_mask(argument[3], argument[4]);
    if (result == 0) {
        result = wait_for_any(requests, count, &deadline);
        write_remaining(&deadline, argument[2]);
    }
    if (result >= 0 && copy_to_user(argument[0], requests, size) != 0) result = -EFAULT;
    kfree(requests);
    return result;
}

/* select's sets: bit n of word n / 64 is descriptor n. */

#define SET_WORDS (MAX_FILES / 64)

static const unsigned SET_EVENTS[3] = { POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI };

struct descriptor_sets {
    u64 bits[3][SET_WORDS]; /* read, write, exceptional */
};

static int read_sets(struct descriptor_sets *sets, const u64 addresses[3], usize words) {
    memset(sets, 0, sizeof(*sets));
    for (unsigned set = 0; set < 3; set++) {
        if (addresses[set] != 0 && copy_from_user(sets->bits[set], addresses[set], words * 8) != 0)
            return -EFAULT;
    }
    return 0;
}

/* One request for each descriptor in any set; -EBADF when one is not open. */
static i64 sets_to_requests(const struct descriptor_sets *sets, usize highest,
                            struct poll_request *requests) {
    i64 count = 0;
    for (usize fd = 0; fd < highest; fd++) {
        unsigned wanted = 0;
        for (unsigned set = 0; set < 3; set++) {
            if (sets->bits[set][fd / 64] >> (fd % 64) & 1) wanted |= SET_EVENTS[set];
        }
        if (wanted == 0) continue;
        struct file *file = file_get(current_process()->files, (int)fd);
        if (file == NULL) return -EBADF;
        file_put(file);
        requests[count++] = (struct poll_request){ .fd = (i32)fd, .wanted = (u16)wanted };
    }
    return count;
}

static i64 requests_to_sets(struct descriptor_sets *sets, const struct poll_request *requests, usize count) {
    struct descriptor_sets asked = *sets;
    i64 bits = 0;
    memset(sets, 0, sizeof(*sets));
    for (usize index = 0; index < count; index++) {
        usize fd = (usize)requests[index].fd;
        for (unsigned set = 0; set < 3; set++) {
            bool in_set = asked.bits[set][fd / 64] >> (fd % 64) & 1;
            if (!in_set || (requests[index].ready & SET_EVENTS[set]) == 0) continue;
            sets->bits[set][fd / 64] |= 1ul << (fd % 64);
            bits++;
        }
    }
    return bits;
}

static i64 select_files(struct descriptor_sets *sets, usize highest, const struct deadline *deadline) {
    struct poll_request *requests = kmalloc(MAX_FILES * sizeof(*requests));
    if (requests == NULL) return -ENOMEM;
    i64 count = sets_to_requests(sets, highest, requests);
    i64 result = count < 0 ? count : wait_for_any(requests, (usize)count, deadline);
    if (result >= 0) result = requests_to_sets(sets, requests, (usize)count);
    kfree(requests);
    return result;
}

SYSCALL(pselect6) {
    if ((i32)argument[0] < 0) return -EINVAL;
    usize highest = argument[0] < MAX_FILES ? argument[0] : MAX_FILES, words = (highest + 63) / 64;
    struct descriptor_sets sets;
    struct deadline deadline;
    u64 mask[2] = { 0, 0 }; /* address and size */
    int error = read_sets(&sets, argument + 1, words);
    if (error == 0) error = read_deadline(&deadline, argument[4]);
    if (error == 0 && argument[5] != 0) error = copy_from_user(mask, argument[5], sizeof(mask));
    if (error == 0) error = read_mask(mask[0], mask[1]);
    if (error != 0) return error;
    i64 result = select_files(&sets, highest, &deadline);
    write_remaining(&deadline, argument[4]);
    for (unsigned set = 0; set < 3 && result >= 0; set++) {
        if (argument[1 + set] == 0) continue;
        if (copy_to_user(argument[1 + set], sets.bits[set], words * 8) != 0) result = -EFAULT;
    }
    return result;
}
