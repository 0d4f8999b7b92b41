/* The executable format, as far as static programs need it, and the auxiliary vector. */
#pragma once

#include "file.h"
#include "space.h"
#include "types.h"

struct elf_header {
    u8 identification[16];
    u16 type, machine;
    u32 version;
    u64 entry, program_headers, section_headers;
    u32 flags;
    u16 header_size, program_header_size, program_header_count;
    u16 section_header_size, section_header_count, section_names;
};

struct elf_program_header {
    u32 type, flags;
    u64 offset, virtual_address, physical_address, file_size, memory_size, alignment;
};

#define ELF_EXECUTABLE 2
#define ELF_DYNAMIC    3 /* here: a static program that may be anywhere */
#define ELF_LOAD       1
#define ELF_EXECUTE    1u
#define ELF_WRITE      2u
#define ELF_READ       4u

enum {
    AT_NULL, AT_PHDR = 3, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY, AT_UID = 11, AT_EUID, AT_GID,
    AT_EGID, AT_HWCAP = 16, AT_CLKTCK, AT_SECURE = 23, AT_RANDOM = 25, AT_EXECFN = 31,
};

struct elf_image {
    struct space *space;
    vaddr entry, headers_at;
    u64 header_count;
};

/* Map the program into image->space and fill in the rest. 0, -ENOEXEC, -ENOMEM. */
int elf_map(struct inode *inode, struct elf_image *image);
