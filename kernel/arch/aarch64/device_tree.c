/* The flattened device tree: the few facts of the machine that vary (Devicetree Specification 0.3, section 5). */
#include "aarch64.h"

#include "kernel.h"
#include "memory.h"

struct machine machine;
u64 boot_device_tree; /* physical; stored by boot.S */

enum { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOP = 4 };

static u32 big_endian_32(const void *at) { return __builtin_bswap32(*(const u32 *)at); }
static u64 cells_64(const u32 *at) { return (u64)big_endian_32(at) << 32 | big_endian_32(at + 1); }

static bool is_node(const char *name, const char *kind) {
    usize length = strlen(kind);
    return strncmp(name, kind, length) == 0 && (name[length] == '@' || name[length] == 0);
}

static void read_chosen(const char *name, const u32 *data, u32 size) {
    u64 number = size == 8 ? cells_64(data) : size == 4 ? big_endian_32(data) : 0;
    if (strcmp(name, "bootargs") == 0) machine.command_line = (const char *)data;
    if (strcmp(name, "linux,initrd-start") == 0) machine.initrd_start = number;
    if (strcmp(name, "linux,initrd-end") == 0) machine.initrd_end = number;
    if (strcmp(name, "kaslr-seed") == 0) machine.seed ^= number;
    if (strcmp(name, "rng-seed") == 0 && size >= 8) machine.seed ^= cells_64(data);
}

/* #address-cells is 2 at virt's root and 1 or 2 under /cpus. */
static void read_cpu(const char *name, const u32 *data, u32 size) {
    if (strcmp(name, "reg") != 0 || machine.cpu_count == MAX_CPUS) return;
    machine.cpu_affinity[machine.cpu_count++] = size == 8 ? cells_64(data) : big_endian_32(data);
}

static void read_interrupt_controller(const char *name, const u32 *data, u32 size) {
    if (strcmp(name, "compatible") == 0) machine.gic_version = strcmp((const char *)data, "arm,gic-v3") == 0 ? 3 : 2;
    if (strcmp(name, "reg") == 0 && size >= 32) {
        machine.gic_distributor = cells_64(data);
        machine.gic_second = cells_64(data + 4);
    }
}

static void read_property(const char *node, const char *name, const u32 *data, u32 size) {
    if (is_node(node, "memory") && strcmp(name, "reg") == 0 && size >= 16) {
        machine.memory_base = cells_64(data);
        machine.memory_size = cells_64(data + 2);
    } else if (is_node(node, "chosen")) {
        read_chosen(name, data, size);
    } else if (is_node(node, "cpu")) {
        read_cpu(name, data, size);
    } else if (is_node(node, "intc")) {
        read_interrupt_controller(name, data, size);
    } else if (is_node(node, "psci") && strcmp(name, "method") == 0) {
        machine.psci_smc = strcmp((const char *)data, "smc") == 0;
    }
}

static const u8 *tree(void) { return phys_to_virt(boot_device_tree); }

void device_tree_read(void) {
    const u8 *start = tree();
    machine.command_line = "";
    if (big_endian_32(start) != 0xd00dfeed) panic("no device tree at 0x%lx", boot_device_tree);
    const u32 *token = (const u32 *)(start + big_endian_32(start + 8));
    const char *strings = (const char *)(start + big_endian_32(start + 12));
    const char *nodes[8] = { "" };
    unsigned depth = 0;
    for (;;) {
        switch (big_endian_32(token++)) {
        case BEGIN_NODE:
            if (++depth >= ARRAY_SIZE(nodes)) panic("device tree too deep");
            nodes[depth] = (const char *)token;
            token += strlen(nodes[depth]) / 4 + 1;
            break;
        case END_NODE: depth--; break;
        case PROPERTY: {
            u32 size = big_endian_32(token);
            read_property(nodes[depth], strings + big_endian_32(token + 1), token + 2, size);
            token += 2 + (size + 3) / 4;
            break;
        }
        case NOP: break;
        default: return;
        }
    }
}

extern u8 image_start[], image_end[];

void arch_memory_map(void (*found)(paddr base, u64 size)) {
    const struct memory_range reserved[] = {
        { machine.memory_base, virt_to_phys(image_end) - machine.memory_base },
        { boot_device_tree & ~(PAGE_SIZE - 1), big_endian_32(tree() + 4) + PAGE_SIZE },
        { machine.initrd_start, machine.initrd_end - machine.initrd_start },
    };
    struct memory_range memory = { machine.memory_base, machine.memory_size };
    memory_range_without(memory, reserved, ARRAY_SIZE(reserved), found);
}

const char *arch_command_line(void) { return machine.command_line; }

const void *arch_initrd(usize *size) {
    *size = machine.initrd_end - machine.initrd_start;
    return *size == 0 ? NULL : phys_to_virt(machine.initrd_start);
}
