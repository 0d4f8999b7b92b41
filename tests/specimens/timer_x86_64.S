/* The local APIC's timer, in a moment, into handle_irq. BARE: no unwind information, as in most kernels. */
#if !defined(BARE)
    .cfi_sections .debug_frame
#endif
    .text
.global start_timer
start_timer:
    leaq    irq_entry(%rip), %rax
    leaq    gates + 32 * 16(%rip), %rdi
    movw    %ax, (%rdi)
    movl    $0x8e000008, 2(%rdi)
    shrq    $16, %rax
    movw    %ax, 6(%rdi)
    lidt    gates_pointer(%rip)
    movb    $0xff, %al                  /* the old controller, silent */
    outb    %al, $0x21
    outb    %al, $0xa1
    movl    $0xfee00000, %eax
    movl    $0x1ff, 0xf0(%rax)
    movl    $0x20, 0x320(%rax)
    movl    $0xb, 0x3e0(%rax)
    movl    $10000000, 0x380(%rax)
    ret

    .type   irq_entry, @function
irq_entry:
#if !defined(BARE)
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_def_cfa rsp, 40
    .cfi_offset rip, -40
    .cfi_offset rsp, -16
#define PUSH(name) pushq %name; .cfi_adjust_cfa_offset 8; .cfi_rel_offset name, 0
#else
#define PUSH(name) pushq %name
#endif
    PUSH(rax)
    PUSH(rcx)
    PUSH(rdx)
    PUSH(rsi)
    PUSH(rdi)
    PUSH(r8)
    PUSH(r9)
    PUSH(r10)
    PUSH(r11)
    call    handle_irq
1:  jmp     1b                          /* never comes here */
#if !defined(BARE)
    .cfi_endproc
#endif
    .size   irq_entry, . - irq_entry

    .section .data
    .balign 16
gates:
    .fill   4096, 1, 0
gates_pointer:
    .word   4095
    .quad   gates
