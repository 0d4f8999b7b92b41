/* From the architecture's boot code to init. */
#include "arch.h"
#include "clock.h"
#include "cpu.h"
#include "defect.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"
#include "scheduler.h"
#include "trace.h"

/* The linker's bounds of the build-id note: a header of three words, "GNU", the id. */
extern const u8 build_id_start[], build_id_end[];

static void print_banner(unsigned online) {
    char text[65] = "";
    const u8 *id = build_id_start + 16;
    for (unsigned index = 0; id + index < build_id_end && index < 32; index++) {
        format_text(text + 2 * index, 3, "%02x", id[index]);
    }
    kprint("duet (%s), build-id %s, %u of %u CPUs online\n", ARCH_NAME, text, online, arch_cpus_present());
}

/* Runs as the boot CPU's idle thread, with interrupts off until all is in place. */
void kernel_main(void) {
    arch_console_init();
    trace_init();
    memory_init();
    scheduler_init();
    clock_init();
    print_banner(arch_start_cpus());
    defect_init();
    arch_timer_start(TICK_NS);

    vfs_init();
    usize size;
    const void *archive = arch_initrd(&size);
    if (archive != NULL)
        vfs_unpack_initrd(archive, size);
    else
        kprint("no initrd\n");
    process_start_init();
    arch_console_enable_input();
    idle_loop();
}

/* Every other CPU, on its idle thread. */
void secondary_main(void) {
    __atomic_store_n(&this_cpu()->online, true, __ATOMIC_RELEASE);
    arch_timer_start(TICK_NS);
    idle_loop();
}
