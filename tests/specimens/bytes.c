/* The older trace: single bytes. `D D D E N O 1` and then nothing: stuck taking the file system's lock. */
#include "specimen.h"

u8 EXEC_TRACE_BUF[256];
u64 EXEC_TRACE_IDX;
volatile u32 EXT2_LOCK = 1;

static void mark(u8 byte)
{
    u64 at = EXEC_TRACE_IDX++;
    if (at < sizeof EXEC_TRACE_BUF) EXEC_TRACE_BUF[at] = byte;
}

static NOINLINE void ext2_write(volatile u32 *lock)
{
    mark('1');
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) relax();
    mark('2');
}

void kernel_main(void)
{
    mask_interrupts();
    print("exec\n");
    for (const char *letter = "DDDENO"; *letter; letter++) mark((u8)*letter);
    ext2_write(&EXT2_LOCK);
    print("done\n");
}
