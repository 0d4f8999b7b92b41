/* Open files and the tables of descriptors that name them.
 *
 * Lock order: table->lock is innermost. It is never held while a file is put: the last reference may sleep.
 */
#include "file.h"

#include "errno.h"
#include "inode.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"

const struct file_operations no_operations;

struct file *file_create(const struct file_operations *operations, u32 flags) {
    struct file *file = kmalloc(sizeof(*file));
    if (file == NULL) return NULL;
    file->operations = operations;
    file->flags = flags & (O_ACCMODE | O_APPEND | O_NONBLOCK);
    file->references = 1;
    mutex_init(&file->position, "file position");
    return file;
}

static struct file *reference(struct file *file) {
    if (file != NULL) __atomic_fetch_add(&file->references, 1, __ATOMIC_RELAXED);
    return file;
}

void file_put(struct file *file) {
    if (__atomic_sub_fetch(&file->references, 1, __ATOMIC_ACQ_REL) != 0) return;
    if (file->operations->release != NULL) file->operations->release(file);
    if (file->inode != NULL) inode_put(file->inode);
    kfree(file);
}

struct file *file_get(struct file_table *table, int fd) {
    if (fd < 0 || fd >= MAX_FILES) return NULL;
    u64 interrupts = spin_lock(&table->lock);
    struct file *file = reference(table->files[fd]);
    spin_unlock(&table->lock, interrupts);
    return file;
}

/* Holds the lock. */
static void set_close_on_exec(struct file_table *table, int fd, bool set) {
    u64 bit = 1ul << (fd % 64);
    if (set)
        table->close_on_exec[fd / 64] |= bit;
    else
        table->close_on_exec[fd / 64] &= ~bit;
}

int file_descriptor_limit(void) { return (int)smaller(process_limit(LIMIT_FILES), MAX_FILES); }

int file_install(struct file_table *table, struct file *file, int lowest, bool close_on_exec) {
    int limit = file_descriptor_limit(), fd = lowest;
    u64 interrupts = spin_lock(&table->lock);
    while (fd < limit && table->files[fd] != NULL) fd++;
    if (fd < limit) {
        table->files[fd] = file;
        set_close_on_exec(table, fd, close_on_exec);
    }
    spin_unlock(&table->lock, interrupts);
    return fd < limit ? fd : -EMFILE;
}

struct file *file_replace(struct file_table *table, int fd, struct file *file, bool close_on_exec) {
    u64 interrupts = spin_lock(&table->lock);
    struct file *old = table->files[fd];
    table->files[fd] = file;
    set_close_on_exec(table, fd, close_on_exec);
    spin_unlock(&table->lock, interrupts);
    return old;
}

bool file_close_on_exec(struct file_table *table, int fd) {
    return table->close_on_exec[fd / 64] >> (fd % 64) & 1;
}

void file_set_close_on_exec(struct file_table *table, int fd, bool set) {
    u64 interrupts = spin_lock(&table->lock);
    set_close_on_exec(table, fd, set);
    spin_unlock(&table->lock, interrupts);
}

struct file_table *file_table_create(void) {
    struct file_table *table = kmalloc(sizeof(*table));
    if (table != NULL) spin_init(&table->lock, "file table");
    return table;
}

struct file_table *file_table_copy(struct file_table *from) {
    struct file_table *table = file_table_create();
    if (table == NULL) return NULL;
    u64 interrupts = spin_lock(&from->lock);
    for (int fd = 0; fd < MAX_FILES; fd++) table->files[fd] = reference(from->files[fd]);
    memcpy(table->close_on_exec, from->close_on_exec, sizeof(table->close_on_exec));
    spin_unlock(&from->lock, interrupts);
    return table;
}

static void close_one(struct file_table *table, int fd) {
    struct file *file = file_replace(table, fd, NULL, false);
    if (file != NULL) file_put(file);
}

void file_table_close_on_exec(struct file_table *table) {
    for (int fd = 0; fd < MAX_FILES; fd++) {
        if (file_close_on_exec(table, fd)) close_one(table, fd);
    }
}

void file_table_destroy(struct file_table *table) {
    for (int fd = 0; fd < MAX_FILES; fd++) close_one(table, fd);
    kfree(table);
}
