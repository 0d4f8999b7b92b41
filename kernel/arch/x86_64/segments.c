/* Segments, task state, interrupt descriptors, and the system-call entry (AMD64 manual, volume 2, chapters 4 to 8). */
#include "x86_64.h"

#include "kernel.h"

#define FAULT_STACK_SIZE 4096
enum { STACK_DOUBLE_FAULT = 1, STACK_NMI = 2, FAULT_STACKS = 2 };

struct task_state {
    u32 reserved0;
    u64 rsp0, rsp1, rsp2;
    u64 reserved1;
    u64 interrupt_stacks[7];
    u64 reserved2;
    u16 reserved3, io_map;
} __attribute__((packed));

struct gate {
    u16 offset_low, selector;
    u8 stack, type;
    u16 offset_middle;
    u32 offset_high, reserved;
};

struct table_pointer {
    u16 limit;
    u64 base;
} __attribute__((packed));

static u64 descriptors[MAX_CPUS][10];
static struct task_state tasks[MAX_CPUS];
static struct gate gates[256] __attribute__((aligned(16)));
static u8 fault_stacks[MAX_CPUS][FAULT_STACKS][FAULT_STACK_SIZE] __attribute__((aligned(16)));

static void set_gate(unsigned vector, const void *entry, unsigned stack, unsigned privilege) {
    u64 offset = (u64)entry;
    gates[vector] = (struct gate){
        .offset_low = (u16)offset,
        .selector = SELECTOR_KERNEL_CODE,
        .stack = (u8)stack,
        .type = (u8)(0x8e | privilege << 5), /* present, interrupt gate: interrupts off on entry */
        .offset_middle = (u16)(offset >> 16),
        .offset_high = (u32)(offset >> 32),
    };
}

static void fill_gates(void) {
    for (unsigned vector = 0; vector < 256; vector++) set_gate(vector, vector_stubs[vector], 0, 0);
    set_gate(VECTOR_BREAKPOINT, vector_stubs[VECTOR_BREAKPOINT], 0, 3);
    set_gate(VECTOR_DOUBLE_FAULT, vector_stubs[VECTOR_DOUBLE_FAULT], STACK_DOUBLE_FAULT, 0);
    set_gate(VECTOR_NMI, nmi_entry, STACK_NMI, 0);
}

static void load_descriptors(unsigned cpu) {
    u64 *table = descriptors[cpu];
    u64 task = (u64)&tasks[cpu];
    table[2] = 0x00af9b000000ffff; /* kernel code */
    table[3] = 0x00cf93000000ffff; /* kernel data */
    table[4] = 0x00cffb000000ffff; /* user code, 32 bits: SYSRET's layout wants a place for it */
    table[5] = 0x00cff3000000ffff; /* user data */
    table[6] = 0x00affb000000ffff; /* user code */
    table[8] = (sizeof(struct task_state) - 1) | (task & 0xffffff) << 16 | 0x89ul << 40 | (task >> 24 & 0xff) << 56;
    table[9] = task >> 32;
    struct table_pointer pointer = { sizeof(descriptors[cpu]) - 1, (u64)table };
    __asm__ volatile("lgdt %0\n"
                     "pushq %1\n"
                     "leaq 1f(%%rip), %%rax\n"
                     "pushq %%rax\n"
                     "lretq\n"
                     "1: movl %2, %%eax\n"
                     "movl %%eax, %%ss\n"
                     "movl %%eax, %%ds\n"
                     "movl %%eax, %%es\n" ::"m"(pointer),
                     "i"(SELECTOR_KERNEL_CODE), "i"(SELECTOR_KERNEL_DATA)
                     : "rax", "memory");
    __asm__ volatile("ltr %0" ::"r"((u16)SELECTOR_TASK));
}

void segments_start(unsigned cpu) {
    struct task_state *task = &tasks[cpu];
    for (unsigned stack = 0; stack < FAULT_STACKS; stack++) {
        task->interrupt_stacks[stack] = (u64)fault_stacks[cpu][stack] + FAULT_STACK_SIZE;
    }
    task->io_map = sizeof(*task);
    load_descriptors(cpu);
    if (cpu == 0) fill_gates();
    struct table_pointer pointer = { sizeof(gates) - 1, (u64)gates };
    __asm__ volatile("lidt %0" ::"m"(pointer));

    write_msr(MSR_GS_BASE, (u64)&cpu_blocks[cpu]);
    write_msr(MSR_KERNEL_GS_BASE, 0);
    write_msr(MSR_STAR, (u64)SELECTOR_KERNEL_CODE << 32);
    write_msr(MSR_LSTAR, (u64)syscall_entry);
    write_msr(MSR_SYSCALL_MASK, 0x47700); /* AC NT IOPL DF IF TF: off in the kernel's first instructions */
}

/* Both ways in from user space start on this thread's own stack. */
void segments_set_kernel_stack(u64 top) {
    struct cpu_block *block = cpu_block();
    block->kernel_rsp = top;
    tasks[block->id].rsp0 = top;
}
