/* System calls: Linux's semantics on both architectures, each with its own numbers.
 *
 * A call takes its six raw arguments and returns a value, or -errno ("errno.h"). The table from number to
 * function is the architecture's (arch/<a>/syscall_table.c); a number that is not in it is -ENOSYS. What one
 * table lacks is what that port has not reached.
 *
 * A call that a signal interrupts returns -EINTR (what wait_on gives). It is then started again if no handler ran,
 * or the handler has SA_RESTART and the call is none of those that Linux never restarts (process/syscall.c).
 */
#pragma once

#include "types.h"

typedef i64 (*syscall_function)(const u64 argument[6]);

#define SYSCALL(name) i64 sys_##name(const u64 argument[6])

extern const syscall_function syscall_table[];
extern const usize syscall_table_size;

/* process/ */
SYSCALL(brk);
SYSCALL(clock_getres);
SYSCALL(clock_gettime);
SYSCALL(clock_nanosleep);
SYSCALL(clone);
SYSCALL(execve);
SYSCALL(exit);
SYSCALL(exit_group);
SYSCALL(getegid);
SYSCALL(geteuid);
SYSCALL(getgid);
SYSCALL(getgroups);
SYSCALL(getitimer);
SYSCALL(getpgid);
SYSCALL(getpid);
SYSCALL(getppid);
SYSCALL(getrandom);
SYSCALL(getresgid);
SYSCALL(getresuid);
SYSCALL(getrlimit);
SYSCALL(getrusage);
SYSCALL(getsid);
SYSCALL(gettid);
SYSCALL(gettimeofday);
SYSCALL(getuid);
SYSCALL(kill);
SYSCALL(madvise);
SYSCALL(mmap);
SYSCALL(mprotect);
SYSCALL(munmap);
SYSCALL(nanosleep);
SYSCALL(prctl);
SYSCALL(prlimit64);
SYSCALL(reboot);
SYSCALL(rt_sigaction);
SYSCALL(rt_sigpending);
SYSCALL(rt_sigprocmask);
SYSCALL(rt_sigreturn);
SYSCALL(rt_sigsuspend);
SYSCALL(rt_sigtimedwait);
SYSCALL(sched_getaffinity);
SYSCALL(sched_yield);
SYSCALL(set_robust_list);
SYSCALL(set_tid_address);
SYSCALL(setgid);
SYSCALL(setitimer);
SYSCALL(setgroups);
SYSCALL(setpgid);
SYSCALL(setresgid);
SYSCALL(setresuid);
SYSCALL(setrlimit);
SYSCALL(setsid);
SYSCALL(setuid);
SYSCALL(sigaltstack);
SYSCALL(sysinfo);
SYSCALL(tgkill);
SYSCALL(times);
SYSCALL(tkill);
SYSCALL(uname);
SYSCALL(wait4);
SYSCALL(waitid);

/* x86-64's own */
SYSCALL(arch_prctl);
SYSCALL(fork);
SYSCALL(vfork);

/* fs/ */
SYSCALL(chdir);
SYSCALL(close);
SYSCALL(dup);
SYSCALL(dup3);
SYSCALL(faccessat);
SYSCALL(fallocate);
SYSCALL(fchdir);
SYSCALL(fchmod);
SYSCALL(fchmodat);
SYSCALL(fchownat);
SYSCALL(fcntl);
SYSCALL(fstat);
SYSCALL(fsync);
SYSCALL(ftruncate);
SYSCALL(getcwd);
SYSCALL(getdents64);
SYSCALL(ioctl);
SYSCALL(linkat);
SYSCALL(lseek);
SYSCALL(mkdirat);
SYSCALL(mknodat);
SYSCALL(newfstatat);
SYSCALL(openat);
SYSCALL(pipe2);
SYSCALL(ppoll);
SYSCALL(pread64);
SYSCALL(pselect6);
SYSCALL(pwrite64);
SYSCALL(read);
SYSCALL(readlinkat);
SYSCALL(readv);
SYSCALL(renameat);
SYSCALL(renameat2);
SYSCALL(statfs);
SYSCALL(symlinkat);
SYSCALL(sync);
SYSCALL(truncate);
SYSCALL(umask);
SYSCALL(unlinkat);
SYSCALL(utimensat);
SYSCALL(write);
SYSCALL(writev);

/* net/ */
SYSCALL(accept4);
SYSCALL(bind);
SYSCALL(connect);
SYSCALL(getpeername);
SYSCALL(getsockname);
SYSCALL(getsockopt);
SYSCALL(listen);
SYSCALL(recvfrom);
SYSCALL(recvmsg);
SYSCALL(sendmsg);
SYSCALL(sendto);
SYSCALL(setsockopt);
SYSCALL(shutdown);
SYSCALL(socket);
SYSCALL(socketpair);
