/* execve: a new program in an old process. */
#include "arch.h"
#include "defect.h"
#include "elf.h"
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "private.h"
#include "process.h"
#include "scheduler.h"
#include "syscall.h"
#include "trace.h"

#define STRINGS_SIZE (32 * PAGE_SIZE)
#define MAX_PATH     4096

/* argv and envp, kept while the old space goes: all strings one after the other, each with its zero. */
struct exec_strings {
    char *bytes;
    usize used;
    unsigned argument_count, environment_count;
};

static int add_string(struct exec_strings *strings, const char *text) {
    usize size = strlen(text) + 1;
    if (strings->used + size > STRINGS_SIZE) return -E2BIG;
    memcpy(strings->bytes + strings->used, text, size);
    strings->used += size;
    return 0;
}

static int add_user_strings(struct exec_strings *strings, vaddr array, unsigned *count) {
    for (*count = 0; array != 0; (*count)++, array += sizeof(vaddr)) {
        vaddr text;
        if (copy_from_user(&text, array, sizeof(text)) != 0) return -EFAULT;
        if (text == 0) break;
        usize room = STRINGS_SIZE - strings->used;
        isize length = string_from_user(strings->bytes + strings->used, text, room);
        if (length < 0) return length == -ENAMETOOLONG ? -E2BIG : (int)length;
        strings->used += (usize)length + 1;
    }
    return 0;
}

/* Pointers to `count` strings that follow each other from `at`, then a zero; returns where the strings end. */
static vaddr add_pointers(u64 **word, const struct exec_strings *strings, vaddr at, vaddr strings_at, unsigned count) {
    for (; count > 0; count--) {
        *(*word)++ = at;
        at += strlen(strings->bytes + (at - strings_at)) + 1;
    }
    *(*word)++ = 0;
    return at;
}

/* The initial stack as the ABI has it: argc, argv[], 0, envp[], 0, the auxiliary vector; the strings above. The
 * first string is the path (AT_EXECFN); argv and envp follow it. Returns the stack pointer, or 0. */
static vaddr build_stack(const struct exec_strings *strings, const struct elf_image *image) {
    vaddr strings_at = (USER_STACK_TOP - 64 - strings->used) & ~15ul;
    vaddr random_at = strings_at - 16;
    u64 random[2] = { random_word(), random_word() };
    const u64 auxiliary[] = {
        AT_PHDR,   image->headers_at,
        AT_PHENT,  sizeof(struct elf_program_header),
        AT_PHNUM,  image->header_count,
        AT_PAGESZ, PAGE_SIZE,
        AT_BASE,   0,
        AT_FLAGS,  0,
        AT_ENTRY,  image->entry,
        AT_UID,    0,
        AT_EUID,   0,
        AT_GID,    0,
        AT_EGID,   0,
        AT_SECURE, 0,
        AT_CLKTCK, 100,
        AT_HWCAP,  arch_hardware_capabilities(),
        AT_RANDOM, random_at,
        AT_EXECFN, strings_at,
        AT_NULL,   0,
    };
    usize size = (3ul + strings->argument_count + strings->environment_count) * 8 + sizeof(auxiliary);
    vaddr sp = (random_at - size) & ~15ul;
    u64 *words = kmalloc(size), *word = words;
    if (words == NULL) return 0;
    *word++ = strings->argument_count;
    vaddr at = strings_at + strlen(strings->bytes) + 1;
    at = add_pointers(&word, strings, at, strings_at, strings->argument_count);
    add_pointers(&word, strings, at, strings_at, strings->environment_count);
    memcpy(word, auxiliary, sizeof(auxiliary));
    int error = copy_to_user(strings_at, strings->bytes, strings->used);
    if (error == 0) error = copy_to_user(random_at, random, sizeof(random));
    if (error == 0) error = copy_to_user(sp, words, size);
    kfree(words);
    return error == 0 ? sp : 0;
}

static int map_stack(struct space *space) {
    struct area stack = { .start = USER_STACK_TOP - USER_STACK_SIZE,
                          .end = USER_STACK_TOP,
                          .protection = PAGE_READ | PAGE_WRITE };
    return space_map(space, &stack);
}

/* Where an architecture's handlers return to when they bring no restorer. */
static int map_trampoline(struct space *space) {
    struct area area = { .start = USER_TRAMPOLINE,
                         .end = USER_TRAMPOLINE + PAGE_SIZE,
                         .protection = PAGE_READ | PAGE_EXECUTE };
    if (USER_TRAMPOLINE == 0) return 0;
    if (space_map(space, &area) != 0) return -ENOMEM;
    void *page = page_alloc();
    if (page == NULL) return -ENOMEM;
    arch_trampoline_fill(page);
    arch_instruction_sync(page);
    int error = arch_map(space->root, area.start, virt_to_phys(page), area.protection);
    if (error != 0) page_put(page);
    return error;
}

static int load_program(struct process *process, const char *path, struct elf_image *image) {
    struct inode *inode;
    int error = file_load(process->cwd, path, &inode);
    if (error != 0) return error;
    image->space = NULL;
    error = -EACCES;
    if (inode_executable(inode)) {
        image->space = space_create();
        error = image->space == NULL ? -ENOMEM : elf_map(inode, image);
        if (error == 0) error = map_stack(image->space);
        if (error == 0) error = map_trampoline(image->space);
        if (error != 0 && image->space != NULL) space_put(image->space);
    }
    inode_put(inode);
    return error;
}

static void set_name(struct process *process, const char *path) {
    const char *name = path;
    for (const char *cursor = path; *cursor != 0; cursor++) {
        if (*cursor == '/' && cursor[1] != 0) name = cursor + 1;
    }
    string_copy(process->name, name, sizeof(process->name));
}

/* No way back from here: the old space is left, and the caller's program with it. */
static void enter_image(struct process *process, struct elf_image *image) {
    struct space *old = process->private->space;
    u64 interrupts = spin_lock(&process_lock);
    process->private->space = image->space;
    process->space = image->space->root;
    arch_space_switch(process->space);
    process->private->execed = true;
    process->private->clear_child_tid = 0;
    signal_reset_for_exec(process);
    process_end_vfork(process);
    spin_unlock(&process_lock, interrupts);
    space_put(old);
    file_table_close_on_exec(process->files);
    arch_thread_reset_user(process->thread);
}

static int exec_with_strings(struct trap_frame *frame, const char *path, const struct exec_strings *strings) {
    struct process *process = current_process();
    struct elf_image image;
    trace(TRACE_EXEC_ENTRY, process->pid);
    int error = load_program(process, path, &image);
    if (error == 0) {
        enter_image(process, &image);
        set_name(process, path);
        vaddr sp = build_stack(strings, &image);
        if (sp == 0)
            error = -EFAULT; /* the new program has no stack to run on */
        else
            arch_frame_init_user(frame, image.entry, sp);
    }
    trace(TRACE_EXEC_EXIT, error == 0 ? process->pid : 0);
    if (error == 0) trace_count(&EXEC_TOTAL);
    if (error == 0) defect_at(DEFECT_AT_EXEC, frame);
    return error;
}

SYSCALL(execve) {
    struct exec_strings strings = { .bytes = kmalloc(STRINGS_SIZE) };
    char *path = kmalloc(MAX_PATH);
    struct process *process = current_process();
    struct space *before = process->private->space;
    i64 result = -ENOMEM;
    if (strings.bytes != NULL && path != NULL) {
        isize length = string_from_user(path, argument[0], MAX_PATH);
        result = length < 0 ? length : length == 0 ? -ENOENT : add_string(&strings, path);
        if (result == 0) result = add_user_strings(&strings, argument[1], &strings.argument_count);
        if (result == 0) result = add_user_strings(&strings, argument[2], &strings.environment_count);
        if (result == 0) result = exec_with_strings(arch_user_frame(current_thread()), path, &strings);
    }
    kfree(strings.bytes);
    kfree(path);
    if (result != 0 && process->private->space != before) process_exit(SIGKILL);
    return result;
}

/* The kernel command line's words: key=value into the environment, others are arguments. */
static void add_command_line(struct exec_strings *strings, bool environment, unsigned *count) {
    char word[256];
    for (const char *cursor = arch_command_line(); *cursor != 0;) {
        const char *end = cursor;
        bool assignment = false;
        for (; *end != 0 && *end != ' '; end++) assignment |= *end == '=';
        usize length = (usize)(end - cursor);
        if (length > 0 && length < sizeof(word) && assignment == environment) {
            memcpy(word, cursor, length);
            word[length] = 0;
            if (add_string(strings, word) == 0) (*count)++;
        }
        cursor = *end == ' ' ? end + 1 : end;
    }
}

noreturn void process_run_init(void *unused) {
    struct trap_frame frame;
    struct exec_strings strings = { .bytes = kmalloc(STRINGS_SIZE), .argument_count = 1 };
    if (strings.bytes == NULL) panic("no memory for init");
    file_open_console(current_process()->files);
    add_string(&strings, "/bin/init"); /* AT_EXECFN */
    add_string(&strings, "/bin/init");
    add_command_line(&strings, false, &strings.argument_count);
    add_string(&strings, "PATH=/bin");
    strings.environment_count = 1;
    add_command_line(&strings, true, &strings.environment_count);
    int error = exec_with_strings(&frame, "/bin/init", &strings);
    if (error != 0) panic("cannot run /bin/init: error %d", -error);
    kfree(strings.bytes);
    trace(TRACE_TO_USER, current_thread()->tid);
    arch_enter_user(&frame);
}
