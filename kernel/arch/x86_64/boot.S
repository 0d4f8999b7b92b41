/* From QEMU's loader to kernel_main, and the other CPUs' way up. The boot CPU enters in 32-bit protected mode without
 * paging, EBX the physical address of struct hvm_start_info (Xen's docs/misc/pvh.pandoc). */

#define KERNEL_BASE 0xffffffff80000000
#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)

#define CR0_VALUE 0x80010033            /* PG WP NE ET MP PE */
#define CR4_VALUE 0x000006a0            /* OSXMMEXCPT OSFXSR PGE PAE */
#define MSR_EFER  0xc0000080
#define EFER_VALUE 0x901                /* NXE LME SCE */
#define KERNEL_CODE 0x10
#define KERNEL_DATA 0x18

    .cfi_sections .debug_frame
    .section .note.pvh, "a", @note
    .balign 4
    .long   4, 4, 18                    /* name and value sizes, XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz  "Xen"
    .long   PHYSICAL(pvh_start)

    .section .text.boot, "ax"
    .code32
.global pvh_start
pvh_start:
    cld
    movl    $PHYSICAL(boot_stack_end), %esp
    movl    %ebx, PHYSICAL(boot_start_info)
    /* The same 4 GiB twice: where it is, and at KERNEL_BASE (its first GiB). */
    movl    $PHYSICAL(boot_pdpt), %eax
    orl     $3, %eax
    movl    %eax, PHYSICAL(boot_pml4)
    movl    %eax, PHYSICAL(boot_pml4) + 511 * 8
    movl    $PHYSICAL(boot_pd), %eax
    orl     $3, %eax
    movl    %eax, PHYSICAL(boot_pdpt)
    movl    %eax, PHYSICAL(boot_pdpt) + 510 * 8
    movl    $PHYSICAL(boot_pd), %edi
    movl    $0x83, %eax                 /* present, writable, 2 MiB */
    movl    $512, %ecx
1:  movl    %eax, (%edi)
    addl    $0x200000, %eax
    addl    $8, %edi
    loop    1b
    movl    $PHYSICAL(boot_pml4), %eax
    call    enter_long_mode
    ljmp    $KERNEL_CODE, $PHYSICAL(primary_64)

/* EAX: the page table. Leaves the CPU in compatibility mode. */
enter_long_mode:
    movl    %eax, %cr3
    movl    $CR4_VALUE, %eax
    movl    %eax, %cr4
    movl    $MSR_EFER, %ecx
    movl    $EFER_VALUE, %eax
    xorl    %edx, %edx
    wrmsr
    movl    $CR0_VALUE, %eax
    movl    %eax, %cr0
    lgdtl   PHYSICAL(boot_gdt_pointer)
    ret

    .code64
primary_64:
    movabsq $primary_high, %rax
    jmp     *%rax
primary_high:
    .cfi_startproc
    .cfi_undefined rip                  /* backtraces end here */
    movl    $KERNEL_DATA, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    xorl    %eax, %eax
    movl    %eax, %fs
    movl    %eax, %gs
    movq    $boot_stack_end, %rsp
    xorl    %ebp, %ebp
    call    primary_main
    .cfi_endproc

    .balign 8
boot_gdt:
    .quad   0, 0
    .quad   0x00af9b000000ffff          /* 0x10: 64-bit code */
    .quad   0x00cf93000000ffff          /* 0x18: data */
    .quad   0x00cf9b000000ffff          /* 0x20: 32-bit code, on the way up */
boot_gdt_pointer:
    .word   . - boot_gdt - 1
    .long   PHYSICAL(boot_gdt)

/* The other CPUs start in real mode at a page below 1 MiB, where this is copied to (TRAMPOLINE_BASE). */
#define TRAMPOLINE_BASE 0x8000
#define AT(symbol) (symbol - trampoline_start)

    .section .rodata
    .balign 16
.global trampoline_start, trampoline_end
trampoline_start:
    .code16
    cli
    movw    %cs, %ax
    movw    %ax, %ds
    lgdtl   AT(trampoline_gdt_pointer)
    movl    $0x11, %eax
    movl    %eax, %cr0
    ljmpl   $0x20, $(TRAMPOLINE_BASE + AT(trampoline_32))
    .balign 4
trampoline_gdt_pointer:
    .word   5 * 8 - 1
    .long   PHYSICAL(boot_gdt)
    .code32
trampoline_32:
    movl    $0x18, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    /* enter_long_mode, with the kernel's own table: it maps this page where it is, too */
    movl    $PHYSICAL(secondary_pml4), %eax
    movl    %eax, %cr3
    movl    $CR4_VALUE, %eax
    movl    %eax, %cr4
    movl    $MSR_EFER, %ecx
    movl    $EFER_VALUE, %eax
    xorl    %edx, %edx
    wrmsr
    movl    $CR0_VALUE, %eax
    movl    %eax, %cr0
    ljmp    $KERNEL_CODE, $(TRAMPOLINE_BASE + AT(trampoline_64))
    .code64
trampoline_64:
    movabsq $secondary_high, %rax
    jmp     *%rax
trampoline_end:

    .text
secondary_high:
    .cfi_startproc
    .cfi_undefined rip
    movq    secondary_stack_end(%rip), %rsp
    xorl    %ebp, %ebp
    call    arch_secondary_main
    .cfi_endproc

    .section .bss
    .balign 4096
boot_pml4:
    .skip   4096
.global secondary_pml4
secondary_pml4:
    .skip   4096
boot_pdpt:
    .skip   4096
boot_pd:
    .skip   4096
    .skip   16384
boot_stack_end:
