/* A lock's guard leaked across a return, with Rust's names and nothing that says who holds it. SECONDARIES: the other
 * CPUs were started, and are parked in early boot. */
#include "specimen.h"

struct mutex { volatile u8 locked; u32 data; };

struct mutex root SYMBOL("_ZN6kernel2fs4ext27ROOT_FS17h1f2e3d4c5b6a7988E") = {0, 1};
void mutex_lock(struct mutex *) SYMBOL("_ZN4spin5mutex14Mutex$LT$T$GT$4lock17h0123456789abcdefE");
u32 root_fs(u32) SYMBOL("_ZN6kernel2fs4ext27root_fs17hfedcba9876543210E");
u32 sys_exec(u32) SYMBOL("_ZN6kernel7syscall4exec8sys_exec17h00112233445566aaE");

NOINLINE void mutex_lock(struct mutex *mutex)
{
    while (__atomic_exchange_n(&mutex->locked, 1, __ATOMIC_ACQUIRE))
        while (mutex->locked) relax();
}

NOINLINE u32 root_fs(u32 release)
{
    mutex_lock(&root);
    u32 data = root.data++;
    if (release) __atomic_store_n(&root.locked, 0, __ATOMIC_RELEASE);
    return data;
}

NOINLINE u32 sys_exec(u32 number)
{
    if (number == 1) root_fs(0); /* never gives it back */
    print("exec\n");
    return root_fs(1) + number;
}

void kernel_main(void)
{
    mask_interrupts();
#if defined(SECONDARIES)
    start_secondaries();
#endif
    print(sys_exec(1) ? "yes\n" : "no\n");
}
