/* Temporary: what fs/ and net/ will supply. */
#include "errno.h"
#include "file.h"
#include "kernel.h"
#include "process.h"
#include "syscall.h"

#define WEAK __attribute__((weak))
WEAK SYSCALL(chdir) { return -ENOSYS; }
WEAK SYSCALL(close) { return -ENOSYS; }
WEAK SYSCALL(dup) { return -ENOSYS; }
WEAK SYSCALL(dup3) { return -ENOSYS; }
WEAK SYSCALL(faccessat) { return -ENOSYS; }
WEAK SYSCALL(fchdir) { return -ENOSYS; }
WEAK SYSCALL(fchmod) { return -ENOSYS; }
WEAK SYSCALL(fchmodat) { return -ENOSYS; }
WEAK SYSCALL(fchownat) { return -ENOSYS; }
WEAK SYSCALL(fcntl) { return -ENOSYS; }
WEAK SYSCALL(fstat) { return -ENOSYS; }
WEAK SYSCALL(fsync) { return -ENOSYS; }
WEAK SYSCALL(ftruncate) { return -ENOSYS; }
WEAK SYSCALL(getcwd) { return -ENOSYS; }
WEAK SYSCALL(getdents64) { return -ENOSYS; }
WEAK SYSCALL(ioctl) { return -ENOSYS; }
WEAK SYSCALL(linkat) { return -ENOSYS; }
WEAK SYSCALL(lseek) { return -ENOSYS; }
WEAK SYSCALL(mkdirat) { return -ENOSYS; }
WEAK SYSCALL(mknodat) { return -ENOSYS; }
WEAK SYSCALL(newfstatat) { return -ENOSYS; }
WEAK SYSCALL(openat) { return -ENOSYS; }
WEAK SYSCALL(pipe2) { return -ENOSYS; }
WEAK SYSCALL(ppoll) { return -ENOSYS; }
WEAK SYSCALL(pread64) { return -ENOSYS; }
WEAK SYSCALL(pselect6) { return -ENOSYS; }
WEAK SYSCALL(pwrite64) { return -ENOSYS; }
WEAK SYSCALL(read) { return -ENOSYS; }
WEAK SYSCALL(readlinkat) { return -ENOSYS; }
WEAK SYSCALL(readv) { return -ENOSYS; }
WEAK SYSCALL(renameat) { return -ENOSYS; }
WEAK SYSCALL(renameat2) { return -ENOSYS; }
WEAK SYSCALL(statfs) { return -ENOSYS; }
WEAK SYSCALL(symlinkat) { return -ENOSYS; }
WEAK SYSCALL(sync) { return -ENOSYS; }
WEAK SYSCALL(truncate) { return -ENOSYS; }
WEAK SYSCALL(umask) { return -ENOSYS; }
WEAK SYSCALL(unlinkat) { return -ENOSYS; }
WEAK SYSCALL(utimensat) { return -ENOSYS; }
WEAK SYSCALL(write) { return -ENOSYS; }
WEAK SYSCALL(writev) { return -ENOSYS; }
WEAK SYSCALL(accept4) { return -ENOSYS; }
WEAK SYSCALL(bind) { return -ENOSYS; }
WEAK SYSCALL(connect) { return -ENOSYS; }
WEAK SYSCALL(getpeername) { return -ENOSYS; }
WEAK SYSCALL(getsockname) { return -ENOSYS; }
WEAK SYSCALL(getsockopt) { return -ENOSYS; }
WEAK SYSCALL(listen) { return -ENOSYS; }
WEAK SYSCALL(recvfrom) { return -ENOSYS; }
WEAK SYSCALL(recvmsg) { return -ENOSYS; }
WEAK SYSCALL(sendmsg) { return -ENOSYS; }
WEAK SYSCALL(sendto) { return -ENOSYS; }
WEAK SYSCALL(setsockopt) { return -ENOSYS; }
WEAK SYSCALL(shutdown) { return -ENOSYS; }
WEAK SYSCALL(socket) { return -ENOSYS; }
WEAK SYSCALL(socketpair) { return -ENOSYS; }
WEAK void console_receive(char byte) {}
WEAK void vfs_init(void) {}
WEAK void vfs_unpack_initrd(const void *archive, usize size) {}
WEAK struct inode *vfs_root(void) { return NULL; }
WEAK struct inode *inode_get(struct inode *inode) { return inode; }
WEAK void inode_put(struct inode *inode) {}
WEAK u64 inode_size(const struct inode *inode) { return 0; }
WEAK bool inode_executable(const struct inode *inode) { return true; }
WEAK isize inode_read_kernel(struct inode *inode, void *to, usize size, u64 offset) { return 0; }
WEAK int file_load(struct inode *cwd, const char *path, struct inode **inode) { return -ENOENT; }
WEAK struct file *file_get(struct file_table *table, int fd) { return NULL; }
WEAK void file_put(struct file *file) {}
WEAK struct file_table *file_table_create(void) { return (void *)1; }
WEAK struct file_table *file_table_copy(struct file_table *from) { return from; }
WEAK void file_table_close_on_exec(struct file_table *table) {}
WEAK void file_table_destroy(struct file_table *table) {}
