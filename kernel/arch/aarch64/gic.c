/* The interrupt controller: GICv3 by system registers, GICv2 by memory. (Arm IHI 0069, IHI 0048.) */
#include "aarch64.h"

#include "cpu.h"
#include "kernel.h"

/* Distributor */
#define GICD_CTLR       0x000
#define GICD_ISENABLER  0x100
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR  0x800
#define GICD_SGIR       0xf00
#define GICD_IGROUPR    0x080
#define GICD_IROUTER    0x6000
/* Redistributor: a page for control, one for its SGIs and PPIs */
#define GICR_STRIDE 0x20000
#define GICR_TYPER  0x008
#define GICR_WAKER  0x014
#define GICR_SGI    0x10000
/* CPU interface, version 2 */
#define GICC_CTLR 0x000
#define GICC_PMR  0x004
#define GICC_IAR  0x00c
#define GICC_EOIR 0x010

#define PRIORITY 0xa0u

static inline bool is_v3(void) { return machine.gic_version == 3; }

static void set_priority(paddr base, unsigned interrupt) {
    ((volatile u8 *)device_register(base, GICD_IPRIORITYR))[interrupt] = PRIORITY;
}

void gic_start(void) {
    /* v3: affinity routing and group 1; v2: on */
    device_write(machine.gic_distributor, GICD_CTLR, is_v3() ? 0x12 : 1);
}

/* Each redistributor names its CPU in the upper half of TYPER. */
static paddr redistributor(void) {
    u64 mpidr = read_register(mpidr_el1);
    u32 affinity = (u32)((mpidr & 0xffffff) | (mpidr >> 32 & 0xff) << 24);
    for (paddr base = machine.gic_second;; base += GICR_STRIDE) {
        if (device_read(base, GICR_TYPER + 4) == affinity) return base;
        if ((device_read(base, GICR_TYPER) & 1 << 4) != 0) panic("no redistributor for CPU 0x%x", affinity);
    }
}

static void start_redistributor(void) {
    paddr base = redistributor();
    device_write(base, GICR_WAKER, device_read(base, GICR_WAKER) & ~2u);
    while ((device_read(base, GICR_WAKER) & 4) != 0) arch_relax();
    device_write(base, GICR_SGI + GICD_IGROUPR, ~0u);
    for (unsigned interrupt = 0; interrupt < 32; interrupt++) set_priority(base + GICR_SGI, interrupt);
    device_write(base, GICR_SGI + GICD_ISENABLER, 0xffff | 1u << TIMER_INTERRUPT);
}

void gic_start_cpu(void) {
    if (!is_v3()) {
        for (unsigned interrupt = 0; interrupt < 32; interrupt++) set_priority(machine.gic_distributor, interrupt);
        device_write(machine.gic_distributor, GICD_ISENABLER, 0xffff | 1u << TIMER_INTERRUPT);
        device_write(machine.gic_second, GICC_PMR, 0xff);
        device_write(machine.gic_second, GICC_CTLR, 1);
        return;
    }
    write_register(s3_0_c12_c12_5, 7); /* ICC_SRE_EL1 */
    __asm__ volatile("isb");
    start_redistributor();
    write_register(s3_0_c4_c6_0, 0xff); /* ICC_PMR_EL1 */
    write_register(s3_0_c12_c12_7, 1);  /* ICC_IGRPEN1_EL1 */
    __asm__ volatile("isb");
}

/* A shared peripheral interrupt, to CPU 0. */
void gic_enable(unsigned interrupt) {
    paddr base = machine.gic_distributor;
    set_priority(base, interrupt);
    if (is_v3()) {
        volatile u32 *group = device_register(base, GICD_IGROUPR + interrupt / 32 * 4);
        *group |= 1u << interrupt % 32;
        *(volatile u64 *)device_register(base, GICD_IROUTER + interrupt * 8ul) = machine.cpu_affinity[0] & 0xff00ffffff;
    } else {
        ((volatile u8 *)device_register(base, GICD_ITARGETSR))[interrupt] = 1;
    }
    device_write(base, GICD_ISENABLER + interrupt / 32 * 4, 1u << interrupt % 32);
}

/* Version 2 wants the whole word back at the end: it names the sender of an SGI. One interrupt is handled at a time
 * on a CPU, so one word each is enough. */
static u32 acknowledged[MAX_CPUS];

unsigned gic_acknowledge(void) {
    if (!is_v3()) {
        u32 word = acknowledged[arch_cpu_id()] = device_read(machine.gic_second, GICC_IAR);
        return word & 0x3ff;
    }
    u64 interrupt = read_register(s3_0_c12_c12_0); /* ICC_IAR1_EL1 */
    __asm__ volatile("dsb sy" ::: "memory");
    return (unsigned)interrupt & 0xffffff;
}

void gic_end(unsigned interrupt) {
    if (is_v3())
        write_register(s3_0_c12_c12_1, interrupt); /* ICC_EOIR1_EL1 */
    else
        device_write(machine.gic_second, GICC_EOIR, acknowledged[arch_cpu_id()]);
}

void gic_send(unsigned cpu, unsigned ipi) {
    __asm__ volatile("dsb ishst" ::: "memory"); /* what the receiver is to see comes first */
    u64 affinity = machine.cpu_affinity[cpu];
    if (!is_v3()) {
        device_write(machine.gic_distributor, GICD_SGIR, 1u << (16 + cpu) | ipi);
        return;
    }
    u64 value = (affinity >> 32 & 0xff) << 48 | (affinity >> 16 & 0xff) << 32 | (affinity >> 8 & 0xff) << 16 |
                (u64)ipi << 24 | 1ul << (affinity & 15);
    write_register(s3_0_c12_c11_5, value); /* ICC_SGI1R_EL1 */
    __asm__ volatile("isb");
}
