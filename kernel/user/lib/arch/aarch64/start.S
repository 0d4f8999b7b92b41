/* Process entry: the kernel leaves argc, argv, envp and the auxiliary vector on the stack. */
    .globl _start
    .type _start, %function
_start:
    mov x29, #0 /* the outermost frame */
    mov x30, #0
    mov x0, sp
    bl start_program
    udf #0

/* Where a signal handler returns to. Linux on aarch64 would use its vDSO; SA_RESTORER works without one. */
    .globl signal_restorer
    .type signal_restorer, %function
signal_restorer:
    mov x8, #139 /* SYS_rt_sigreturn */
    svc #0
    udf #0

    .section .note.GNU-stack, "", %progbits
