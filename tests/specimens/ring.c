/* Mapped by a loader elsewhere than its program headers say: `ring` is linked at 0, position-independent; `moved` and
 * `copied` are linked where they run, and where `copied` claims to lie is a stale copy. A trace in rings of 1024 events,
 * and no debug information. A thread reads, is switched away from, and nobody wakes it: the CPU idles. As
 * `outside` it goes to user mode and stays there, and no other CPU was ever started. */
#include "specimen.h"

struct event { u64 timestamp; u16 type; u8 cpu, flags; u32 payload; } __attribute__((aligned(16)));
struct ring { struct event entries[1024]; u64 write_index, read_index, dropped; } __attribute__((aligned(64)));

struct ring TRACE_BUFFERS[16];
u64 TRACE_ENABLED = 1;

static u64 now(void)
{
#if defined(__aarch64__)
    u64 count;
    __asm__ volatile("isb\n mrs %0, cntvct_el0" : "=r"(count));
    return count;
#else
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
#endif
}

static void trace(u16 type, u32 payload)
{
    struct ring *ring = &TRACE_BUFFERS[0];
    struct event *event = &ring->entries[ring->write_index++ % 1024];
    *event = (struct event){now(), type, 0, 0, payload};
}

#if defined(__aarch64__)
#define READ 63
#else
#define READ 0
#endif

static NOINLINE void idle_loop(void)
{
    for (;;) {
        unmask_interrupts();
        wait_here();
    }
}

#if defined(USER)
static NOINLINE void user_program(void)
{
    for (;;) relax();
}

static NOINLINE void enter_user(void)
{
    __asm__ volatile("pushq $0x1b\n pushq %0\n pushq $0x2\n pushq $0x23\n pushq %1\n iretq"
                     : : "r"((u64)&TRACE_BUFFERS[16]), "r"((u64)user_program));
}
#endif

static void print_hex(u64 value)
{
    print("0x");
    for (int shift = 60; shift >= 0; shift -= 4) write_byte((u8)"0123456789abcdef"[value >> shift & 15]);
}

extern char image_start[] __attribute__((visibility("hidden")));

void kernel_main(void)
{
    print("virtual_address_offset: ");
    print_hex((u64)image_start - 4096);
    print("\n");
    for (u32 round = 0; round < 1500; round++) {
        trace(0x0300, 172); /* SYSCALL_ENTRY */
        trace(0x0301, 7);   /* SYSCALL_EXIT */
    }
    trace(0x0001, 1 << 16 | 7); /* CTX_SWITCH_ENTRY: thread 1 to 7 */
    trace(0x0002, 7);
    trace(0x0003, 7); /* TO_USER */
    trace(0x0300, READ);
    trace(0x0001, 7 << 16 | 0);
    trace(0x0002, 0);
    trace(0x0005, 0); /* TO_IDLE */
    print("reading\n");
#if defined(USER)
    enter_user();
#endif
    idle_loop();
}
