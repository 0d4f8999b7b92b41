/* The socket calls. */
#include "errno.h"
#include "syscall.h"

SYSCALL(socket) { return -EAFNOSUPPORT; }
SYSCALL(socketpair) { return -EAFNOSUPPORT; }
SYSCALL(bind) { return -ENOTSOCK; }
SYSCALL(listen) { return -ENOTSOCK; }
SYSCALL(accept4) { return -ENOTSOCK; }
SYSCALL(connect) { return -ENOTSOCK; }
SYSCALL(getsockname) { return -ENOTSOCK; }
SYSCALL(getpeername) { return -ENOTSOCK; }
SYSCALL(sendto) { return -ENOTSOCK; }
SYSCALL(recvfrom) { return -ENOTSOCK; }
SYSCALL(sendmsg) { return -ENOTSOCK; }
SYSCALL(recvmsg) { return -ENOTSOCK; }
SYSCALL(shutdown) { return -ENOTSOCK; }
SYSCALL(setsockopt) { return -ENOTSOCK; }
SYSCALL(getsockopt) { return -ENOTSOCK; }
