#include "system_call.h"

int socket(int domain, int type, int protocol) { return (int)system_call(SYS_socket, domain, type, protocol); }
int socketpair(int domain, int type, int protocol, int fds[2]) {
    return (int)system_call(SYS_socketpair, domain, type, protocol, fds);
}
int bind(int fd, const void *address, socklen_t size) { return (int)system_call(SYS_bind, fd, address, size); }
int listen(int fd, int backlog) { return (int)system_call(SYS_listen, fd, backlog); }
int accept(int fd, void *address, socklen_t *size) { return accept4(fd, address, size, 0); }
int accept4(int fd, void *address, socklen_t *size, int flags) {
    return (int)system_call(SYS_accept4, fd, address, size, flags);
}
int connect(int fd, const void *address, socklen_t size) { return (int)system_call(SYS_connect, fd, address, size); }
int getsockname(int fd, void *address, socklen_t *size) { return (int)system_call(SYS_getsockname, fd, address, size); }
int getpeername(int fd, void *address, socklen_t *size) { return (int)system_call(SYS_getpeername, fd, address, size); }
ssize_t send(int fd, const void *buffer, size_t size, int flags) { return sendto(fd, buffer, size, flags, NULL, 0); }
ssize_t recv(int fd, void *buffer, size_t size, int flags) { return recvfrom(fd, buffer, size, flags, NULL, NULL); }
ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const void *address, socklen_t address_size) {
    return system_call(SYS_sendto, fd, buffer, size, flags, address, address_size);
}
ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, void *address, socklen_t *address_size) {
    return system_call(SYS_recvfrom, fd, buffer, size, flags, address, address_size);
}
int setsockopt(int fd, int level, int option, const void *value, socklen_t size) {
    return (int)system_call(SYS_setsockopt, fd, level, option, value, size);
}
int getsockopt(int fd, int level, int option, void *value, socklen_t *size) {
    return (int)system_call(SYS_getsockopt, fd, level, option, value, size);
}
int shutdown(int fd, int how) { return (int)system_call(SYS_shutdown, fd, how); }
