/* What the PVH loader tells (Xen's xen/include/public/arch-x86/hvm/start_info.h), copied before its memory is
 * reused. */
#include "x86_64.h"

#include "kernel.h"
#include "memory.h"

struct start_info {
    u32 magic, version, flags, module_count;
    u64 modules, command_line, rsdp, memory_map;
    u32 memory_map_count, reserved;
};
struct module {
    u64 address, size, command_line, reserved;
};
struct memory_map_entry {
    u64 address, size;
    u32 type, reserved;
};
#define TYPE_RAM 1

#define FIRST_MIB 0x100000ul /* the firmware's, and the other CPUs' first steps */
#define FOUR_GIB  0x100000000ul

u32 boot_start_info; /* physical; stored by boot.S */
static struct memory_range ram[32];
static unsigned ram_count;
static char command_line[2048];
static struct module initrd;
static paddr rsdp;
extern u8 image_start[], image_end[];

/* At KERNEL_BASE: the direct map does not exist yet. */
static const void *early(paddr address) { return (const void *)(KERNEL_BASE + address); }

void start_info_read(void) {
    const struct start_info *info = early(boot_start_info);
    if (info->magic != 0x336ec578 || info->version < 1) panic("no PVH start info");
    rsdp = info->rsdp;
    if (info->command_line != 0) string_copy(command_line, early(info->command_line), sizeof(command_line));
    if (info->module_count > 0) initrd = *(const struct module *)early(info->modules);
    const struct memory_map_entry *entry = early(info->memory_map);
    for (u32 index = 0; index < info->memory_map_count && ram_count < ARRAY_SIZE(ram); index++, entry++) {
        u64 start = entry->address < FIRST_MIB ? FIRST_MIB : entry->address;
        u64 end = entry->address + entry->size > FOUR_GIB ? FOUR_GIB : entry->address + entry->size;
        if (entry->type == TYPE_RAM && start < end) ram[ram_count++] = (struct memory_range){ start, end - start };
    }
}

paddr start_info_rsdp(void) { return rsdp; }

paddr start_info_memory_end(void) {
    paddr end = 0;
    for (unsigned index = 0; index < ram_count; index++) {
        if (ram[index].base + ram[index].size > end) end = ram[index].base + ram[index].size;
    }
    return end;
}

void arch_memory_map(void (*found)(paddr base, u64 size)) {
    const struct memory_range reserved[] = {
        { virt_to_phys(image_start), (u64)(image_end - image_start) },
        { initrd.address, initrd.size },
    };
    for (unsigned index = 0; index < ram_count; index++) {
        memory_range_without(ram[index], reserved, ARRAY_SIZE(reserved), found);
    }
}

const char *arch_command_line(void) { return command_line; }

const void *arch_initrd(usize *size) {
    *size = initrd.size;
    return initrd.size == 0 ? NULL : phys_to_virt(initrd.address);
}
