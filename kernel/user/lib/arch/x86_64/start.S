/* Process entry: the kernel leaves argc, argv, envp and the auxiliary vector on the stack. */
    .globl _start
    .type _start, @function
_start:
    xorl %ebp, %ebp /* the outermost frame */
    movq %rsp, %rdi
    andq $-16, %rsp
    call start_program
    ud2

/* Where a signal handler returns to: SA_RESTORER, which x86-64 demands. */
    .globl signal_restorer
    .type signal_restorer, @function
signal_restorer:
    movl $15, %eax /* SYS_rt_sigreturn */
    syscall
    ud2

    .section .note.GNU-stack, "", @progbits
