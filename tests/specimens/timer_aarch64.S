/* GICv2's virtual timer interrupt, 10 ms from now, into handle_irq. BARE: no unwind information, as in most kernels. */
#if !defined(BARE)
    .cfi_sections .debug_frame
#endif
    .text
.global start_timer
start_timer:
    adr     x0, table
    msr     vbar_el1, x0
    mov     x0, #0x08000000
    mov     w1, #1
    str     w1, [x0]                    /* the distributor, on */
    mov     w1, #1 << 27
    str     w1, [x0, #0x100]
    add     x0, x0, #0x10000
    mov     w1, #0xff
    str     w1, [x0, #4]
    mov     w1, #1
    str     w1, [x0]
    mrs     x0, cntfrq_el0
    mov     x1, #100
    udiv    x0, x0, x1
    msr     cntv_tval_el0, x0
    mov     x0, #1
    msr     cntv_ctl_el0, x0
    ret

    .balign 2048
table:
    .rept   16
    b       irq_entry
    .balign 128
    .endr

    .type   irq_entry, %function
irq_entry:
#if !defined(BARE)
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_return_column 32
    .cfi_def_cfa sp, 0
    .irp number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32
    .cfi_offset \number, 8 * \number
    .endr
#endif
    sub     sp, sp, #272
    stp     x0, x1, [sp, #0]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    add     x1, sp, #272
    stp     x30, x1, [sp, #240]
    mrs     x0, elr_el1
    str     x0, [sp, #256]
    bl      handle_irq
1:  b       1b                          /* never comes here */
#if !defined(BARE)
    .cfi_endproc
#endif
    .size   irq_entry, . - irq_entry
