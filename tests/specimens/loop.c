/* Waits for a device with interrupts off; linked without symbols as well. With EARLY: before paging is on. */
#include "specimen.h"

static volatile u32 device_ready;

static NOINLINE u32 device_reset(void)
{
    u32 tries = 0;
    while (!device_ready) tries++;
    return tries;
}

void kernel_main(void)
{
    print("devices\n");
    mask_interrupts();
    print(device_reset() ? "slow\n" : "fast\n");
}
