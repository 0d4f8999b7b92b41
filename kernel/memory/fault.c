/* Page faults: pages appear when they are touched, and are copied when they are written. */
#include "defect.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"
#include "signal.h"
#include "space.h"
#include "trace.h"

/* The last megabyte is the kernel's: a process that runs out of memory dies, what the system needs to go on does not. */
#define KERNEL_RESERVE 256

static void *user_page(void) { return pages_free() > KERNEL_RESERVE ? pages_alloc(0) : NULL; }

/* A page of its own for [va, va + PAGE_SIZE): from the file as far as that reaches, zeros beyond. */
static int fill_page(struct space *space, struct area *area, vaddr va, int *code) {
    void *page = user_page();
    if (page == NULL) return SIGKILL;
    memset(page, 0, PAGE_SIZE);
    if (area->inode != NULL && va < area->file_end) {
        usize size = area->file_end - va < PAGE_SIZE ? area->file_end - va : PAGE_SIZE;
        if (inode_read_kernel(area->inode, page, size, area->offset + (va - area->start)) < 0) {
            page_put(page);
            *code = BUS_ADRERR;
            return SIGBUS;
        }
    }
    if (area->protection & PAGE_EXECUTE) arch_instruction_sync(page);
    if (arch_map(space->root, va, virt_to_phys(page), area->protection) != 0) {
        page_put(page);
        return SIGKILL;
    }
    return 0;
}

/* The page is there, and the area allows more than the table does: a write to a page shared by fork, or a
 * protection that was widened. Only this space can add references to a page it holds alone, so a count of one
 * stays one while we look. */
static int upgrade_page(struct space *space, struct area *area, vaddr va, paddr old, unsigned access) {
    void *old_page = phys_to_virt(old);
    bool copy = (access & PAGE_WRITE) != 0 && !area->shared && page_references(old_page) != 1;
    unsigned protection = area->protection;
    if (!copy) {
        if ((access & PAGE_WRITE) == 0 && !area->shared) protection &= ~(unsigned)PAGE_WRITE;
        if (protection & PAGE_EXECUTE) arch_instruction_sync(old_page);
        arch_map(space->root, va, old, protection);
        arch_flush_page(space->root, va);
        return 0;
    }
    trace(TRACE_COW_FAULT, (u32)(va / PAGE_SIZE));
    void *new_page = user_page();
    if (new_page == NULL) return SIGKILL;
    memcpy(new_page, old_page, PAGE_SIZE);
    if (protection & PAGE_EXECUTE) arch_instruction_sync(new_page);
    /* Break before make: the old entry is gone everywhere before another page takes its place. */
    arch_unmap(space->root, va);
    arch_flush_page(space->root, va);
    arch_map(space->root, va, virt_to_phys(new_page), protection);
    page_put(old_page);
    trace(TRACE_COW_COPY, (u32)(va / PAGE_SIZE));
    trace_count(&COW_COPY_TOTAL);
    return 0;
}

int space_fault(struct space *space, vaddr address, unsigned access, int *code) {
    struct area *area = space_area(space, address);
    *code = SEGV_MAPERR;
    if (area == NULL) return SIGSEGV;
    *code = SEGV_ACCERR;
    if ((area->protection & access) != access) return SIGSEGV;
    vaddr va = address & ~(PAGE_SIZE - 1);
    paddr page;
    unsigned protection;
    if (!arch_lookup(space->root, va, &page, &protection)) return fill_page(space, area, va, code);
    if ((protection & access) == access) { /* stale: the entry was widened after this CPU cached it */
        arch_flush_page(space->root, va);
        return 0;
    }
    return upgrade_page(space, area, va, page, access);
}

void trap_page_fault(struct trap_frame *frame, vaddr address, unsigned access) {
    struct process *process = current_process();
    bool from_user = arch_frame_from_user(frame);
    trace(TRACE_PAGE_FAULT, (u32)(address / PAGE_SIZE));
    trace_count(&PAGE_FAULT_TOTAL);
    if (defect_at_page_fault(frame, address)) return;
    if (!from_user && (process == NULL || address >= USER_END || !arch_has_fixup(frame))) {
        panic_with_frame(frame, "kernel %s of address 0x%lx",
                         access & PAGE_EXECUTE ? "execution"
                         : access & PAGE_WRITE ? "write"
                                               : "read",
                         address);
    }
    int code = SEGV_MAPERR;
    int signal = address < USER_END ? space_fault(process_space(process), address, access, &code) : SIGSEGV;
    if (signal == 0) return;
    if (from_user)
        signal_fault(frame, signal, code, address);
    else
        arch_take_fixup(frame);
}
