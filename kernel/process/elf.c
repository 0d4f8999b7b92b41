/* Mapping a static ELF program. Nothing is read here but headers: pages come when they are touched. */
#include "elf.h"

#include "arch.h"
#include "errno.h"
#include "kernel.h"

#define MAX_PROGRAM_HEADERS 32

static bool is_ours(const struct elf_header *header) {
    static const u8 identification[7] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 }; /* 64 bits, little-endian, version 1 */
    return memcmp(header->identification, identification, sizeof(identification)) == 0 &&
           header->machine == ARCH_ELF_MACHINE && (header->type == ELF_EXECUTABLE || header->type == ELF_DYNAMIC) &&
           header->program_header_size == sizeof(struct elf_program_header) &&
           header->program_header_count <= MAX_PROGRAM_HEADERS;
}

static int map_segment(struct inode *inode, struct elf_image *image, const struct elf_program_header *segment,
                       vaddr bias) {
    vaddr start = segment->virtual_address + bias;
    vaddr end = start + segment->memory_size;
    if (segment->file_size > segment->memory_size || end < start || end > USER_MMAP_TOP ||
        segment->virtual_address % PAGE_SIZE != segment->offset % PAGE_SIZE) {
        return -ENOEXEC;
    }
    vaddr offset_in_page = start % PAGE_SIZE;
    struct area area = {
        .start = start - offset_in_page,
        .end = (end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1),
        .protection = (segment->flags & ELF_READ ? PAGE_READ : 0u) | (segment->flags & ELF_WRITE ? PAGE_WRITE : 0u) |
                      (segment->flags & ELF_EXECUTE ? PAGE_EXECUTE : 0u),
        .inode = inode,
        .offset = segment->offset - offset_in_page,
        .file_end = start + segment->file_size,
    };
    if (area.start == area.end) return 0;
    if (area.start < PAGE_SIZE || !space_is_free(image->space, area.start, area.end)) return -ENOEXEC;
    if (area.end > image->space->brk) image->space->brk = image->space->brk_start = area.end;
    return space_map(image->space, &area);
}

int elf_map(struct inode *inode, struct elf_image *image) {
    struct elf_header header;
    struct elf_program_header segments[MAX_PROGRAM_HEADERS];
    if (inode_read_kernel(inode, &header, sizeof(header), 0) != sizeof(header) || !is_ours(&header)) return -ENOEXEC;
    isize size = header.program_header_count * (isize)sizeof(segments[0]);
    if (inode_read_kernel(inode, segments, (usize)size, header.program_headers) != size) return -ENOEXEC;

    vaddr bias = header.type == ELF_DYNAMIC ? USER_PIE_BASE : 0;
    image->entry = header.entry + bias;
    image->header_count = header.program_header_count;
    image->headers_at = 0;
    for (unsigned index = 0; index < header.program_header_count; index++) {
        const struct elf_program_header *segment = &segments[index];
        if (segment->type != ELF_LOAD) continue;
        int error = map_segment(inode, image, segment, bias);
        if (error != 0) return error;
        if (header.program_headers >= segment->offset &&
            header.program_headers < segment->offset + segment->file_size) {
            image->headers_at = segment->virtual_address + bias + (header.program_headers - segment->offset);
        }
    }
    return image->space->areas == NULL || image->entry >= USER_END ? -ENOEXEC : 0;
}
