/* The first instructions of an image that a loader maps: a stack, and kernel_main. */
    .section .text.start, "ax"
.global image_start
.hidden image_start
image_start:
#if defined(__aarch64__)
    adrp    x1, stack_top
    add     x1, x1, :lo12:stack_top
    mov     sp, x1
    mov     x29, xzr
    mov     x30, xzr
    b       kernel_main
#else
    leaq    stack_top(%rip), %rsp
    xorl    %ebp, %ebp
    pushq   $0
    jmp     kernel_main
#endif
