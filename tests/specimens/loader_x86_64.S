/* Maps an image at 0x10000000000, wherever its program headers would have it, and jumps to it. */
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
    movl    $top, %eax
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
    ljmp    $8, $long
    .code64
long:
    movl    $0x10, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    movb    $0xff, %al                  /* no interrupts from the old controller */
    outb    %al, $0x21
    outb    %al, $0xa1
    movabsq $0x10000001000, %rax        /* its code begins a page after its start */
    jmp     *%rax

    .section .data
    .balign 16
segments:
    .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff
segments_pointer:
    .word   39
    .long   segments
    .balign 4096
top:
    .quad   low_pointers + 3, 0, high_pointers + 7
    .fill   509, 8, 0
low_pointers:
    .quad   low + 3
    .fill   511, 8, 0
high_pointers:
    .quad   high + 7
    .fill   511, 8, 0
low:
    .quad   0x83, 0x200083
    .fill   510, 8, 0
high:
    .quad   image + 0x87
    .fill   511, 8, 0
    .balign 0x200000
image:
    .incbin IMAGE
#if defined(COPY)
    .balign 0x200000
    .global copy
copy:                                   /* never run: what was left where it was loaded first */
    .incbin IMAGE
#endif
