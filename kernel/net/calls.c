/* The socket calls. */
#include "arch.h"
#include "errno.h"
#include "inode.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"
#include "socket.h"
#include "syscall.h"

#define SOCK_TYPE_MASK 0xfu

/* A reference of the file and its socket: 0, -EBADF or -ENOTSOCK. */
static int get_socket(u64 fd, struct file **file, struct socket **socket) {
    *file = file_get(current_process()->files, (int)fd);
    if (*file == NULL) return -EBADF;
    *socket = socket_of(*file);
    if (*socket != NULL) return 0;
    file_put(*file);
    return -ENOTSOCK;
}

static bool is_nonblocking(const struct file *file) { return (file->flags & O_NONBLOCK) != 0; }

static int check_kind(u64 family, u64 type, u64 protocol) {
    u32 kind = (u32)type & SOCK_TYPE_MASK;
    if ((type & ~(u64)(SOCK_TYPE_MASK | O_NONBLOCK | O_CLOEXEC)) != 0) return -EINVAL;
    if (family != AF_UNIX && family != AF_INET) return -EAFNOSUPPORT;
    if (kind != SOCK_STREAM && kind != SOCK_DGRAM) return -ESOCKTNOSUPPORT;
    if (protocol == 0) return 0;
    u64 expected = family == AF_UNIX ? AF_UNIX : kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
    return protocol == expected ? 0 : -EPROTONOSUPPORT;
}

/* A descriptor for the socket; the socket is gone if there can be none. */
static int install(struct socket *socket, u32 flags) {
    struct file *file = socket_file(socket, flags);
    if (file == NULL) {
        socket_close(socket);
        return -ENFILE;
    }
    int fd = file_install(current_process()->files, file, 0, (flags & O_CLOEXEC) != 0);
    if (fd < 0) file_put(file);
    return fd;
}

SYSCALL(socket) {
    int error = check_kind(argument[0], argument[1], argument[2]);
    if (error != 0) return error;
    struct socket *socket = socket_create((u16)argument[0], (u32)argument[1] & SOCK_TYPE_MASK);
    return socket == NULL ? -ENOBUFS : install(socket, (u32)argument[1]);
}

static int join_pair(struct socket *pair[2]) {
    if (pair[0]->type == SOCK_STREAM &&
        (!ring_create(&pair[0]->incoming) || !ring_create(&pair[1]->incoming)))
        return -ENOBUFS;
    u64 interrupts = spin_lock(&net_lock);
    connection_join(pair[0], pair[1]);
    spin_unlock(&net_lock, interrupts);
    return 0;
}

static void close_descriptor(int fd) {
    struct file *file = file_replace(current_process()->files, fd, NULL, false);
    if (file != NULL) file_put(file);
}

SYSCALL(socketpair) {
    int error = check_kind(argument[0], argument[1], argument[2]);
    if (error == 0 && argument[0] != AF_UNIX) error = -EOPNOTSUPP;
    if (error != 0) return error;
    u32 type = (u32)argument[1];
    struct socket *pair[2] = { socket_create(AF_UNIX, type & SOCK_TYPE_MASK),
                               socket_create(AF_UNIX, type & SOCK_TYPE_MASK) };
    error = pair[0] == NULL || pair[1] == NULL ? -ENOBUFS : join_pair(pair);
    if (error != 0) {
        for (unsigned index = 0; index < 2; index++) {
            if (pair[index] != NULL) socket_close(pair[index]);
        }
        return error;
    }
    i32 fds[2];
    fds[0] = install(pair[0], type);
    fds[1] = install(pair[1], type);
    error = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : copy_to_user(argument[3], fds, sizeof(fds));
    if (error == 0) return 0;
    if (fds[0] >= 0) close_descriptor(fds[0]);
    if (fds[1] >= 0) close_descriptor(fds[1]);
    return error;
}

SYSCALL(bind) {
    struct file *file;
    struct socket *socket;
    struct socket_address address;
    int error = get_socket(argument[0], &file, &socket);
    if (error != 0) return error;
    error = address_from_user(&address, argument[1], (u32)argument[2]);
    if (error == 0) error = address_bind(socket, &address);
    file_put(file);
    return error;
}

SYSCALL(listen) {
    struct file *file;
    struct socket *socket;
    int error = get_socket(argument[0], &file, &socket);
    if (error != 0) return error;
    error = connection_listen(socket, (int)argument[1]);
    file_put(file);
    return error;
}

SYSCALL(connect) {
    struct file *file;
    struct socket *socket;
    struct socket_address address;
    struct inode *inode = NULL;
    int error = get_socket(argument[0], &file, &socket);
    if (error != 0) return error;
    error = address_from_user(&address, argument[1], (u32)argument[2]);
    if (error == 0) error = address_find_inode(&address, &inode);
    if (error == 0 && socket->type == SOCK_STREAM)
        error = connection_open(socket, &address, inode, is_nonblocking(file));
    else if (error == 0)
        error = datagram_connect(socket, &address, inode);
    if (inode != NULL) inode_put(inode);
    file_put(file);
    return error;
}

/* Nothing bound or connected: UNIX has just the family to tell, INET an address of zeros. */
static struct socket_address told_address(const struct socket *socket, const struct socket_address *address) {
    struct socket_address told = *address;
    if (told.size != 0) return told;
    told = (struct socket_address){ .size = socket->family == AF_UNIX ? 2 : sizeof(struct inet_address) };
    told.family = socket->family;
    return told;
}

SYSCALL(accept4) {
    struct file *file;
    struct socket *listener, *accepted;
    u32 flags = (u32)argument[3];
    if ((flags & ~(O_NONBLOCK | O_CLOEXEC)) != 0) return -EINVAL;
    int error = get_socket(argument[0], &file, &listener);
    if (error != 0) return error;
    error = connection_accept(listener, is_nonblocking(file), &accepted);
    file_put(file);
    if (error != 0) return error;
    struct socket_address remote = told_address(accepted, &accepted->remote);
    int fd = install(accepted, flags);
    if (fd < 0 || argument[1] == 0) return fd;
    error = address_to_user(&remote, argument[1], argument[2]);
    if (error != 0) close_descriptor(fd);
    return error != 0 ? error : fd;
}

static i64 tell_address(const u64 argument[6], bool peer) {
    struct file *file;
    struct socket *socket;
    int error = get_socket(argument[0], &file, &socket);
    if (error != 0) return error;
    u64 interrupts = spin_lock(&net_lock);
    if (peer && socket->state != SOCKET_CONNECTED) error = -ENOTCONN;
    struct socket_address address = told_address(socket, peer ? &socket->remote : &socket->local);
    spin_unlock(&net_lock, interrupts);
    if (error == 0) error = address_to_user(&address, argument[1], argument[2]);
    file_put(file);
    return error;
}

SYSCALL(getsockname) { return tell_address(argument, false); }
SYSCALL(getpeername) { return tell_address(argument, true); }

SYSCALL(shutdown) {
    struct file *file;
    struct socket *socket;
    int error = get_socket(argument[0], &file, &socket);
    if (error != 0) return error;
    error = connection_shutdown(socket, (int)argument[1]);
    file_put(file);
    return error;
}

SYSCALL(setsockopt) {
    struct file *file;
    struct socket *socket;
    int error = get_socket(argument[0], &file, &socket);
    if (error != 0) return error;
    error = option_set(socket, (int)argument[1], (int)argument[2], argument[3], (u32)argument[4]);
    file_put(file);
    return error;
}

SYSCALL(getsockopt) {
    struct file *file;
    struct socket *socket;
    int error = get_socket(argument[0], &file, &socket);
    if (error != 0) return error;
    error = option_get(socket, (int)argument[1], (int)argument[2], argument[3], argument[4]);
    file_put(file);
    return error;
}

/* Messages */

/* `address` is 0 for none. */
static i64 send(u64 fd, u32 flags, struct transfer *from, vaddr address_at, u64 address_size) {
    struct file *file;
    struct socket_address address;
    struct socket_request request = { .flags = flags };
    int error = get_socket(fd, &file, &request.socket);
    if (error != 0) return error;
    request.nonblocking = is_nonblocking(file);
    if (address_at != 0 && address_size != 0) {
        error = address_from_user(&address, address_at, address_size);
        if (error == 0) error = address_find_inode(&address, &request.to_inode);
        request.to = &address;
    }
    i64 result = error;
    if (error == 0)
        result =
            request.socket->type == SOCK_STREAM ? stream_send(&request, from) : datagram_send(&request, from);
    if (request.to_inode != NULL) inode_put(request.to_inode);
    file_put(file);
    return result;
}

static i64 receive(u64 fd, struct socket_request *request, struct transfer *to) {
    struct file *file;
    int error = get_socket(fd, &file, &request->socket);
    if (error != 0) return error;
    request->nonblocking = is_nonblocking(file);
    i64 result =
        request->socket->type == SOCK_STREAM ? stream_receive(request, to) : datagram_receive(request, to);
    file_put(file);
    return result;
}

SYSCALL(sendto) {
    struct transfer transfer;
    transfer_init(&transfer, argument[1], argument[2]);
    return send(argument[0], (u32)argument[3], &transfer, argument[4], (u32)argument[5]);
}

SYSCALL(recvfrom) {
    struct transfer transfer;
    struct socket_request request = { .flags = (u32)argument[3] };
    transfer_init(&transfer, argument[1], argument[2]);
    i64 result = receive(argument[0], &request, &transfer);
    if (result < 0 || argument[4] == 0) return result;
    int error = address_to_user(&request.from, argument[4], argument[5]);
    return error != 0 ? error : result;
}

struct message_header { /* struct user_msghdr */
    vaddr name;
    u32 name_size, padding;
    vaddr vectors;
    u64 vector_count;
    vaddr control;
    u64 control_size;
    u32 flags, padding_2;
};

static int read_header(vaddr at, struct message_header *header, struct io_vector **vectors,
                       struct transfer *transfer) {
    usize total;
    int error;
    if (copy_from_user(header, at, sizeof(*header)) != 0) return -EFAULT;
    if (header->vector_count > IOV_MAX) return -EMSGSIZE;
    *vectors = vectors_from_user(header->vectors, header->vector_count, &total, &error);
    if (*vectors == NULL) return error;
    transfer_init_vectors(transfer, *vectors, total);
    return 0;
}

/* Descriptors and credentials are not passed: a sender that tries is told so. */
SYSCALL(sendmsg) {
    struct message_header header;
    struct io_vector *vectors;
    struct transfer transfer;
    int error = read_header(argument[1], &header, &vectors, &transfer);
    if (error != 0) return error;
    i64 result = header.control != 0 && header.control_size != 0
                     ? -EINVAL
                     : send(argument[0], (u32)argument[2], &transfer, header.name, header.name_size);
    kfree(vectors);
    return result;
}

SYSCALL(recvmsg) {
    struct message_header header;
    struct io_vector *vectors;
    struct transfer transfer;
    struct socket_request request = { .flags = (u32)argument[2] };
    int error = read_header(argument[1], &header, &vectors, &transfer);
    if (error != 0) return error;
    i64 result = receive(argument[0], &request, &transfer);
    kfree(vectors);
    if (result < 0) return result;
    vaddr size_address = argument[1] + offsetof(struct message_header, name_size);
    if (header.name != 0) error = address_to_user(&request.from, header.name, size_address);
    header.flags = request.truncated ? MSG_TRUNC : 0;
    u64 tail[2] = { 0, header.flags }; /* the size of control data, and the flags */
    if (error == 0)
        error = copy_to_user(argument[1] + offsetof(struct message_header, control_size), tail, 12);
    return error != 0 ? error : result;
}
