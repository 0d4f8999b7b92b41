#include "environment.h"
#include "system_call.h"
#include "text.h"

int errno;

/* Five zeros after the flags: the architectures order the arguments differently, so none may be needed. */
pid_t fork(void) { return (pid_t)system_call(SYS_clone, SIGCHLD); }

pid_t getpid(void) { return (pid_t)system_call(SYS_getpid); }
pid_t getppid(void) { return (pid_t)system_call(SYS_getppid); }
uid_t getuid(void) { return (uid_t)system_call(SYS_getuid); }
uid_t geteuid(void) { return (uid_t)system_call(SYS_geteuid); }
gid_t getgid(void) { return (gid_t)system_call(SYS_getgid); }
gid_t getegid(void) { return (gid_t)system_call(SYS_getegid); }
int setresuid(uid_t real, uid_t effective, uid_t saved) {
    return (int)system_call(SYS_setresuid, real, effective, saved);
}
int setresgid(gid_t real, gid_t effective, gid_t saved) {
    return (int)system_call(SYS_setresgid, real, effective, saved);
}
int setgroups(size_t count, const gid_t *groups) { return (int)system_call(SYS_setgroups, count, groups); }

int execve(const char *path, char *const argv[], char *const envp[]) {
    return (int)system_call(SYS_execve, path, argv, envp);
}

int execv(const char *path, char *const argv[]) { return execve(path, argv, environ); }

int execvp(const char *name, char *const argv[]) {
    char path[PATH_MAX];
    if (find_program(name, path, sizeof path) < 0) return -1;
    return execv(path, argv);
}

pid_t wait4(pid_t pid, int *status, int options, void *usage) {
    return (pid_t)system_call(SYS_wait4, pid, status, options, usage);
}
pid_t waitpid(pid_t pid, int *status, int options) { return wait4(pid, status, options, NULL); }
pid_t wait(int *status) { return wait4(-1, status, 0, NULL); }

void _exit(int status) {
    for (;;) system_call(SYS_exit_group, status);
}

int setpgid(pid_t pid, pid_t group) { return (int)system_call(SYS_setpgid, pid, group); }
pid_t getpgid(pid_t pid) { return (pid_t)system_call(SYS_getpgid, pid); }
pid_t getpgrp(void) { return getpgid(0); }
pid_t setsid(void) { return (pid_t)system_call(SYS_setsid); }
pid_t getsid(pid_t pid) { return (pid_t)system_call(SYS_getsid, pid); }
int sched_yield(void) { return (int)system_call(SYS_sched_yield); }
int getrlimit(int resource, struct rlimit *limit) { return (int)system_call(SYS_getrlimit, resource, limit); }
int setrlimit(int resource, const struct rlimit *limit) { return (int)system_call(SYS_setrlimit, resource, limit); }
int uname(struct utsname *name) { return (int)system_call(SYS_uname, name); }
int sysinfo(struct sysinfo *info) { return (int)system_call(SYS_sysinfo, info); }
int reboot(unsigned command, const char *argument) {
    return (int)system_call(SYS_reboot, REBOOT_MAGIC_1, REBOOT_MAGIC_2, command, argument);
}

/* The kernel's brk returns the break that holds now, whether it moved it or not. */
int brk(void *end) {
    if ((void *)system_call(SYS_brk, end) == end) return 0;
    errno = ENOMEM;
    return -1;
}

void *sbrk(long change) {
    char *old = (char *)system_call(SYS_brk, 0);
    if (change != 0 && brk(old + change) < 0) return MAP_FAILED;
    return old;
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
    return (void *)system_call(SYS_mmap, address, size, protection, flags, fd, offset);
}
int munmap(void *address, size_t size) { return (int)system_call(SYS_munmap, address, size); }
int mprotect(void *address, size_t size, int protection) {
    return (int)system_call(SYS_mprotect, address, size, protection);
}
