/* ACPI tables, for the CPUs and interrupt controllers (MADT) and the power-off register (FADT). ACPI 6.4, chapter 5. */
#include "x86_64.h"

#include "kernel.h"
#include "memory.h"

struct machine machine = { .local_apic = 0xfee00000, .io_apic = 0xfec00000, .serial_gsi = 4, .power_port = 0x604 };

struct table {
    char signature[4];
    u32 length;
    u8 rest[28];
} __attribute__((packed));

struct rsdp {
    char signature[8];
    u8 checksum;
    char oem[6];
    u8 revision;
    u32 rsdt, length;
    u64 xsdt;
} __attribute__((packed));

enum { ENTRY_CPU = 0, ENTRY_IO_APIC = 1, ENTRY_OVERRIDE = 2 };

static u32 read_32(const u8 *at) { return (u32)at[0] | (u32)at[1] << 8 | (u32)at[2] << 16 | (u32)at[3] << 24; }

/* The boot CPU becomes number 0: its entry comes first in every MADT that we know, but nothing says so. */
static void add_cpu(u32 apic_id, u32 boot_apic_id) {
    if (machine.cpu_count == MAX_CPUS) return;
    u32 number = machine.cpu_count++;
    machine.apic_id[number] = apic_id;
    if (apic_id != boot_apic_id) return;
    machine.apic_id[number] = machine.apic_id[0];
    machine.apic_id[0] = apic_id;
}

static void read_madt(const struct table *table) {
    const u8 *bytes = (const u8 *)table, *end = bytes + table->length;
    u32 boot_apic_id = *(volatile u32 *)phys_to_virt(machine.local_apic + 0x20) >> 24;
    machine.local_apic = read_32(bytes + 36);
    for (const u8 *entry = bytes + 44; entry + 2 <= end && entry[1] >= 2; entry += entry[1]) {
        if (entry[0] == ENTRY_CPU && (entry[4] & 1) != 0) add_cpu(entry[3], boot_apic_id);
        if (entry[0] == ENTRY_IO_APIC && read_32(entry + 8) == 0) machine.io_apic = read_32(entry + 4);
        if (entry[0] == ENTRY_OVERRIDE && entry[3] == 4) machine.serial_gsi = read_32(entry + 4);
    }
}

static void read_table(paddr address) {
    const struct table *table = phys_to_virt(address);
    if (memcmp(table->signature, "APIC", 4) == 0) read_madt(table);
    if (memcmp(table->signature, "FACP", 4) == 0) machine.power_port = (u16)read_32((const u8 *)table + 64);
}

/* The loader may not know it: then it is on a 16-byte border in the firmware's area (5.2.5.1). */
static const struct rsdp *find_rsdp(void) {
    if (start_info_rsdp() != 0) return phys_to_virt(start_info_rsdp());
    for (paddr address = 0xe0000; address < 0x100000; address += 16) {
        if (memcmp(phys_to_virt(address), "RSD PTR ", 8) == 0) return phys_to_virt(address);
    }
    return NULL;
}

void acpi_read(void) {
    const struct rsdp *rsdp = find_rsdp();
    if (rsdp != NULL) {
        bool wide = rsdp->revision >= 2 && rsdp->xsdt != 0;
        const struct table *root = phys_to_virt(wide ? rsdp->xsdt : rsdp->rsdt);
        const u8 *entry = (const u8 *)root + 36, *end = (const u8 *)root + root->length;
        for (; entry < end; entry += wide ? 8 : 4) {
            read_table(wide ? read_32(entry) | (u64)read_32(entry + 4) << 32 : read_32(entry));
        }
    }
    if (machine.cpu_count == 0) machine.cpu_count = 1;
}
