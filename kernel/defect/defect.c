/* Which defect is wanted, which test it strikes, and when. */
#include "defect.h"

#include "../process/private.h"
#include "arch.h"
#include "kernel.h"
#include "process.h"

extern const struct defect defect_lock_leak, defect_self_deadlock, defect_abba, defect_irq_off_loop,
    defect_timer_stopped, defect_lost_wakeup, defect_runnable_not_queued, defect_blocked_in_syscall, defect_panic,
    defect_fault_parked, defect_fault_storm, defect_interrupt_storm, defect_polling_livelock, defect_kernel_loop,
    defect_user_spin, defect_slow;

static const struct defect *const defects[] = {
    &defect_lock_leak,
    &defect_self_deadlock,
    &defect_abba,
    &defect_irq_off_loop,
    &defect_timer_stopped,
    &defect_lost_wakeup,
    &defect_runnable_not_queued,
    &defect_blocked_in_syscall,
    &defect_panic,
    &defect_fault_parked,
    &defect_fault_storm,
    &defect_interrupt_storm,
    &defect_polling_livelock,
    &defect_kernel_loop,
    &defect_user_spin,
    &defect_slow,
};

const struct defect *defect_active;
u64 defect_struck_at;

static char wanted_test[32]; /* "": the first whose name ends in _test */
static u32 target_pid;       /* the test that was chosen; 0: none yet */
static u32 places_left = 1;  /* the strike is at this one of the target's */

static bool is_wanted_name(const char *name) {
    static const char suffix[] = "_test";
    if (wanted_test[0] != 0) return strcmp(name, wanted_test) == 0;
    usize length = strlen(name), suffix_length = sizeof(suffix) - 1;
    return length >= suffix_length && strcmp(name + length - suffix_length, suffix) == 0;
}

bool defect_is_target(void) {
    const struct process *process = current_process();
    return process != NULL && target_pid != 0 && process->pid == target_pid;
}

void defect_mark_struck(void) {
    u64 not_yet = 0;
    __atomic_compare_exchange_n(&defect_struck_at, &not_yet, arch_timestamp(), false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
}

/* A test that starts is the target, unless there is one. One that ended before its time came leaves it to the next. */
static void choose_target(const struct process *process) {
    if (!is_wanted_name(process->name) || defect_struck_at != 0) return;
    u64 interrupts = spin_lock(&process_lock);
    const struct process *target = target_pid != 0 ? process_find(target_pid) : NULL;
    if (target == NULL || target->private->state == PROCESS_ZOMBIE) target_pid = process->pid;
    spin_unlock(&process_lock, interrupts);
}

void defect_strike_at(enum defect_place place, struct trap_frame *frame) {
    const struct defect *defect = defect_active;
    const struct process *process = current_process();
    if (place == DEFECT_AT_EXEC) choose_target(process);
    if (place != defect->place || defect->strike == NULL) return;
    if (defect->every_call) {
        if (!is_wanted_name(process->name)) return;
    } else {
        if (defect_struck_at != 0 || !defect_is_target() || --places_left != 0) return;
    }
    defect_mark_struck();
    defect->strike(frame);
}

static void print_defects(void) {
    for (usize index = 0; index < ARRAY_SIZE(defects); index++) {
        kprint("defect=%s: %s\n", defects[index]->name, defects[index]->sentence);
    }
}

/* `NAME,after=N`: cuts the text behind the name, and reads N. False when there is something else. */
static bool parse_options(char *text) {
    static const char key[] = "after=";
    while (*text != 0 && *text != ',') text++;
    if (*text == 0) return true;
    *text++ = 0;
    if (strncmp(text, key, sizeof(key) - 1) != 0) return false;
    text += sizeof(key) - 1;
    u32 count = 0;
    for (; *text >= '0' && *text <= '9' && count < 100000000; text++) count = count * 10 + (u32)(*text - '0');
    if (*text != 0 || count == 0) return false;
    places_left = count;
    return true;
}

void defect_init(void) {
    char whole[64], text[64];
    if (!command_line_value("defect", whole, sizeof(whole))) return;
    string_copy(text, whole, sizeof(text));
    bool understood = parse_options(text);
    command_line_value("defect-test", wanted_test, sizeof(wanted_test));
    const struct defect *found = NULL;
    for (usize index = 0; index < ARRAY_SIZE(defects); index++) {
        if (strcmp(text, defects[index]->name) == 0) found = defects[index];
    }
    if (found == NULL || !understood) {
        if (strcmp(whole, "list") != 0)
            kprint("defect=%s is not understood; NAME or NAME,after=N is, of these:\n", whole);
        print_defects();
        return;
    }
    kprint("defect=%s: %s\n", found->name, found->sentence);
    __atomic_store_n(&defect_active, found, __ATOMIC_RELEASE);
}
