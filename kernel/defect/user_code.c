#include "user_code.h"

#include "arch.h"
#include "memory.h"
#include "process.h"
#include "space.h"

static bool patch_byte(struct process *process, vaddr at, u8 byte) {
    paddr page;
    unsigned protection;
    int code;
    vaddr base = at & ~(PAGE_SIZE - 1);
    if (!arch_lookup(process->space, base, &page, &protection)) {
        if (space_fault(process_space(process), at, PAGE_EXECUTE, &code) != 0) return false;
        if (!arch_lookup(process->space, base, &page, &protection)) return false;
    }
    u8 *kernel_page = phys_to_virt(page);
    kernel_page[at % PAGE_SIZE] = byte;
    arch_instruction_sync(kernel_page);
    return true;
}

bool defect_patch_return(struct trap_frame *frame, const struct defect_code *code) {
    vaddr at = arch_frame_pc(frame);
    for (const u8 *byte = code->bytes; byte < code->end; byte++, at++) {
        if (!patch_byte(current_process(), at, *byte)) return false;
    }
    return true;
}
