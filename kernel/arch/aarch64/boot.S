/* From QEMU's loader to kernel_main. On entry: MMU and caches off, x0 the device tree's physical address (Linux's
 * arm64 boot protocol, Documentation/arch/arm64/booting). */

#define SECTION_BOOT .section .text.boot, "ax"

    .cfi_sections .debug_frame
    SECTION_BOOT
.global _start
_start:
    b       boot_primary
    .long   0
    .quad   0x200000                    /* text_offset: where IMAGE_BASE lies in RAM */
    .quad   image_size
    .quad   0x2                         /* little-endian, 4 KiB pages */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

boot_primary:
    .cfi_startproc
    .cfi_undefined x30                  /* backtraces end here */
    mov     x20, x0
    bl      enter_el1
    /* The loader clears nothing beyond the file. */
    adrp    x0, bss_start
    add     x0, x0, :lo12:bss_start
    adrp    x1, bss_end
    add     x1, x1, :lo12:bss_end
1:  stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    1b
    adrp    x0, boot_stack_end
    mov     sp, x0
    bl      boot_build_tables           /* C, at physical addresses: it takes every address PC-relative */
    bl      enable_mmu
    ldr     x0, =boot_stack_end
    mov     sp, x0
    ldr     x0, =boot_thread
    msr     tpidr_el1, x0
    ldr     x0, =boot_device_tree
    str     x20, [x0]
    mov     x29, xzr
    bl      primary_main                /* at high addresses by now */
    .cfi_endproc

/* PSCI CPU_ON's entry: x0 is the physical address of { idle thread, its stack's end }. */
.global boot_secondary
boot_secondary:
    .cfi_startproc
    .cfi_undefined x30
    mov     x20, x0
    bl      enter_el1
    ldp     x21, x22, [x20]
    bl      enable_mmu
    msr     tpidr_el1, x21
    mov     sp, x22
    mov     x29, xzr
    bl      arch_secondary_main
    .cfi_endproc

/* Started at EL2 (virtualization=on): nothing is kept there. */
enter_el1:
    mrs     x1, CurrentEL
    cmp     x1, #(2 << 2)
    b.ne    1f
    mov     x1, #(1 << 31)              /* HCR_EL2.RW: EL1 is AArch64 */
    msr     hcr_el2, x1
    mov     x1, #3                      /* EL1 may read the counters */
    msr     cnthctl_el2, x1
    msr     cntvoff_el2, xzr
    mov     x1, #0x33ff
    msr     cptr_el2, x1
    mrs     x1, id_aa64pfr0_el1
    ubfx    x1, x1, #24, #4
    cbz     x1, 2f
    mrs     x1, s3_4_c12_c9_5           /* ICC_SRE_EL2: system registers at EL1 too */
    mov     x2, #9
    orr     x1, x1, x2
    msr     s3_4_c12_c9_5, x1
2:  mov     x1, #0x3c5                  /* EL1h, all masked */
    msr     spsr_el2, x1
    msr     elr_el2, x30
    eret
1:  ret

/* Returns to the caller's high address. TTBR0 maps the image where it is, for the instructions in between. */
enable_mmu:
    adrp    x1, boot_identity_table
    msr     ttbr0_el1, x1
    adrp    x1, kernel_table
    msr     ttbr1_el1, x1
    ldr     x1, =0x04ff                 /* MAIR: 0 normal write-back, 1 device nGnRE */
    msr     mair_el1, x1
    /* TCR: 39-bit halves, 4 KiB granules, write-back inner-shareable walks */
    ldr     x1, =(25 | (1 << 8) | (1 << 10) | (3 << 12) | (25 << 16) | (1 << 24) | (1 << 26) | (3 << 28) | (2 << 30))
    mrs     x2, id_aa64mmfr0_el1
    and     x2, x2, #7
    orr     x1, x1, x2, lsl #32         /* as many physical bits as there are */
    msr     tcr_el1, x1
    mov     x1, #(3 << 20)              /* CPACR: floating point for everybody */
    msr     cpacr_el1, x1
    mov     x1, #2                      /* CNTKCTL: user space may read the virtual counter */
    msr     cntkctl_el1, x1
    ldr     x1, =vectors
    msr     vbar_el1, x1
    msr     mdscr_el1, xzr
    tlbi    vmalle1
    ic      iallu
    dsb     nsh
    isb
    /* SCTLR: MMU, caches, stack alignment checks; user space may use CTR_EL0, DC ZVA, cache maintenance, WFI, WFE */
    ldr     x1, =0x34d5d91d
    msr     sctlr_el1, x1
    isb
    ldr     x1, =0xffffff8000000000
    orr     x30, x30, x1
    ret

    .section .bss
    .balign 16
    .skip   16384
.global boot_stack_end
    .balign 4096
boot_stack_end:
    .skip   16
