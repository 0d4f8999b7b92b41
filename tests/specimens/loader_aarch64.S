/* Maps an image at 0x10000000000, wherever its program headers would have it, and jumps to it. */
    .section .text.start, "ax"
.global _start
_start:
    mov     x1, #0xff00
    msr     mair_el1, x1
    ldr     x1, =0x803510               /* T0SZ 16: four levels */
    msr     tcr_el1, x1
    adrp    x1, top
    msr     ttbr0_el1, x1
    isb
    mrs     x1, sctlr_el1
    mov     x2, #0x1005
    orr     x1, x1, x2
    msr     sctlr_el1, x1
    isb
    ldr     x1, =0x10000001000          /* its code begins a page after its start */
    br      x1
    .ltorg

    .section .data
    .balign 4096
top:
    .quad   low + 3
    .quad   0
    .quad   high + 3
    .fill   509, 8, 0
low:
    .quad   0x00000401
    .quad   0x40000705
    .fill   510, 8, 0
high:
    .quad   high_blocks + 3
    .fill   511, 8, 0
high_blocks:
    .quad   image + 0x705
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
