#include "system_call.h"
#include <stdarg.h>

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return (int)system_call(SYS_openat, AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return (int)system_call(SYS_openat, directory, path, flags, mode);
}

int close(int fd) { return (int)system_call(SYS_close, fd); }
ssize_t read(int fd, void *buffer, size_t size) { return system_call(SYS_read, fd, buffer, size); }
ssize_t write(int fd, const void *buffer, size_t size) { return system_call(SYS_write, fd, buffer, size); }
ssize_t pread(int fd, void *buffer, size_t size, off_t offset) {
    return system_call(SYS_pread64, fd, buffer, size, offset);
}
ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset) {
    return system_call(SYS_pwrite64, fd, buffer, size, offset);
}
ssize_t readv(int fd, const struct iovec *vector, int count) { return system_call(SYS_readv, fd, vector, count); }
ssize_t writev(int fd, const struct iovec *vector, int count) { return system_call(SYS_writev, fd, vector, count); }
off_t lseek(int fd, off_t offset, int whence) { return system_call(SYS_lseek, fd, offset, whence); }

int dup(int fd) { return (int)system_call(SYS_dup, fd); }
int dup3(int from, int to, int flags) { return (int)system_call(SYS_dup3, from, to, flags); }

/* dup3 refuses equal descriptors where dup2 only asks whether they are open. */
int dup2(int from, int to) {
    if (from == to) return fcntl(from, F_GETFD) < 0 ? -1 : to;
    return dup3(from, to, 0);
}

int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return (int)system_call(SYS_fcntl, fd, command, argument);
}

int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return (int)system_call(SYS_ioctl, fd, request, argument);
}

int pipe(int fds[2]) { return pipe2(fds, 0); }
int pipe2(int fds[2], int flags) { return (int)system_call(SYS_pipe2, fds, flags); }

int stat(const char *path, struct stat *result) { return (int)system_call(SYS_newfstatat, AT_FDCWD, path, result, 0); }
int lstat(const char *path, struct stat *result) {
    return (int)system_call(SYS_newfstatat, AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}
int fstat(int fd, struct stat *result) { return (int)system_call(SYS_fstat, fd, result); }
int statfs(const char *path, struct statfs *result) { return (int)system_call(SYS_statfs, path, result); }
int access(const char *path, int mode) { return (int)system_call(SYS_faccessat, AT_FDCWD, path, mode); }
int chmod(const char *path, mode_t mode) { return (int)system_call(SYS_fchmodat, AT_FDCWD, path, mode); }
int fchmod(int fd, mode_t mode) { return (int)system_call(SYS_fchmod, fd, mode); }
int chown(const char *path, uid_t owner, gid_t group) {
    return (int)system_call(SYS_fchownat, AT_FDCWD, path, owner, group, 0);
}
mode_t umask(mode_t mask) { return (mode_t)system_call(SYS_umask, mask); }
int mkdir(const char *path, mode_t mode) { return (int)system_call(SYS_mkdirat, AT_FDCWD, path, mode); }
int mkfifo(const char *path, mode_t mode) { return (int)system_call(SYS_mknodat, AT_FDCWD, path, mode | S_IFIFO, 0); }
int unlink(const char *path) { return (int)system_call(SYS_unlinkat, AT_FDCWD, path, 0); }
int rmdir(const char *path) { return (int)system_call(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR); }
int link(const char *from, const char *to) { return (int)system_call(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0); }
int symlink(const char *target, const char *path) { return (int)system_call(SYS_symlinkat, target, AT_FDCWD, path); }
ssize_t readlink(const char *path, char *buffer, size_t size) {
    return system_call(SYS_readlinkat, AT_FDCWD, path, buffer, size);
}
int rename(const char *from, const char *to) { return (int)system_call(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to); }
int truncate(const char *path, off_t size) { return (int)system_call(SYS_truncate, path, size); }
int ftruncate(int fd, off_t size) { return (int)system_call(SYS_ftruncate, fd, size); }
int fsync(int fd) { return (int)system_call(SYS_fsync, fd); }
int utimensat(int directory, const char *path, const struct timespec times[2], int flags) {
    return (int)system_call(SYS_utimensat, directory, path, times, flags);
}
ssize_t getdents64(int fd, void *buffer, size_t size) { return system_call(SYS_getdents64, fd, buffer, size); }
int chdir(const char *path) { return (int)system_call(SYS_chdir, path); }
int fchdir(int fd) { return (int)system_call(SYS_fchdir, fd); }
char *getcwd(char *buffer, size_t size) { return system_call(SYS_getcwd, buffer, size) < 0 ? NULL : buffer; }

int isatty(int fd) {
    struct termios ignored;
    return tcgetattr(fd, &ignored) == 0;
}
int tcgetattr(int fd, struct termios *termios) { return ioctl(fd, TCGETS, termios); }
int tcsetattr(int fd, const struct termios *termios) { return ioctl(fd, TCSETS, termios); }
pid_t tcgetpgrp(int fd) {
    pid_t group = 0;
    return ioctl(fd, TIOCGPGRP, &group) < 0 ? -1 : group;
}
int tcsetpgrp(int fd, pid_t group) { return ioctl(fd, TIOCSPGRP, &group); }
