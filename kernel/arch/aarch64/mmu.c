/* Page tables: three levels of 512 entries, 4 KiB pages, 39-bit halves.
 *
 * There are no ASIDs: a switch of TTBR0 flushes what is not global on this CPU. So an entry of a space can be cached
 * only where the space is loaded now, and a change is broadcast only if that is anywhere else.
 */
#include "aarch64.h"

#include "cpu.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "trace.h"

#define VALID      (1ul << 0)
#define TABLE      (1ul << 1) /* levels 1 and 2 */
#define PAGE       (1ul << 1) /* level 3 */
#define DEVICE     (1ul << 2) /* MAIR index 1 */
#define USER       (1ul << 6)
#define READ_ONLY  (1ul << 7)
#define INNER      (3ul << 8)
#define ACCESSED   (1ul << 10)
#define NOT_GLOBAL (1ul << 11)
#define PXN        (1ul << 53)
#define UXN        (1ul << 54)
#define SOFT_PAGE  (1ul << 55) /* a page that user space may not touch: invalid to the MMU, ours to remember */
#define ADDRESS    0x0000fffffffff000ul

#define NORMAL (VALID | INNER | ACCESSED)

#define LEVEL_ENTRIES 512
#define IMAGE_TABLES  2

/* The kernel's half. boot_build_tables fills it with the MMU off; RAM beyond the first GiB comes later. */
u64 kernel_table[LEVEL_ENTRIES] __attribute__((aligned(4096)));
u64 boot_identity_table[LEVEL_ENTRIES] __attribute__((aligned(4096)));
static u64 first_ram_table[LEVEL_ENTRIES] __attribute__((aligned(4096)));
static u64 image_tables[IMAGE_TABLES][LEVEL_ENTRIES] __attribute__((aligned(4096)));
static u64 empty_table[LEVEL_ENTRIES] __attribute__((aligned(4096)));

extern u8 image_start[], text_end[], rodata_end[];

#define RAM_BASE 0x40000000ul

/* Runs at physical addresses: what looks like pointers are physical, too. */
void boot_build_tables(void) {
    u64 start = (u64)image_start, text = (u64)text_end, rodata = (u64)rodata_end;
    boot_identity_table[RAM_BASE >> 30] = RAM_BASE | NORMAL;
    kernel_table[0] = 0 | VALID | DEVICE | ACCESSED | PXN | UXN;
    kernel_table[RAM_BASE >> 30] = (u64)first_ram_table | VALID | TABLE;
    for (u64 index = 0; index < LEVEL_ENTRIES; index++) {
        first_ram_table[index] = (RAM_BASE + (index << 21)) | NORMAL | PXN | UXN;
    }
    /* Code executes and cannot be written, constants neither, the rest can only be written. */
    for (u64 index = 0; index < IMAGE_TABLES * LEVEL_ENTRIES; index++) {
        u64 address = start + (index << 12);
        u64 entry = address | NORMAL | PAGE | UXN;
        if (address >= text) entry |= PXN;
        if (address < rodata) entry |= READ_ONLY;
        image_tables[index / LEVEL_ENTRIES][index % LEVEL_ENTRIES] = entry;
    }
    for (u64 index = 0; index < IMAGE_TABLES; index++) {
        first_ram_table[((start - RAM_BASE) >> 21) + index] = (u64)image_tables[index] | VALID | TABLE;
    }
}

static u64 empty_root(void) { return virt_to_phys(empty_table); }

static void load_user_table(paddr root) {
    /* Through an empty table, so that nothing of the old space is cached anew between flush and load. */
    write_register(ttbr0_el1, empty_root());
    __asm__ volatile("isb; tlbi vmalle1; dsb nsh; isb" ::: "memory");
    if (root == 0) return;
    write_register(ttbr0_el1, root);
    __asm__ volatile("isb" ::: "memory");
}

void mmu_start(void) { load_user_table(0); }

void mmu_map_memory(paddr base, u64 size) {
    for (u64 block = base >> 30; block <= (base + size - 1) >> 30 && block < LEVEL_ENTRIES; block++) {
        if (kernel_table[block] == 0) kernel_table[block] = block << 30 | NORMAL | PXN | UXN;
    }
    __asm__ volatile("dsb ishst; isb" ::: "memory");
}

paddr virt_to_phys(const void *address) { return (paddr)address - DIRECT_MAP_BASE; }

paddr arch_space_create(void) {
    void *root = page_alloc();
    return root == NULL ? 0 : virt_to_phys(root);
}

static unsigned index_at(vaddr va, unsigned level) { return va >> (39 - 9 * level) & (LEVEL_ENTRIES - 1); }

/* The level-3 entry of `va`, with the tables on the way made if `create`. */
static u64 *entry_of(paddr root, vaddr va, bool create) {
    u64 *table = phys_to_virt(root);
    for (unsigned level = 1; level < 3; level++) {
        u64 *entry = &table[index_at(va, level)];
        if (*entry == 0) {
            void *next = create ? page_alloc() : NULL;
            if (next == NULL) return NULL;
            __atomic_thread_fence(__ATOMIC_RELEASE); /* zeros before the link: the MMU reads along */
            *(volatile u64 *)entry = virt_to_phys(next) | VALID | TABLE;
        }
        table = phys_to_virt(*entry & ADDRESS);
    }
    return &table[index_at(va, 3)];
}

static void set_entry(u64 *entry, u64 value) {
    __atomic_store_n(entry, value, __ATOMIC_RELAXED);
    __asm__ volatile("dsb ishst; isb" ::: "memory");
}

int arch_map(paddr root, vaddr va, paddr pa, unsigned protection) {
    u64 *entry = entry_of(root, va, true);
    if (entry == NULL) return -ENOMEM;
    u64 value = pa | SOFT_PAGE;
    if ((protection & PAGE_READ) != 0) {
        value |= NORMAL | PAGE | USER | NOT_GLOBAL | PXN;
        if ((protection & PAGE_WRITE) == 0) value |= READ_ONLY;
        if ((protection & PAGE_EXECUTE) == 0) value |= UXN;
    }
    set_entry(entry, value);
    return 0;
}

paddr arch_unmap(paddr root, vaddr va) {
    u64 *entry = entry_of(root, va, false);
    if (entry == NULL || *entry == 0) return 0;
    paddr page = *entry & ADDRESS;
    set_entry(entry, 0);
    return page;
}

bool arch_lookup(paddr root, vaddr va, paddr *pa, unsigned *protection) {
    u64 *entry = entry_of(root, va, false);
    if (entry == NULL || *entry == 0) return false;
    *pa = *entry & ADDRESS;
    *protection = 0;
    if ((*entry & VALID) == 0) return true;
    *protection = PAGE_READ;
    if ((*entry & READ_ONLY) == 0) *protection |= PAGE_WRITE;
    if ((*entry & UXN) == 0) *protection |= PAGE_EXECUTE;
    return true;
}

vaddr arch_next_mapped(paddr root, vaddr from, vaddr to) {
    while (from < to) {
        u64 *table = phys_to_virt(root);
        unsigned level = 1;
        while (level < 3 && table[index_at(from, level)] != 0) {
            table = phys_to_virt(table[index_at(from, level)] & ADDRESS);
            level++;
        }
        if (level == 3 && table[index_at(from, 3)] != 0) return from;
        u64 span = 1ul << (39 - 9 * level);
        from = (from & ~(span - 1)) + span;
    }
    return to;
}

void arch_space_destroy(paddr root) {
    u64 *first = phys_to_virt(root);
    for (unsigned i = 0; i < LEVEL_ENTRIES; i++) {
        if (first[i] == 0) continue;
        u64 *second = phys_to_virt(first[i] & ADDRESS);
        for (unsigned j = 0; j < LEVEL_ENTRIES; j++) {
            if (second[j] != 0) page_put(phys_to_virt(second[j] & ADDRESS));
        }
        page_put(second);
    }
    page_put(first);
}

void arch_space_switch(paddr root) {
    u64 interrupts = arch_interrupts_save();
    struct cpu *cpu = this_cpu();
    if (cpu->active_space != root) {
        __atomic_store_n(&cpu->active_space, root, __ATOMIC_SEQ_CST);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        load_user_table(root);
    }
    arch_interrupts_restore(interrupts);
}

void arch_flush_page(paddr root, vaddr va) {
    trace(TRACE_TLB_FLUSH, (u32)(va / PAGE_SIZE));
    u64 operand = va >> 12;
    u64 interrupts = arch_interrupts_save(); /* not to be moved between the look and the local flush */
    if (space_active_elsewhere(root))
        __asm__ volatile("dsb ishst; tlbi vaae1is, %0; dsb ish; isb" ::"r"(operand) : "memory");
    else
        __asm__ volatile("dsb nshst; tlbi vaae1, %0; dsb nsh; isb" ::"r"(operand) : "memory");
    arch_interrupts_restore(interrupts);
}

void arch_flush_space(paddr root) {
    trace(TRACE_TLB_FLUSH, 0xffffffff);
    u64 interrupts = arch_interrupts_save();
    if (space_active_elsewhere(root))
        __asm__ volatile("dsb ishst; tlbi vmalle1is; dsb ish; isb" ::: "memory");
    else
        __asm__ volatile("dsb nshst; tlbi vmalle1; dsb nsh; isb" ::: "memory");
    arch_interrupts_restore(interrupts);
}

/* Instruction fetch looks past the data cache: clean it to where they meet, then forget old instructions. */
void arch_instruction_sync(void *page) {
    u64 line = 4ul << (read_register(ctr_el0) >> 16 & 15);
    for (vaddr at = (vaddr)page; at < (vaddr)page + PAGE_SIZE; at += line) {
        __asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
    }
    __asm__ volatile("dsb ish; ic ialluis; dsb ish; isb" ::: "memory");
}
