/* Threads of the kernel's own. */
#include "arch.h"
#include "private.h"
#include "process.h"
#include "scheduler.h"

struct thread *kernel_thread_create(const char *name, void (*entry)(void *argument), void *argument) {
    struct thread *thread = thread_create(name);
    if (thread == NULL) return NULL;
    u64 interrupts = spin_lock(&process_lock);
    thread->tid = process_next_id();
    spin_unlock(&process_lock, interrupts);
    arch_thread_init_kernel(thread, entry, argument);
    thread_start(thread);
    return thread;
}
