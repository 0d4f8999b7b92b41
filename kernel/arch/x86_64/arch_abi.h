/* Where Linux's file ABI on x86-64 has its own values and layouts. */
#pragma once

#include "types.h"

#define O_DIRECTORY 0200000u
#define O_NOFOLLOW  0400000u

struct stat {
    u64 device, number, links;
    u32 mode, uid, gid, padding;
    u64 special_device;
    i64 size, block_size;
    i64 blocks; /* of 512 bytes */
    i64 accessed, accessed_ns, modified, modified_ns, changed, changed_ns;
    i64 unused[3];
};
_Static_assert(sizeof(struct stat) == 144, "struct stat");
