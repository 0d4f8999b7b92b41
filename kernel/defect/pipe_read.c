#include "pipe_read.h"

#include "arch.h"
#include "defect.h"
#include "linux_abi.h"
#include "syscall.h"

#define BELOW_STACK 512 /* beyond the red zone: nothing of the test's is there */

bool defect_read_empty_pipe(struct trap_frame *frame, u32 flags) {
    vaddr scratch = (arch_frame_user_sp(frame) - BELOW_STACK) & ~15ul;
    const u64 argument[6] = { scratch, flags };
    i32 descriptors[2];
    if (sys_pipe2(argument) != 0 || copy_from_user(descriptors, scratch, sizeof(descriptors)) != 0) return false;
    arch_defect_make_call_read(frame, descriptors[0], scratch, 1);
    return true;
}
