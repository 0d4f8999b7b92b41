/* QEMU's PVH entry (Xen, docs/misc/pvh.pandoc), to long mode; the lowest 4 GiB are mapped as they are, for all. */

    .section .note.pvh, "a", @note
    .balign 4
    .long   4, 4, 18
    .asciz  "Xen"
    .long   _start

    .section .text.start, "ax"
    .code32
.global _start
_start:
    cli
    movl    $stack_top, %esp
    movl    $page_directories, %edi
    movl    $0x87, %eax
    movl    $2048, %ecx
1:  movl    %eax, (%edi)
    addl    $0x200000, %eax
    addl    $8, %edi
    loop    1b
    call    long_mode
    ljmp    $8, $primary
long_mode:
    movl    $page_table, %eax
    movl    %eax, %cr3
    movl    $0x6a0, %eax
    movl    %eax, %cr4
    movl    $0xc0000080, %ecx
    movl    $0x100, %eax
    xorl    %edx, %edx
    wrmsr
    movl    $0x80010033, %eax
    movl    %eax, %cr0
    lgdtl   segments_pointer
    ret
    .code64
primary:
    call    load_segments
    xorl    %ebp, %ebp
    pushq   $0
    jmp     kernel_main
load_segments:
    movl    $0x10, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    ret

.global start_secondaries
start_secondaries:
    movl    $0x8000, %edi
    movq    $trampoline, %rsi
    movl    $trampoline_end - trampoline, %ecx
    rep movsb
    movl    $0xfee00300, %edx
    movl    $0xfee000f0, %eax
    movl    $0x1ff, (%rax)
    movl    $0xc4500, (%rdx)            /* INIT to all others, then the start */
    movl    $1000, %ecx
1:  inb     $0x80, %al
    loop    1b
    movl    $0xc4608, (%rdx)
    ret

trampoline:
    .code16
    cli
    xorw    %ax, %ax
    movw    %ax, %ds
    lgdtl   0x8000 + trampoline_pointer - trampoline
    movl    $0x11, %eax
    movl    %eax, %cr0
    ljmpl   $0x18, $secondary_32
trampoline_pointer:
    .word   47
    .long   segments
trampoline_end:
    .code32
secondary_32:
#if defined(EARLY)
1:  hlt                                 /* waits to be let on, paging still off */
    jmp     1b
#endif
    movl    $0x10, %eax
    movl    %eax, %ds
    movl    %eax, %ss
    movl    $1, %ebx
    lock xaddl %ebx, secondaries
    movl    %ebx, %esp
    shll    $12, %esp
    negl    %esp
    addl    $stack_top, %esp
    call    long_mode
    ljmp    $8, $secondary
    .code64
secondary:
    call    load_segments
    xorl    %ebp, %ebp
    movl    %ebx, %edi
    pushq   $0
    jmp     secondary_main
.weak secondary_main

    .section .data
    .balign 16
segments:
    .quad   0
    .quad   0x00af9b000000ffff          /* 0x08: code */
    .quad   0x00cf93000000ffff          /* 0x10: data */
    .quad   0x00cf9b000000ffff          /* 0x18: 32-bit code, on the way up */
    .quad   0x00cff3000000ffff          /* 0x20: user data */
    .quad   0x00affb000000ffff          /* 0x28: user code */
segments_pointer:
    .word   47
    .long   segments
secondaries:
    .long   1
    .balign 4096
page_table:
    .quad   page_pointers + 7
    .fill   511, 8, 0
page_pointers:
    .quad   page_directories + 7
    .quad   page_directories + 0x1007
    .quad   page_directories + 0x2007
    .quad   page_directories + 0x3007
    .fill   508, 8, 0
    .section .bss
    .balign 4096
page_directories:
    .skip   16384
