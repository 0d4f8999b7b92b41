/* Page tables: four levels of 512 entries, 4 KiB pages for user space.
 *
 * There are no process-context ids: a load of CR3 flushes all that is not global. So an entry of a space can be cached
 * only where the space is loaded now, and other CPUs are interrupted for a flush only then.
 */
#include "x86_64.h"

#include "cpu.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "trace.h"

#define PRESENT   (1ul << 0)
#define WRITABLE  (1ul << 1)
#define USER      (1ul << 2)
#define UNCACHED  (3ul << 3) /* PWT, PCD */
#define LARGE     (1ul << 7)
#define GLOBAL    (1ul << 8)
#define SOFT_PAGE (1ul << 9) /* a page that user space may not touch: absent to the MMU, ours to remember */
#define NX        (1ul << 63)
#define ADDRESS   0x000ffffffffff000ul

#define LEVEL_ENTRIES 512
#define IMAGE_TABLES  2
#define DIRECT_TABLES 4 /* GiB */

static u64 kernel_pml4[LEVEL_ENTRIES] __attribute__((aligned(4096)));
static u64 direct_pdpt[LEVEL_ENTRIES] __attribute__((aligned(4096)));
static u64 direct_pd[DIRECT_TABLES][LEVEL_ENTRIES] __attribute__((aligned(4096)));
static u64 image_pdpt[LEVEL_ENTRIES] __attribute__((aligned(4096)));
static u64 image_pd[LEVEL_ENTRIES] __attribute__((aligned(4096)));
static u64 image_pt[IMAGE_TABLES][LEVEL_ENTRIES] __attribute__((aligned(4096)));

/* The other CPUs' first table: the kernel's half, and low memory where it is. */
extern u64 secondary_pml4[LEVEL_ENTRIES];
extern u8 image_start[], text_end[], rodata_end[];

static unsigned index_at(vaddr va, unsigned level) { return va >> (48 - 9 * level) & (LEVEL_ENTRIES - 1); }

paddr virt_to_phys(const void *address) {
    vaddr va = (vaddr)address;
    return va >= KERNEL_BASE ? va - KERNEL_BASE : va - DIRECT_MAP_BASE;
}

static u64 table_entry(const void *table) { return virt_to_phys(table) | PRESENT | WRITABLE; }

static void map_direct(void) {
    paddr memory_end = start_info_memory_end();
    for (u64 block = 0; block < DIRECT_TABLES * LEVEL_ENTRIES; block++) {
        paddr address = block << 21;
        u64 entry = address | PRESENT | WRITABLE | LARGE | GLOBAL | NX;
        if (address >= memory_end) entry |= UNCACHED; /* devices */
        direct_pd[block / LEVEL_ENTRIES][block % LEVEL_ENTRIES] = entry;
    }
    for (u64 index = 0; index < DIRECT_TABLES; index++) direct_pdpt[index] = table_entry(direct_pd[index]);
    kernel_pml4[index_at(DIRECT_MAP_BASE, 1)] = table_entry(direct_pdpt);
}

/* Code executes and cannot be written, constants neither, the rest can only be written. */
static void map_image(void) {
    for (u64 index = 0; index < IMAGE_TABLES * LEVEL_ENTRIES; index++) {
        u8 *address = image_start + (index << 12);
        u64 entry = virt_to_phys(address) | PRESENT | GLOBAL;
        if (address >= text_end) entry |= NX;
        if (address >= rodata_end) entry |= WRITABLE;
        image_pt[index / LEVEL_ENTRIES][index % LEVEL_ENTRIES] = entry;
    }
    for (u64 index = 0; index < IMAGE_TABLES; index++) {
        image_pd[index_at((vaddr)image_start, 3) + index] = table_entry(image_pt[index]);
    }
    image_pdpt[index_at(KERNEL_BASE, 2)] = table_entry(image_pd);
    kernel_pml4[index_at(KERNEL_BASE, 1)] = table_entry(image_pdpt);
}

void mmu_start(void) {
    static u64 low_pdpt[LEVEL_ENTRIES] __attribute__((aligned(4096)));
    static u64 low_pd[LEVEL_ENTRIES] __attribute__((aligned(4096)));
    map_direct();
    map_image();
    memcpy(secondary_pml4, kernel_pml4, sizeof(kernel_pml4));
    for (u64 index = 0; index < 2; index++) low_pd[index] = index << 21 | PRESENT | WRITABLE | LARGE; /* and the GDT */
    low_pdpt[0] = table_entry(low_pd);
    secondary_pml4[0] = table_entry(low_pdpt);
    mmu_load_kernel_root();
}

void mmu_load_kernel_root(void) { __asm__ volatile("movq %0, %%cr3" ::"r"(virt_to_phys(kernel_pml4)) : "memory"); }

paddr arch_space_create(void) {
    u64 *root = page_alloc();
    if (root == NULL) return 0;
    memcpy(root + LEVEL_ENTRIES / 2, kernel_pml4 + LEVEL_ENTRIES / 2, PAGE_SIZE / 2);
    return virt_to_phys(root);
}

/* The last-level entry of `va`, with the tables on the way made if `create`. */
static u64 *entry_of(paddr root, vaddr va, bool create) {
    u64 *table = phys_to_virt(root);
    for (unsigned level = 1; level < 4; level++) {
        u64 *entry = &table[index_at(va, level)];
        if (*entry == 0) {
            void *next = create ? page_alloc() : NULL;
            if (next == NULL) return NULL;
            *(volatile u64 *)entry = virt_to_phys(next) | PRESENT | WRITABLE | USER;
        }
        table = phys_to_virt(*entry & ADDRESS);
    }
    return &table[index_at(va, 4)];
}

int arch_map(paddr root, vaddr va, paddr pa, unsigned protection) {
    u64 *entry = entry_of(root, va, true);
    if (entry == NULL) return -ENOMEM;
    u64 value = pa | SOFT_PAGE;
    if ((protection & PAGE_READ) != 0) {
        value |= PRESENT | USER;
        if ((protection & PAGE_WRITE) != 0) value |= WRITABLE;
        if ((protection & PAGE_EXECUTE) == 0) value |= NX;
    }
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
    return 0;
}

paddr arch_unmap(paddr root, vaddr va) {
    u64 *entry = entry_of(root, va, false);
    if (entry == NULL || *entry == 0) return 0;
    return __atomic_exchange_n(entry, 0, __ATOMIC_SEQ_CST) & ADDRESS;
}

bool arch_lookup(paddr root, vaddr va, paddr *pa, unsigned *protection) {
    u64 *entry = entry_of(root, va, false);
    if (entry == NULL || *entry == 0) return false;
    *pa = *entry & ADDRESS;
    *protection = 0;
    if ((*entry & PRESENT) == 0) return true;
    *protection = PAGE_READ;
    if ((*entry & WRITABLE) != 0) *protection |= PAGE_WRITE;
    if ((*entry & NX) == 0) *protection |= PAGE_EXECUTE;
    return true;
}

vaddr arch_next_mapped(paddr root, vaddr from, vaddr to) {
    while (from < to) {
        u64 *table = phys_to_virt(root);
        unsigned level = 1;
        while (level < 4 && table[index_at(from, level)] != 0) {
            table = phys_to_virt(table[index_at(from, level)] & ADDRESS);
            level++;
        }
        if (level == 4 && table[index_at(from, 4)] != 0) return from;
        u64 span = 1ul << (48 - 9 * level);
        from = (from & ~(span - 1)) + span;
    }
    return to;
}

static void destroy_table(u64 *table, unsigned level) {
    unsigned count = level == 1 ? LEVEL_ENTRIES / 2 : LEVEL_ENTRIES; /* the upper half is everybody's */
    for (unsigned index = 0; level < 4 && index < count; index++) {
        if (table[index] != 0) destroy_table(phys_to_virt(table[index] & ADDRESS), level + 1);
    }
    page_put(table);
}

void arch_space_destroy(paddr root) { destroy_table(phys_to_virt(root), 1); }

void arch_space_switch(paddr root) {
    u64 interrupts = arch_interrupts_save();
    struct cpu *cpu = this_cpu();
    if (cpu->active_space != root) {
        __atomic_store_n(&cpu->active_space, root, __ATOMIC_SEQ_CST);
        if (root == 0)
            mmu_load_kernel_root();
        else
            __asm__ volatile("movq %0, %%cr3" ::"r"(root) : "memory");
    }
    arch_interrupts_restore(interrupts);
}

static void flush_local(void) {
    u64 root;
    __asm__ volatile("movq %%cr3, %0; movq %0, %%cr3" : "=r"(root)::"memory");
}

/* One flush at a time asks the others; each answers by taking its mark down. While we wait we answer others, and
 * callers hold no spinlock, so nobody we wait for can be waiting for us with interrupts off. */
static u32 flush_busy;

void mmu_flush_interrupt(void) {
    struct cpu_block *block = cpu_block();
    if (!__atomic_load_n(&block->flush_wanted, __ATOMIC_ACQUIRE)) return;
    flush_local();
    __atomic_store_n(&block->flush_wanted, false, __ATOMIC_RELEASE);
}

static void flush_others(paddr root) {
    while (__atomic_exchange_n(&flush_busy, 1, __ATOMIC_ACQUIRE) != 0) mmu_flush_interrupt();
    for (unsigned cpu = 0; cpu < cpus_online; cpu++) {
        if (cpu == arch_cpu_id() || __atomic_load_n(&cpus[cpu].active_space, __ATOMIC_RELAXED) != root) continue;
        __atomic_store_n(&cpu_blocks[cpu].flush_wanted, true, __ATOMIC_SEQ_CST);
        apic_send(cpu_blocks[cpu].apic_id, VECTOR_FLUSH);
    }
    for (unsigned cpu = 0; cpu < cpus_online; cpu++) {
        while (cpu != arch_cpu_id() && __atomic_load_n(&cpu_blocks[cpu].flush_wanted, __ATOMIC_ACQUIRE)) {
            mmu_flush_interrupt();
            arch_relax();
        }
    }
    __atomic_store_n(&flush_busy, 0, __ATOMIC_RELEASE);
}

void arch_flush_page(paddr root, vaddr va) {
    trace(TRACE_TLB_FLUSH, (u32)(va / PAGE_SIZE));
    u64 interrupts = arch_interrupts_save();
    if (this_cpu()->active_space == root) __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
    if (space_active_elsewhere(root)) flush_others(root);
    arch_interrupts_restore(interrupts);
}

void arch_flush_space(paddr root) {
    trace(TRACE_TLB_FLUSH, 0xffffffff);
    u64 interrupts = arch_interrupts_save();
    if (this_cpu()->active_space == root) flush_local();
    if (space_active_elsewhere(root)) flush_others(root);
    arch_interrupts_restore(interrupts);
}

void arch_instruction_sync(void *page) {} /* the processor keeps its instruction fetch coherent */
