/* Messages, each whole: UDP and UNIX datagrams. */
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "socket.h"

#define MAX_UDP_SIZE     65507ul
#define MAX_UNIX_SIZE    212960ul
#define MAX_QUEUED_BYTES 212992ul
#define MAX_QUEUED       11u /* UNIX messages from strangers, as on Linux by default */

void message_put(struct message *message) {
    if (--message->references == 0) kfree(message);
}

static void enqueue(struct socket *socket, struct message *message) {
    if (socket->message_first == NULL)
        socket->message_first = message;
    else
        socket->message_last->next = message;
    socket->message_last = message;
    socket->message_bytes += message->size;
    socket->message_count++;
    socket_changed(socket);
}

static struct message *dequeue(struct socket *socket) {
    struct message *message = socket->message_first;
    socket->message_first = message->next;
    message->next = NULL;
    socket->message_bytes -= message->size;
    socket->message_count--;
    socket_changed(socket); /* those who wait for room sleep on the queue of the socket that they send to */
    return message;
}

static bool is_full(const struct socket *from, const struct socket *to, usize size) {
    if (to->message_count > 0 && to->message_bytes + size > MAX_QUEUED_BYTES) return true;
    return from->family == AF_UNIX && to->peer != from && to != from && to->message_count >= MAX_QUEUED;
}

/* Holds net_lock. Where the message goes: the named one, or the peer. */
static int find_receiver(const struct socket_request *request, struct socket **to) {
    struct socket *socket = request->socket;
    bool inet = socket->family == AF_INET;
    if (request->to != NULL) return address_find(socket, request->to, request->to_inode, to);
    if (socket->state != SOCKET_CONNECTED) return inet ? -EDESTADDRREQ : -ENOTCONN;
    if (inet) return address_find(socket, &socket->remote, NULL, to);
    *to = socket->peer;
    if (*to != NULL) return 0;
    socket->state = SOCKET_UNCONNECTED; /* the first message finds that out, those after it have no peer */
    return -ECONNREFUSED;
}

/* Holds net_lock. 1 when the message must wait for room, else 0 or -errno. UDP has no such thing: it drops. */
static int deliver(const struct socket_request *request, struct message *message, struct socket **to) {
    struct socket *socket = request->socket;
    bool inet = socket->family == AF_INET;
    if (socket->error != 0) return socket_take_error(socket);
    if (socket->write_shut) return -EPIPE;
    int error = address_bind_any(socket);
    if (error == 0) error = find_receiver(request, to);
    if (error == -ECONNREFUSED && inet) { /* nobody is there: only who is connected hears of it, and later */
        if (request->to == NULL || socket->state == SOCKET_CONNECTED) socket->error = ECONNREFUSED;
        if (socket->error != 0) socket_changed(socket);
        message_put(message);
        return 0;
    }
    if (error != 0) return error;
    if (!inet && (*to)->state == SOCKET_CONNECTED && (*to)->peer != socket) return -EPERM;
    if (!inet && (*to)->read_shut) return -EPIPE;
    if (is_full(socket, *to, message->size)) {
        if (!inet) return 1;
        message_put(message);
        return 0;
    }
    message->from = socket->local;
    if (inet && message->from.inet.host == 0) message->from.inet.host = __builtin_bswap32(0x7f000001u);
    enqueue(*to, message);
    return 0;
}

static int create_message(struct socket *socket, struct transfer *from, struct message **message) {
    usize size = from->remaining;
    if (size > (socket->family == AF_INET ? MAX_UDP_SIZE : MAX_UNIX_SIZE)) return -EMSGSIZE;
    *message = kmalloc(sizeof(**message) + size);
    if (*message == NULL) return -ENOBUFS;
    (*message)->size = size;
    (*message)->references = 1;
    int error = transfer_in(from, (*message)->bytes, size);
    if (error != 0) kfree(*message);
    return error;
}

isize datagram_send(struct socket_request *request, struct transfer *from) {
    struct socket *socket = request->socket, *to = NULL;
    bool nonblocking = request->nonblocking || (request->flags & MSG_DONTWAIT) != 0;
    struct message *message;
    usize size = from->remaining;
    if (request->to != NULL && request->to->family != socket->family)
        return socket->family == AF_UNIX ? -EINVAL : -EAFNOSUPPORT;
    if (request->to != NULL && socket->family == AF_INET && request->to->inet.port == 0) return -EINVAL;
    int error = create_message(socket, from, &message);
    if (error != 0) return error;
    u64 deadline = socket_deadline(socket->send_timeout_ns);
    u64 interrupts = spin_lock(&net_lock);
    error = deliver(request, message, &to);
    while (error == 1) {
        /* A receiver that closes wakes us before it goes; then we look again for who has the address. */
        error = socket_wait(&to->writable, nonblocking, deadline, &interrupts);
        if (error == 0) error = deliver(request, message, &to);
    }
    spin_unlock(&net_lock, interrupts);
    if (error < 0) kfree(message);
    return error != 0 ? error : (isize)size;
}

/* Holds net_lock. The next message with a reference, or NULL: the end, or *error. */
static struct message *next_message(struct socket_request *request, u64 *interrupts, int *error) {
    struct socket *socket = request->socket;
    bool nonblocking = request->nonblocking || (request->flags & MSG_DONTWAIT) != 0;
    u64 deadline = socket_deadline(socket->receive_timeout_ns);
    *error = 0;
    for (;;) {
        if (*error == 0) *error = socket_take_error(socket);
        if (*error != 0) return NULL;
        if (socket->message_first != NULL) break;
        if (socket->read_shut) return NULL;
        *error = socket_wait(&socket->readable, nonblocking, deadline, interrupts);
    }
    if ((request->flags & MSG_PEEK) == 0) return dequeue(socket);
    socket->message_first->references++;
    return socket->message_first;
}

isize datagram_receive(struct socket_request *request, struct transfer *to) {
    int error;
    u64 interrupts = spin_lock(&net_lock);
    struct message *message = next_message(request, &interrupts, &error);
    spin_unlock(&net_lock, interrupts);
    if (message == NULL) return error;
    usize size = message->size, copied = smaller(size, to->remaining);
    request->from = message->from;
    request->truncated = copied < size;
    error = transfer_out(to, message->bytes, copied);
    interrupts = spin_lock(&net_lock);
    message_put(message);
    spin_unlock(&net_lock, interrupts);
    if (error != 0) return error;
    return (isize)((request->flags & MSG_TRUNC) != 0 ? size : copied);
}

/* A family of AF_UNSPEC takes the peer away again. */
int datagram_connect(struct socket *socket, const struct socket_address *to, const struct inode *inode) {
    struct socket *peer = NULL;
    bool inet = socket->family == AF_INET;
    if (to->family != AF_UNSPEC && to->family != socket->family) return inet ? -EAFNOSUPPORT : -EINVAL;
    int error = 0;
    u64 interrupts = spin_lock(&net_lock);
    if (to->family == AF_UNSPEC) {
        socket->state = SOCKET_UNCONNECTED;
        socket->peer = NULL;
        socket->remote.size = 0;
    } else {
        error = address_bind_any(socket);
        if (error == 0) error = address_find(socket, to, inode, &peer);
        if (inet && error == -ECONNREFUSED) error = 0; /* a port may come into use later */
        if (!inet && error == 0 && peer->peer != NULL && peer->peer != socket) error = -EPERM;
        if (error == 0) {
            u32 loopback = __builtin_bswap32(0x7f000001u);
            socket->state = SOCKET_CONNECTED;
            socket->remote = *to;
            socket->peer = inet ? NULL : peer;
            if (inet && socket->local.inet.host == 0) socket->local.inet.host = loopback;
            if (inet && socket->remote.inet.host == 0) socket->remote.inet.host = loopback;
        }
    }
    spin_unlock(&net_lock, interrupts);
    return error;
}

unsigned datagram_poll(struct socket *socket) {
    unsigned ready = 0;
    if (socket->message_first != NULL || socket->read_shut) ready |= POLLIN;
    if (socket->error != 0) ready |= POLLERR;
    if (socket->read_shut && socket->write_shut) ready |= POLLHUP;
    bool full = socket->family == AF_UNIX && socket->peer != NULL && is_full(socket, socket->peer, 1);
    return full ? ready : ready | POLLOUT;
}
