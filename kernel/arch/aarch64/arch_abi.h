/* Where Linux's file ABI on aarch64 (asm-generic) has its own values and layouts. */
#pragma once

#include "types.h"

#define O_DIRECTORY 040000u
#define O_NOFOLLOW  0100000u

struct stat {
    u64 device, number;
    u32 mode, links, uid, gid;
    u64 special_device, padding;
    i64 size;
    i32 block_size, padding_2;
    i64 blocks; /* of 512 bytes */
    i64 accessed, accessed_ns, modified, modified_ns, changed, changed_ns;
    u32 unused[2];
};
_Static_assert(sizeof(struct stat) == 128, "struct stat");
