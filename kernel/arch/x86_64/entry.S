/* Interrupts, exceptions and system calls in and out, and the switch between kernel stacks. The frame is struct
 * trap_frame. All ways back to user space go through IRET: it restores every register. */

#define GS_CPU_CURRENT 8
#define GS_USER_RSP    16
#define GS_KERNEL_RSP  24

#define USER_CODE 0x33
#define USER_DATA 0x2b

    .cfi_sections .debug_frame          /* for debuggers alone */
    .text

/* Callers end here: user space, or nothing. */
.macro CFI_OUTERMOST
    .cfi_startproc
    .cfi_undefined rip
.endm

.macro SAVE_REGISTERS
    pushq   %rdi
    pushq   %rsi
    pushq   %rdx
    pushq   %rcx
    pushq   %rax
    pushq   %r8
    pushq   %r9
    pushq   %r10
    pushq   %r11
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
.endm

.macro RESTORE_REGISTERS
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    popq    %r11
    popq    %r10
    popq    %r9
    popq    %r8
    popq    %rax
    popq    %rcx
    popq    %rdx
    popq    %rsi
    popq    %rdi
.endm

/* 256 stubs of 16 bytes: the vector goes into the frame, below an error code where the processor pushed none. */
    .balign 16
.global vector_stubs
vector_stubs:
.set vector, 0
.rept 256
    .balign 16
.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq   $0
.endif
    pushq   $vector
    jmp     trap_entry
.set vector, vector + 1
.endr

trap_entry:
    CFI_OUTERMOST
    SAVE_REGISTERS
    cld
    testb   $3, 144(%rsp)               /* CS: from user space? */
    jz      trap_from_kernel
    swapgs
    xorl    %ebp, %ebp
    movq    %rsp, %rdi
    call    trap_handle
    jmp     return_to_user
    .cfi_endproc

trap_from_kernel:
    /* A frame record between the interrupted code's and ours, so that backtraces go through. */
    pushq   136(%rsp)                   /* RIP */
    pushq   %rbp
    movq    %rsp, %rbp
    .cfi_startproc simple               /* the interrupted function's registers are in the frame, at RBP + 16 */
    .cfi_signal_frame
    .cfi_def_cfa rbp, 16
    .cfi_offset r15, 0
    .cfi_offset r14, 8
    .cfi_offset r13, 16
    .cfi_offset r12, 24
    .cfi_offset rbp, 32
    .cfi_offset rbx, 40
    .cfi_offset rip, 136
    .cfi_offset rsp, 160
    leaq    16(%rsp), %rdi
    call    trap_handle
    addq    $16, %rsp
    .cfi_endproc
    RESTORE_REGISTERS
    addq    $16, %rsp
    iretq

/* The non-maskable interrupt can come where GS is still the user's: its base tells. */
.global nmi_entry
nmi_entry:
    CFI_OUTERMOST
    pushq   $0
    pushq   $2
    SAVE_REGISTERS
    cld
    movl    $0xc0000101, %ecx
    rdmsr
    testl   %edx, %edx
    js      1f
    swapgs
1:  movq    %rsp, %rdi
    xorl    %ebp, %ebp
    call    trap_nmi                    /* does not return */
    .cfi_endproc

.global syscall_entry
syscall_entry:
    CFI_OUTERMOST
    swapgs
    movq    %rsp, %gs:GS_USER_RSP
    movq    %gs:GS_KERNEL_RSP, %rsp
    pushq   $USER_DATA
    pushq   %gs:GS_USER_RSP
    pushq   %r11                        /* RFLAGS */
    pushq   $USER_CODE
    pushq   %rcx                        /* RIP */
    pushq   %rax                        /* original_rax */
    pushq   $0x100                      /* no vector */
    SAVE_REGISTERS
    xorl    %ebp, %ebp
    sti
    movq    %rsp, %rdi
    call    syscall_dispatch
return_to_user:                         /* RSP: the frame, at the top of the kernel stack */
    cli
    movq    %rsp, %rdi
    call    trap_leave_to_user
    RESTORE_REGISTERS
    addq    $16, %rsp
    swapgs
    .cfi_endproc
    iretq                               /* RIP is below USER_END: whoever sets it checks */

/* noreturn void enter_frame(struct trap_frame *on_top_of_stack) */
.global enter_frame
enter_frame:
    movq    %rdi, %rsp
    jmp     return_to_user

/* void switch_stacks(u64 *save_sp, u64 load_sp) */
.global switch_stacks
switch_stacks:
    pushq   %rbp
    pushq   %rbx
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    movq    %rsp, (%rdi)
    movq    %rsi, %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbx
    popq    %rbp
    ret

/* First switch to a kernel thread: RBX its function, R12 the argument. */
.global kernel_thread_entry
kernel_thread_entry:
    CFI_OUTERMOST
    call    thread_entered
    movq    %r12, %rdi
    call    *%rbx
    call    thread_exit
    .cfi_endproc

/* First switch to a forked child: its frame lies above. */
.global fork_entry
fork_entry:
    CFI_OUTERMOST
    call    thread_entered
    call    process_forked
    jmp     return_to_user
    .cfi_endproc
