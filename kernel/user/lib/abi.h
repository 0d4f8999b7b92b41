/* Linux's ABI as both architectures share it: constants and structures that cross the system-call border. */
#pragma once

#include "arch.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;
typedef int pid_t;
typedef uint32_t mode_t;
typedef uint32_t uid_t;
typedef uint32_t gid_t;
typedef int64_t off_t;

/* Files (asm-generic/fcntl.h, linux/stat.h). */
#define O_RDONLY   0
#define O_WRONLY   1
#define O_RDWR     2
#define O_ACCMODE  3
#define O_CREAT    0100
#define O_EXCL     0200
#define O_NOCTTY   0400
#define O_TRUNC    01000
#define O_APPEND   02000
#define O_NONBLOCK 04000
#define O_CLOEXEC  02000000

#define AT_FDCWD            -100
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_REMOVEDIR        0x200
#define AT_SYMLINK_FOLLOW   0x400

#define F_DUPFD         0
#define F_GETFD         1
#define F_SETFD         2
#define F_GETFL         3
#define F_SETFL         4
#define F_DUPFD_CLOEXEC 1030
#define FD_CLOEXEC      1

#define R_OK 4
#define W_OK 2
#define X_OK 1
#define F_OK 0

#define S_IFMT     0170000
#define S_IFSOCK   0140000
#define S_IFLNK    0120000
#define S_IFREG    0100000
#define S_IFBLK    0060000
#define S_IFDIR    0040000
#define S_IFCHR    0020000
#define S_IFIFO    0010000
#define S_ISREG(m) (((m) & S_IFMT) == S_IFREG)
#define S_ISDIR(m) (((m) & S_IFMT) == S_IFDIR)
#define S_ISCHR(m) (((m) & S_IFMT) == S_IFCHR)

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe

#define PIPE_BUF 4096
#define PATH_MAX 4096

struct dirent64 {
    uint64_t d_ino;
    int64_t d_off;
    uint16_t d_reclen;
    uint8_t d_type;
    char d_name[];
};
#define DT_FIFO 1
#define DT_CHR  2
#define DT_DIR  4
#define DT_REG  8
#define DT_LNK  10

struct statfs {
    int64_t f_type;
    int64_t f_bsize;
    uint64_t f_blocks, f_bfree, f_bavail;
    uint64_t f_files, f_ffree;
    int32_t f_fsid[2];
    int64_t f_namelen, f_frsize, f_flags;
    int64_t spare[4];
};

struct iovec {
    void *iov_base;
    size_t iov_len;
};

/* Time. */
struct timespec {
    int64_t tv_sec;
    int64_t tv_nsec;
};
struct timeval {
    int64_t tv_sec;
    int64_t tv_usec;
};
struct itimerval {
    struct timeval it_interval;
    struct timeval it_value;
};
#define CLOCK_REALTIME           0
#define CLOCK_MONOTONIC          1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define TIMER_ABSTIME            1
#define ITIMER_REAL              0
#define ITIMER_VIRTUAL           1

/* Polling. */
struct pollfd {
    int fd;
    short events;
    short revents;
};
#define POLLIN   0x001
#define POLLOUT  0x004
#define POLLERR  0x008
#define POLLHUP  0x010
#define POLLNVAL 0x020

/* Signals. Sets are of 64 bits: signal n is bit n - 1. */
typedef uint64_t sigset_t;
typedef void (*signal_handler)(int signal);

#define SIGHUP   1
#define SIGINT   2
#define SIGQUIT  3
#define SIGILL   4
#define SIGTRAP  5
#define SIGABRT  6
#define SIGBUS   7
#define SIGFPE   8
#define SIGKILL  9
#define SIGUSR1  10
#define SIGSEGV  11
#define SIGUSR2  12
#define SIGPIPE  13
#define SIGALRM  14
#define SIGTERM  15
#define SIGCHLD  17
#define SIGCONT  18
#define SIGSTOP  19
#define SIGTSTP  20
#define SIGTTIN  21
#define SIGTTOU  22
#define SIGURG   23
#define SIGWINCH 28

#define SIG_DFL ((signal_handler)0)
#define SIG_IGN ((signal_handler)1)

#define SA_NOCLDSTOP 0x00000001
#define SA_NOCLDWAIT 0x00000002
#define SA_SIGINFO   0x00000004
#define SA_RESTORER  0x04000000
#define SA_RESTART   0x10000000
#define SA_NODEFER   0x40000000
#define SA_RESETHAND 0x80000000

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

/* The beginning of siginfo_t (128 bytes): what kill and SIGCHLD, or a fault, fill in. */
typedef struct {
    int si_signo;
    int si_errno;
    int si_code;
    int padding;
    union {
        struct {
            pid_t si_pid;
            uid_t si_uid;
            int si_status;
        };
        void *si_addr;
        uint8_t size[112];
    };
} siginfo_t;
#define SI_USER       0
#define SEGV_MAPERR   1
#define SEGV_ACCERR   2
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

struct sigaction {
    union {
        signal_handler sa_handler;
        void (*sa_sigaction)(int signal, siginfo_t *info, void *context);
    };
    unsigned long sa_flags;
    void (*sa_restorer)(void);
    sigset_t sa_mask;
};

/* Processes. */
#define WNOHANG         1
#define WUNTRACED       2
#define WCONTINUED      8
#define WIFEXITED(s)    (((s) & 0x7f) == 0)
#define WEXITSTATUS(s)  (((s) >> 8) & 0xff)
#define WIFSIGNALED(s)  ((((s) & 0x7f) + 1) >> 1 > 0 && ((s) & 0x7f) != 0x7f)
#define WTERMSIG(s)     ((s) & 0x7f)
#define WIFSTOPPED(s)   (((s) & 0xff) == 0x7f)
#define WSTOPSIG(s)     (((s) >> 8) & 0xff)
#define WIFCONTINUED(s) ((s) == 0xffff)

struct rlimit {
    uint64_t rlim_cur, rlim_max;
};
#define RLIMIT_NOFILE 7
#define RLIMIT_AS     9

struct sysinfo {
    int64_t uptime;
    uint64_t loads[3];
    uint64_t totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    uint16_t procs, padding;
    uint64_t totalhigh, freehigh;
    uint32_t mem_unit;
};

struct utsname {
    char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

#define REBOOT_MAGIC_1   0xfee1dead
#define REBOOT_MAGIC_2   672274793
#define REBOOT_POWER_OFF 0x4321fedc
#define REBOOT_RESTART_2 0xa1b2c3d4

/* Memory. */
#define PROT_NONE     0
#define PROT_READ     1
#define PROT_WRITE    2
#define PROT_EXEC     4
#define MAP_SHARED    1
#define MAP_PRIVATE   2
#define MAP_FIXED     0x10
#define MAP_ANONYMOUS 0x20
#define MAP_FAILED    ((void *)-1)
#define PAGE_SIZE     4096

/* Terminals. */
struct termios {
    uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_line;
    uint8_t c_cc[19];
};
struct winsize {
    uint16_t ws_row, ws_col, ws_xpixel, ws_ypixel;
};
#define VINTR   0
#define VQUIT   1
#define VERASE  2
#define VKILL   3
#define VEOF    4
#define VTIME   5
#define VMIN    6
#define VSUSP   10
#define ICRNL   0000400
#define OPOST   0000001
#define ONLCR   0000004
#define ISIG    0000001
#define ICANON  0000002
#define ECHO    0000010
#define ECHOE   0000020
#define ECHOK   0000040
#define TOSTOP  0000400
#define ECHOCTL 0001000

#define TCGETS     0x5401
#define TCSETS     0x5402
#define TCSETSF    0x5404
#define TIOCSCTTY  0x540e
#define TIOCGPGRP  0x540f
#define TIOCSPGRP  0x5410
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define FIONREAD   0x541b
#define TIOCNOTTY  0x5422
#define TIOCGSID   0x5429
#define TIOCGPTN   0x80045430
#define TIOCSPTLCK 0x40045431

/* Sockets. Ports and addresses are big-endian. */
#define AF_UNIX         1
#define AF_INET         2
#define SOCK_STREAM     1
#define SOCK_DGRAM      2
#define SOCK_CLOEXEC    O_CLOEXEC
#define SOCK_NONBLOCK   O_NONBLOCK
#define SOL_SOCKET      1
#define SO_REUSEADDR    2
#define SO_TYPE         3
#define SO_ERROR        4
#define SO_RCVTIMEO     20
#define SHUT_RD         0
#define SHUT_WR         1
#define SHUT_RDWR       2
#define MSG_PEEK        0x02
#define MSG_TRUNC       0x20
#define MSG_DONTWAIT    0x40
#define MSG_NOSIGNAL    0x4000
#define INADDR_ANY      0u
#define INADDR_LOOPBACK 0x7f000001u

struct sockaddr_in {
    uint16_t sin_family;
    uint16_t sin_port;
    uint32_t sin_addr;
    uint8_t sin_zero[8];
};
struct sockaddr_un {
    uint16_t sun_family;
    char sun_path[108];
};
typedef uint32_t socklen_t;

static inline uint16_t htons(uint16_t value) { return __builtin_bswap16(value); }
static inline uint16_t ntohs(uint16_t value) { return __builtin_bswap16(value); }
static inline uint32_t htonl(uint32_t value) { return __builtin_bswap32(value); }
static inline uint32_t ntohl(uint32_t value) { return __builtin_bswap32(value); }
