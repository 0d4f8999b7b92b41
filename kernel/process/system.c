/* Calls about the system as a whole. */
#include "arch.h"
#include "clock.h"
#include "cpu.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "private.h"
#include "process.h"
#include "scheduler.h"
#include "syscall.h"

SYSCALL(uname) {
    static const char fields[6][65] = { "duet", "duet", "0.1", "#1 SMP", ARCH_MACHINE, "(none)" };
    return copy_to_user(argument[0], fields, sizeof(fields));
}

SYSCALL(sysinfo) {
    struct {
        i64 uptime;
        u64 loads[3], total, free, shared, buffers, total_swap, free_swap;
        u16 processes, padding;
        u64 total_high, free_high;
        u32 unit;
    } result = { .uptime = (i64)(arch_clock_ns() / NS_PER_SECOND),
                 .total = pages_total() * PAGE_SIZE,
                 .free = pages_free() * PAGE_SIZE,
                 .processes = (u16)process_count(),
                 .unit = 1 };
    _Static_assert(sizeof(result) == 112, "struct sysinfo");
    return copy_to_user(argument[0], &result, sizeof(result));
}

SYSCALL(getrandom) {
    usize size = argument[1] > 1 << 20 ? 1 << 20 : argument[1];
    for (usize done = 0; done < size; done += sizeof(u64)) {
        u64 bits = random_word();
        usize part = size - done < sizeof(bits) ? size - done : sizeof(bits);
        if (copy_to_user(argument[0] + done, &bits, part) != 0) return -EFAULT;
    }
    return (i64)size;
}

SYSCALL(sched_yield) {
    yield();
    return 0;
}

SYSCALL(sched_getaffinity) {
    u64 mask = (1ul << cpus_online) - 1;
    if (argument[1] < sizeof(mask)) return -EINVAL;
    return copy_to_user(argument[2], &mask, sizeof(mask)) != 0 ? -EFAULT : (i64)sizeof(mask);
}

SYSCALL(prctl) {
    enum { PR_SET_NAME = 15, PR_GET_NAME = 16, NAME_SIZE = 16 };
    struct process *process = current_process();
    char name[NAME_SIZE] = { 0 };
    if (argument[0] == PR_GET_NAME) {
        string_copy(name, process->name, sizeof(name));
        return copy_to_user(argument[1], name, sizeof(name));
    }
    if (argument[0] != PR_SET_NAME) return -EINVAL;
    if (string_from_user(name, argument[1], sizeof(name)) == -EFAULT) return -EFAULT;
    name[NAME_SIZE - 1] = 0;
    string_copy(process->name, name, sizeof(process->name));
    return 0;
}

static bool parse_exit_status(const char *text, u32 *status) {
    if (strncmp(text, "exit:", 5) != 0 || text[5] == 0) return false;
    *status = 0;
    for (text += 5; *text >= '0' && *text <= '9'; text++) *status = *status * 10 + (u32)(*text - '0');
    return *text == 0;
}

#define REBOOT_MAGIC1    0xfee1deadu
#define REBOOT_MAGIC2    672274793u
#define REBOOT_RESTART   0x01234567u
#define REBOOT_HALT      0xcdef0123u
#define REBOOT_POWER_OFF 0x4321fedcu
#define REBOOT_RESTART2  0xa1b2c3d4u
#define REBOOT_CAD_ON    0x89abcdefu
#define REBOOT_CAD_OFF   0u

SYSCALL(reboot) {
    u32 magic = (u32)argument[1], status;
    char text[32];
    if (current_process()->uid != 0) return -EPERM;
    if ((u32)argument[0] != REBOOT_MAGIC1) return -EINVAL;
    if (magic != REBOOT_MAGIC2 && magic != 85072278u && magic != 369367448u && magic != 537993216u) return -EINVAL;
    switch ((u32)argument[2]) {
    case REBOOT_CAD_ON:
    case REBOOT_CAD_OFF: return 0;
    case REBOOT_HALT:
    case REBOOT_POWER_OFF: kprint("power off\n"); arch_power_off();
    case REBOOT_RESTART: kprint("restart\n"); arch_restart();
    case REBOOT_RESTART2:
        if (string_from_user(text, argument[3], sizeof(text)) < 0) return -EFAULT;
        if (!parse_exit_status(text, &status)) arch_restart();
        kprint("exit with status %u\n", status);
        arch_exit_device(status);
        arch_power_off(); /* there is no such device */
    default: return -EINVAL;
    }
}
