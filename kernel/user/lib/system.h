/* System calls under their POSIX names: -1 and errno on failure. Only calls that aarch64's table has are used,
 * on both architectures: open is openat, fork is clone, dup2 is dup3, pause is ppoll. */
#pragma once

#include "abi.h"
#include "errno.h"

/* Processes: system_process.c */
pid_t fork(void);
pid_t getpid(void);
pid_t getppid(void);
uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);
int setresuid(uid_t real, uid_t effective, uid_t saved);
int setresgid(gid_t real, gid_t effective, gid_t saved);
int setgroups(size_t count, const gid_t *groups);
int execve(const char *path, char *const argv[], char *const envp[]);
int execv(const char *path, char *const argv[]);  /* with this program's environment */
int execvp(const char *name, char *const argv[]); /* searches $PATH, or /bin, unless there is a slash */
pid_t wait4(pid_t pid, int *status, int options, void *usage);
pid_t waitpid(pid_t pid, int *status, int options);
pid_t wait(int *status);
__attribute__((noreturn)) void _exit(int status);
int setpgid(pid_t pid, pid_t group);
pid_t getpgid(pid_t pid);
pid_t getpgrp(void);
pid_t setsid(void);
pid_t getsid(pid_t pid);
int sched_yield(void);
int getrlimit(int resource, struct rlimit *limit);
int setrlimit(int resource, const struct rlimit *limit);
int uname(struct utsname *name);
int sysinfo(struct sysinfo *info);
int reboot(unsigned command, const char *argument);

void *sbrk(long change);
int brk(void *end);
void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int munmap(void *address, size_t size);
int mprotect(void *address, size_t size, int protection);

/* Signals and time: system_signal.c */
int kill(pid_t pid, int signal);
int raise(int signal);
int sigaction(int signal, const struct sigaction *action, struct sigaction *old);
int handle_signal(int signal, signal_handler handler, unsigned long flags); /* sigaction with an empty mask */
int sigprocmask(int how, const sigset_t *set, sigset_t *old);
int sigpending(sigset_t *set);
int sigsuspend(const sigset_t *mask);
int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);
static inline sigset_t signal_bit(int signal) { return 1ul << (signal - 1); }
int pause(void);
unsigned alarm(unsigned seconds);
int setitimer(int which, const struct itimerval *value, struct itimerval *old);
int getitimer(int which, struct itimerval *value);
int nanosleep(const struct timespec *duration, struct timespec *remaining);
int clock_nanosleep(int clock, int flags, const struct timespec *time, struct timespec *remaining); /* an errno */
int clock_gettime(int clock, struct timespec *time);
int clock_getres(int clock, struct timespec *resolution);
int gettimeofday(struct timeval *time, void *zone);
int ppoll(struct pollfd *polled, unsigned long count, const struct timespec *timeout, const sigset_t *mask);
int poll(struct pollfd *polled, unsigned long count, int milliseconds); /* -1: without end */

/* Files: system_file.c */
int open(const char *path, int flags, ...);
int openat(int directory, const char *path, int flags, ...);
int close(int fd);
ssize_t read(int fd, void *buffer, size_t size);
ssize_t write(int fd, const void *buffer, size_t size);
ssize_t pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset);
ssize_t readv(int fd, const struct iovec *vector, int count);
ssize_t writev(int fd, const struct iovec *vector, int count);
off_t lseek(int fd, off_t offset, int whence);
int dup(int fd);
int dup2(int from, int to);
int dup3(int from, int to, int flags);
int fcntl(int fd, int command, ...);
int ioctl(int fd, unsigned long request, ...);
int pipe(int fds[2]);
int pipe2(int fds[2], int flags);
int stat(const char *path, struct stat *result);
int lstat(const char *path, struct stat *result);
int fstat(int fd, struct stat *result);
int statfs(const char *path, struct statfs *result);
int access(const char *path, int mode);
int chmod(const char *path, mode_t mode);
int fchmod(int fd, mode_t mode);
int chown(const char *path, uid_t owner, gid_t group);
mode_t umask(mode_t mask);
int mkdir(const char *path, mode_t mode);
int mkfifo(const char *path, mode_t mode);
int unlink(const char *path);
int rmdir(const char *path);
int link(const char *from, const char *to);
int symlink(const char *target, const char *path);
ssize_t readlink(const char *path, char *buffer, size_t size);
int rename(const char *from, const char *to);
int truncate(const char *path, off_t size);
int ftruncate(int fd, off_t size);
int fsync(int fd);
int utimensat(int directory, const char *path, const struct timespec times[2], int flags);
ssize_t getdents64(int fd, void *buffer, size_t size);
int chdir(const char *path);
int fchdir(int fd);
char *getcwd(char *buffer, size_t size);
int isatty(int fd);
int tcgetattr(int fd, struct termios *termios);
int tcsetattr(int fd, const struct termios *termios);
pid_t tcgetpgrp(int fd);
int tcsetpgrp(int fd, pid_t group);

/* Sockets: system_socket.c */
int socket(int domain, int type, int protocol);
int socketpair(int domain, int type, int protocol, int fds[2]);
int bind(int fd, const void *address, socklen_t size);
int listen(int fd, int backlog);
int accept(int fd, void *address, socklen_t *size);
int accept4(int fd, void *address, socklen_t *size, int flags);
int connect(int fd, const void *address, socklen_t size);
int getsockname(int fd, void *address, socklen_t *size);
int getpeername(int fd, void *address, socklen_t *size);
ssize_t send(int fd, const void *buffer, size_t size, int flags);
ssize_t recv(int fd, void *buffer, size_t size, int flags);
ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const void *address, socklen_t address_size);
ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, void *address, socklen_t *address_size);
int setsockopt(int fd, int level, int option, const void *value, socklen_t size);
int getsockopt(int fd, int level, int option, void *value, socklen_t *size);
int shutdown(int fd, int how);
