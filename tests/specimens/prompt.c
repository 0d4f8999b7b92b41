/* A shell's prompt, and a read that waits for an interrupt that is masked. */
#include "specimen.h"

static volatile u32 received;

static NOINLINE u32 console_read(void)
{
    while (!received) {
        mask_interrupts();
        wait_here();
    }
    return received;
}

static NOINLINE void repl(void)
{
    for (;;) {
        print("sh> ");
        console_read();
    }
}

void kernel_main(void)
{
    repl();
    print("bye\n");
}
