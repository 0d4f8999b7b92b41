/* Copies between kernel and user space. Loads and stores of user memory are the unprivileged ones: they fault where
 * user space itself would. Each has an entry { instruction, fixup } in the table that trap.c looks up. */

#define EFAULT       14
#define ENAMETOOLONG 36

.macro FAULTS_TO fixup, instruction:vararg
9999: \instruction
    .pushsection .fixups, "a"
    .quad   9999b, \fixup
    .popsection
.endm

    .text
/* int copy_in(void *to, vaddr from, usize size) */
.global copy_in
copy_in:
1:  cmp     x2, #8
    b.lo    2f
    FAULTS_TO access_fault, ldtr x3, [x1]
    str     x3, [x0], #8
    add     x1, x1, #8
    sub     x2, x2, #8
    b       1b
2:  cbz     x2, 3f
    FAULTS_TO access_fault, ldtrb w3, [x1]
    strb    w3, [x0], #1
    add     x1, x1, #1
    sub     x2, x2, #1
    b       2b
3:  mov     x0, #0
    ret

/* int copy_out(vaddr to, const void *from, usize size) */
.global copy_out
copy_out:
1:  cmp     x2, #8
    b.lo    2f
    ldr     x3, [x1], #8
    FAULTS_TO access_fault, sttr x3, [x0]
    add     x0, x0, #8
    sub     x2, x2, #8
    b       1b
2:  cbz     x2, 3f
    ldrb    w3, [x1], #1
    FAULTS_TO access_fault, sttrb w3, [x0]
    add     x0, x0, #1
    sub     x2, x2, #1
    b       2b
3:  mov     x0, #0
    ret

/* isize string_in(char *to, vaddr from, usize size, usize limit): `limit` bytes lie below the end of user space */
.global string_in
string_in:
    mov     x4, #0
1:  cmp     x4, x2
    b.hs    2f
    cmp     x4, x3
    b.hs    access_fault
    FAULTS_TO access_fault, ldtrb w5, [x1]
    strb    w5, [x0, x4]
    cbz     w5, 3f
    add     x1, x1, #1
    add     x4, x4, #1
    b       1b
2:  mov     x0, #-ENAMETOOLONG
    ret
3:  mov     x0, x4
    ret

access_fault:
    mov     x0, #-EFAULT
    ret

/* void semihosting_exit(u64 status): returns, through the fixup, where nobody emulates it. */
.global semihosting_exit
semihosting_exit:
    stp     x29, x30, [sp, #-32]!
    mov     x29, sp
    ldr     x1, =0x20026                /* ADP_Stopped_ApplicationExit */
    stp     x1, x0, [sp, #16]
    add     x1, sp, #16
    mov     w0, #0x20                   /* SYS_EXIT_EXTENDED */
    FAULTS_TO 1f, hlt #0xf000
1:  ldp     x29, x30, [sp], #32
    ret
