/* Linux's ABI for files and terminals: constants and structures that cross the system-call border.
 * What differs between the architectures is in arch/<a>/arch_abi.h. Sockets are in "socket.h". */
#pragma once

#include "arch_abi.h"
#include "types.h"

#define O_ACCMODE  3u
#define O_RDONLY   0u
#define O_WRONLY   1u
#define O_RDWR     2u
#define O_CREAT    0100u
#define O_EXCL     0200u
#define O_NOCTTY   0400u
#define O_TRUNC    01000u
#define O_APPEND   02000u
#define O_NONBLOCK 04000u
#define O_CLOEXEC  02000000u

#define AT_FDCWD            (-100)
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_REMOVEDIR        0x200u
#define AT_SYMLINK_FOLLOW   0x400u
#define AT_EMPTY_PATH       0x1000u

#define RENAME_NOREPLACE 1u

#define F_DUPFD         0
#define F_GETFD         1
#define F_SETFD         2
#define F_GETFL         3
#define F_SETFL         4
#define F_DUPFD_CLOEXEC 1030
#define F_SETPIPE_SZ    1031
#define F_GETPIPE_SZ    1032
#define FD_CLOEXEC      1u

#define S_IFMT   0170000u
#define S_IFSOCK 0140000u
#define S_IFLNK  0120000u
#define S_IFREG  0100000u
#define S_IFBLK  0060000u
#define S_IFDIR  0040000u
#define S_IFCHR  0020000u
#define S_IFIFO  0010000u
#define S_ISUID  04000u
#define S_ISGID  02000u
#define S_ISVTX  01000u
#define S_ISREG(mode)  (((mode) & S_IFMT) == S_IFREG)
#define S_ISDIR(mode)  (((mode) & S_IFMT) == S_IFDIR)
#define S_ISCHR(mode)  (((mode) & S_IFMT) == S_IFCHR)
#define S_ISFIFO(mode) (((mode) & S_IFMT) == S_IFIFO)
#define S_ISLNK(mode)  (((mode) & S_IFMT) == S_IFLNK)
#define S_ISSOCK(mode) (((mode) & S_IFMT) == S_IFSOCK)

#define MAY_READ    4u /* also access(2)'s R_OK, W_OK, X_OK */
#define MAY_WRITE   2u
#define MAY_EXECUTE 1u

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe

#define NAME_MAX 255
#define PATH_MAX 4096
#define PIPE_BUF 4096
#define IOV_MAX  1024

/* One directory record; the name ends with a zero, the record at a multiple of eight. */
struct directory_record { /* struct linux_dirent64 */
    u64 number;
    i64 next; /* what lseek takes to go on after this one */
    u16 length;
    u8 type; /* the mode's top four bits */
    char name[];
} __attribute__((packed));

struct statfs {
    i64 type, block_size;
    u64 blocks, blocks_free, blocks_available, files, files_free;
    i32 id[2];
    i64 name_length, fragment_size, flags, spare[4];
};
#define TMPFS_MAGIC 0x01021994

struct io_vector { /* struct iovec */
    vaddr base;
    u64 size;
};

#define POLLIN     0x001u
#define POLLPRI    0x002u
#define POLLOUT    0x004u
#define POLLERR    0x008u
#define POLLHUP    0x010u
#define POLLNVAL   0x020u
#define POLLRDNORM 0x040u
#define POLLWRNORM 0x100u
#define POLLRDHUP  0x2000u

struct poll_request { /* struct pollfd */
    i32 fd;
    u16 wanted, ready;
};

/* Terminals. */

enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSTART = 8, VSTOP, VSUSP, VEOL, VREPRINT,
       VDISCARD, VWERASE, VLNEXT, VEOL2 };
#define NCCS 19

struct termios {
    u32 input, output, control, local;
    u8 line, character[NCCS];
};

#define IGNCR   0000200u
#define ICRNL   0000400u
#define INLCR   0000100u
#define ISTRIP  0000040u
#define IXON    0002000u
#define OPOST   0000001u
#define ONLCR   0000004u
#define OCRNL   0000010u
#define B38400  0000017u
#define CS8     0000060u
#define CREAD   0000200u
#define ISIG    0000001u
#define ICANON  0000002u
#define ECHO    0000010u
#define ECHOE   0000020u
#define ECHOK   0000040u
#define ECHONL  0000100u
#define NOFLSH  0000200u
#define TOSTOP  0000400u
#define ECHOCTL 0001000u
#define ECHOKE  0004000u
#define IEXTEN  0100000u

struct window_size { /* struct winsize */
    u16 rows, columns, x_pixels, y_pixels;
};

#define TCGETS      0x5401u
#define TCSETS      0x5402u
#define TCSETSW     0x5403u
#define TCSETSF     0x5404u
#define TCSBRK      0x5409u
#define TCXONC      0x540au
#define TCFLSH      0x540bu
#define TIOCSCTTY   0x540eu
#define TIOCGPGRP   0x540fu
#define TIOCSPGRP   0x5410u
#define TIOCOUTQ    0x5411u
#define TIOCGWINSZ  0x5413u
#define TIOCSWINSZ  0x5414u
#define FIONREAD    0x541bu
#define FIONBIO     0x5421u
#define TIOCNOTTY   0x5422u
#define TIOCGSID    0x5429u
#define FIONCLEX    0x5450u
#define FIOCLEX     0x5451u
#define TIOCGPTN    0x80045430u
#define TIOCSPTLCK  0x40045431u
#define TIOCGPTLCK  0x80045439u
#define TIOCGPTPEER 0x5441u

#define TCIFLUSH  0
#define TCOFLUSH  1
#define TCIOFLUSH 2
