/* QEMU virt: one flat map, RAM once for the kernel and once more, 1 GiB higher, for user mode. */

    .section .text.start, "ax"
.global _start
_start:
    adrp    x1, stack_top
    mov     sp, x1
#if !defined(NO_PAGING)
    bl      paging_on
#endif
    mov     x29, xzr
    mov     x30, xzr
    b       kernel_main

paging_on:
    mov     x1, #0xff00                 /* attribute 0: device, 1: normal */
    msr     mair_el1, x1
    ldr     x1, =0x803519               /* T0SZ 25, cached, shareable; no TTBR1 walks */
    msr     tcr_el1, x1
    adrp    x1, page_table
    msr     ttbr0_el1, x1
    isb
    mrs     x1, sctlr_el1
    mov     x2, #0x1005                 /* I, C, M */
    orr     x1, x1, x2
    msr     sctlr_el1, x1
    isb
    ret

.global start_secondaries
start_secondaries:
    stp     x29, x30, [sp, #-32]!
    mov     x29, sp
    str     x19, [sp, #16]
    mov     x19, #1
1:  ldr     x0, =0xc4000003             /* PSCI CPU_ON */
    mov     x1, x19
    adr     x2, secondary_start
    mov     x3, x19
    hvc     #0
    add     x19, x19, #1
    cbz     x0, 1b                      /* until there is none of that number */
    ldr     x19, [sp, #16]
    ldp     x29, x30, [sp], #32
    ret

secondary_start:
    mov     x20, x0
    adrp    x1, stack_top
    sub     x1, x1, x0, lsl #12
    mov     sp, x1
#if defined(EARLY)
1:  wfe                                 /* waits to be let on, paging still off */
    b       1b
#endif
    bl      paging_on
    mov     x0, x20
    mov     x29, xzr
    mov     x30, xzr
    b       secondary_main
.weak secondary_main
    .ltorg

    .section .data
    .balign 4096
page_table:
    .quad   0x00000401
    .quad   0x40000705
    .quad   0x40000745
    .fill   509, 8, 0
