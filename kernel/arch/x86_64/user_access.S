/* Copies between kernel and user space. Each instruction that touches user memory has an entry { instruction, fixup }
 * in the table that trap.c looks up. The callers have checked that the addresses are below USER_END. */

#define EFAULT       14
#define ENAMETOOLONG 36

.macro FAULTS_TO fixup, instruction:vararg
9999: \instruction
    .pushsection .fixups, "a"
    .quad   9999b, \fixup
    .popsection
.endm

    .text
/* int copy_in(void *to, vaddr from, usize size) and int copy_out(vaddr to, const void *from, usize size) */
.global copy_in, copy_out
copy_in:
copy_out:
    movq    %rdx, %rcx
    andl    $7, %edx
    shrq    $3, %rcx
    FAULTS_TO access_fault, rep movsq
    movl    %edx, %ecx
    FAULTS_TO access_fault, rep movsb
    xorl    %eax, %eax
    ret

/* isize string_in(char *to, vaddr from, usize size, usize limit): `limit` bytes lie below the end of user space */
.global string_in
string_in:
    xorl    %eax, %eax
1:  cmpq    %rdx, %rax
    jae     2f
    cmpq    %rcx, %rax
    jae     access_fault
    FAULTS_TO access_fault, movb (%rsi, %rax), %r8b
    movb    %r8b, (%rdi, %rax)
    testb   %r8b, %r8b
    jz      3f
    incq    %rax
    jmp     1b
2:  movq    $-ENAMETOOLONG, %rax
3:  ret

access_fault:
    movq    $-EFAULT, %rax
    ret
