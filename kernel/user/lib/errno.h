/* Error numbers, the same on both architectures. */
#pragma once

#define FOR_EACH_ERRNO(entry) \
    entry(EPERM, 1) entry(ENOENT, 2) entry(ESRCH, 3) entry(EINTR, 4) entry(EIO, 5) entry(ENXIO, 6) \
    entry(E2BIG, 7) entry(ENOEXEC, 8) entry(EBADF, 9) entry(ECHILD, 10) entry(EAGAIN, 11) entry(ENOMEM, 12) \
    entry(EACCES, 13) entry(EFAULT, 14) entry(EBUSY, 16) entry(EEXIST, 17) entry(EXDEV, 18) entry(ENODEV, 19) \
    entry(ENOTDIR, 20) entry(EISDIR, 21) entry(EINVAL, 22) entry(ENFILE, 23) entry(EMFILE, 24) entry(ENOTTY, 25) \
    entry(ETXTBSY, 26) entry(EFBIG, 27) entry(ENOSPC, 28) entry(ESPIPE, 29) entry(EROFS, 30) entry(EMLINK, 31) \
    entry(EPIPE, 32) entry(EDOM, 33) entry(ERANGE, 34) entry(EDEADLK, 35) entry(ENAMETOOLONG, 36) \
    entry(ENOLCK, 37) entry(ENOSYS, 38) entry(ENOTEMPTY, 39) entry(ELOOP, 40) entry(EOVERFLOW, 75) \
    entry(ENOTSOCK, 88) entry(EDESTADDRREQ, 89) entry(EMSGSIZE, 90) entry(EPROTOTYPE, 91) \
    entry(ENOPROTOOPT, 92) entry(EPROTONOSUPPORT, 93) entry(EOPNOTSUPP, 95) entry(EAFNOSUPPORT, 97) \
    entry(EADDRINUSE, 98) entry(EADDRNOTAVAIL, 99) entry(ENETUNREACH, 101) entry(ECONNABORTED, 103) \
    entry(ECONNRESET, 104) entry(ENOBUFS, 105) entry(EISCONN, 106) entry(ENOTCONN, 107) entry(ETIMEDOUT, 110) \
    entry(ECONNREFUSED, 111) entry(EHOSTUNREACH, 113) entry(EALREADY, 114) entry(EINPROGRESS, 115)

#define ERRNO_CONSTANT(name, number) name = number,
enum { FOR_EACH_ERRNO(ERRNO_CONSTANT) };
#undef ERRNO_CONSTANT

extern int errno;

const char *errno_name(int number); /* "ENOENT"; "?" for one that is not in the list */
