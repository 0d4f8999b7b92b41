/* A page fault whose handler mends nothing and returns to the instruction that faulted. The page is one of the test's
 * stack, made read-only as if for copy-on-write; the copy is what the handler forgets. */
#include "defect.h"

#include "arch.h"
#include "process.h"
#include "space.h"

static bool storming;

static void write_protect_stack(struct trap_frame *frame) {
    struct process *process = current_process();
    vaddr page = arch_frame_user_sp(frame) & ~(PAGE_SIZE - 1);
    for (unsigned count = 0; count < 2; count++, page -= PAGE_SIZE) {
        paddr physical;
        unsigned protection;
        if (!arch_lookup(process->space, page, &physical, &protection)) continue;
        arch_map(process->space, page, physical, PAGE_READ);
        arch_flush_page(process->space, page);
    }
    storming = true;
}

static bool mend_nothing(struct trap_frame *frame, vaddr address) {
    if (!storming || !defect_is_target()) return false;
    return address >= USER_STACK_TOP - USER_STACK_SIZE && address < USER_STACK_TOP;
}

const struct defect defect_fault_storm = {
    .name = "fault-storm",
    .sentence = "the handler of a page fault returns to the test without having mended it",
    .place = DEFECT_BEFORE_CALL,
    .strike = write_protect_stack,
    .page_fault = mend_nothing,
};
