/* Exceptions in and out, and the switch between kernel stacks. The frame is struct trap_frame. */

#define FRAME_SIZE 304

    .cfi_sections .debug_frame          /* for debuggers alone */
    .text

/* Callers end here: user space, or nothing. */
.macro CFI_OUTERMOST
    .cfi_startproc
    .cfi_undefined x30
.endm

/* An interrupted kernel function is found again through the frame at SP. Register 32 is the program counter (DWARF for
 * the Arm 64-bit architecture, 4.1). */
.macro CFI_INTERRUPTED
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_return_column 32
    .cfi_def_cfa sp, 0
    .irp number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32
    .cfi_offset \number, 8 * \number
    .endr
.endm

.macro SAVE from_user
    sub     sp, sp, #FRAME_SIZE
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
.if \from_user
    mrs     x21, sp_el0
.else
    add     x21, sp, #FRAME_SIZE
.endif
    stp     x30, x21, [sp, #240]
    mrs     x22, elr_el1
    mrs     x23, spsr_el1
    stp     x22, x23, [sp, #256]
    mrs     x24, esr_el1
    mrs     x25, far_el1
    stp     x24, x25, [sp, #272]
    str     x0, [sp, #288]
    add     x29, sp, #232               /* x29, x30 in the frame are a frame record: backtraces go on below */
.endm

.macro RESTORE to_user
    ldp     x21, x22, [sp, #248]        /* sp, pc */
    ldr     x23, [sp, #264]
.if \to_user
    msr     sp_el0, x21
.endif
    msr     elr_el1, x22
    msr     spsr_el1, x23
    ldp     x0, x1, [sp, #0]
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldp     x28, x29, [sp, #224]
    ldr     x30, [sp, #240]
    add     sp, sp, #FRAME_SIZE
    eret
.endm

.macro VECTOR target
    .balign 0x80
    b       \target
.endm

    .balign 0x800
.global vectors
vectors:
    VECTOR  unexpected                  /* EL1 with SP_EL0: never used */
    VECTOR  unexpected
    VECTOR  unexpected
    VECTOR  unexpected
    VECTOR  kernel_sync
    VECTOR  kernel_irq
    VECTOR  unexpected                  /* FIQ */
    VECTOR  unexpected                  /* SError */
    VECTOR  user_sync
    VECTOR  user_irq
    VECTOR  unexpected
    VECTOR  user_serror
    VECTOR  user_sync                   /* AArch32: undefined for us; reported as what it is */
    VECTOR  user_irq
    VECTOR  unexpected
    VECTOR  user_serror
    .balign 0x80

unexpected:
    CFI_INTERRUPTED
    SAVE    0
    mov     x0, sp
    bl      trap_unexpected
    .cfi_endproc

kernel_sync:
    CFI_INTERRUPTED
    SAVE    0
    mov     x0, sp
    bl      trap_kernel_sync
    RESTORE 0
    .cfi_endproc

kernel_irq:
    CFI_INTERRUPTED
    SAVE    0
    mov     x0, sp
    bl      trap_irq
    RESTORE 0
    .cfi_endproc

user_serror:
    CFI_OUTERMOST
    SAVE    1
    mov     x0, sp
    bl      trap_unexpected
    .cfi_endproc

user_irq:
    CFI_OUTERMOST
    SAVE    1
    mov     x0, sp
    bl      trap_irq
    b       return_to_user
    .cfi_endproc

user_sync:
    CFI_OUTERMOST
    SAVE    1
    mov     x0, sp
    bl      trap_user_sync
return_to_user:                         /* sp: the frame, at the top of the kernel stack */
    msr     daifset, #2
    mov     x0, sp
    bl      trap_leave_to_user
    RESTORE 1
    .cfi_endproc

/* noreturn void enter_frame(struct trap_frame *on_top_of_stack) */
.global enter_frame
enter_frame:
    mov     sp, x0
    b       return_to_user

/* void switch_stacks(u64 *save_sp, u64 load_sp) */
.global switch_stacks
switch_stacks:
    stp     x29, x30, [sp, #-96]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    mov     x9, sp
    str     x9, [x0]
    mov     sp, x1
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    ret

/* First switch to a kernel thread: x19 its function, x20 the argument. */
.global kernel_thread_entry
kernel_thread_entry:
    CFI_OUTERMOST
    bl      thread_entered
    mov     x0, x20
    blr     x19
    bl      thread_exit
    .cfi_endproc

/* First switch to a forked child: its frame lies above. */
.global fork_entry
fork_entry:
    CFI_OUTERMOST
    bl      thread_entered
    bl      process_forked
    b       return_to_user
    .cfi_endproc
