/* The end: say why, show where, park every CPU. */
#include "arch.h"
#include "kernel.h"

static u32 panicking;

bool panic_started(void) { return __atomic_load_n(&panicking, __ATOMIC_RELAXED) != 0; }

static noreturn void stop(const struct trap_frame *frame, const char *format, va_list arguments) {
    arch_interrupts_save();
    /* The first CPU to get here reports; a second panic, here or elsewhere, adds nothing. */
    if (__atomic_exchange_n(&panicking, 1, __ATOMIC_SEQ_CST) != 0) arch_park();
    arch_stop_other_cpus();

    char message[256];
    format_arguments(message, sizeof(message), format, arguments);
    char line[320];
    int length = format_text(line, sizeof(line), "\r\nKERNEL PANIC: %s\r\n", message);
    arch_console_write(line, (usize)length);
    length = format_text(line, sizeof(line), "  on CPU %u\r\n", arch_cpu_id());
    arch_console_write(line, (usize)length);
    if (frame != NULL) arch_print_frame(frame);
    arch_backtrace(frame);
    arch_park();
}

noreturn void panic(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    stop(NULL, format, arguments);
}

noreturn void panic_with_frame(const struct trap_frame *frame, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    stop(frame, format, arguments);
}
