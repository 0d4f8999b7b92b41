/* How streams come and go: listen, connect, accept, shutdown, close.
 *
 * A connection is complete when connect finds room in the listener's backlog: the accepted end exists from then on and
 * can be written to; accept only gives it a file. Without room the connecting end waits in the listener's second queue.
 */
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"
#include "socket.h"

#define MAX_BACKLOG 4096

static void append(struct socket **first, struct socket **last, struct socket *socket) {
    socket->queue_next = NULL;
    if (*first == NULL)
        *first = socket;
    else
        (*last)->queue_next = socket;
    *last = socket;
}

static void remove(struct socket **first, struct socket **last, struct socket *socket) {
    struct socket **link = first, *previous = NULL;
    while (*link != socket) previous = *link, link = &(*link)->queue_next;
    *link = socket->queue_next;
    if (*last == socket) *last = previous;
}

int connection_listen(struct socket *socket, int backlog) {
    if (socket->type != SOCK_STREAM) return -EOPNOTSUPP;
    int error = 0;
    u64 interrupts = spin_lock(&net_lock);
    if (socket->state != SOCKET_LISTENING && socket->state != SOCKET_UNCONNECTED)
        error = -EINVAL;
    else if (socket->family == AF_UNIX && socket->local.size == 0)
        error = -EINVAL;
    else
        error = address_bind_any(socket);
    if (error == 0) {
        socket->state = SOCKET_LISTENING;
        socket->backlog = backlog < 0 || backlog > MAX_BACKLOG ? MAX_BACKLOG : (unsigned)backlog;
        socket->owner.pid = current_process()->pid;
    }
    spin_unlock(&net_lock, interrupts);
    return error;
}

void connection_join(struct socket *one, struct socket *other) {
    one->peer = other;
    other->peer = one;
    one->state = other->state = SOCKET_CONNECTED;
    memcpy(&one->peer_owner, &other->owner, sizeof(one->owner));
    memcpy(&other->peer_owner, &one->owner, sizeof(one->owner));
}

/* The listener's end of a new connection: it inherits the listener's options, and its address. */
static struct socket *create_accepted(struct socket *listener, struct socket *client) {
    struct socket *accepted = kmalloc(sizeof(*accepted));
    if (accepted == NULL || !ring_create(&accepted->incoming)) {
        kfree(accepted);
        return NULL;
    }
    accepted->family = listener->family;
    accepted->type = SOCK_STREAM;
    accepted->local = listener->family == AF_INET ? client->remote : listener->local;
    accepted->remote = client->local;
    accepted->reuse_address = listener->reuse_address;
    accepted->reuse_port = listener->reuse_port;
    accepted->keep_alive = listener->keep_alive;
    accepted->owner = listener->owner;
    accepted->next = all_sockets;
    all_sockets = accepted;
    return accepted;
}

static int establish(struct socket *client, struct socket *listener) {
    if (client->incoming.bytes == NULL && !ring_create(&client->incoming)) return -ENOBUFS;
    struct socket *accepted = create_accepted(listener, client);
    if (accepted == NULL) return -ENOBUFS;
    connection_join(client, accepted);
    append(&listener->accept_first, &listener->accept_last, accepted);
    listener->accept_count++;
    client->listener = NULL;
    socket_changed(listener);
    socket_changed(client);
    return 0;
}

static bool has_room(const struct socket *listener) { return listener->accept_count <= listener->backlog; }

static void fail(struct socket *client, int error) {
    client->state = SOCKET_UNCONNECTED;
    client->listener = NULL;
    client->error = error;
    client->end_of_input = true;
    socket_changed(client);
}

static void stop_waiting(struct socket *client) {
    struct socket *listener = client->listener;
    remove(&listener->waiting_first, &listener->waiting_last, client);
    client->listener = NULL;
    client->state = SOCKET_UNCONNECTED;
}

/* Holds net_lock. What the other end's address, and our own, become. */
static int prepare(struct socket *socket, const struct socket_address *to) {
    int error = address_bind_any(socket);
    if (error != 0 || socket->family == AF_UNIX) {
        socket->remote = *to;
        return error;
    }
    u32 loopback = __builtin_bswap32(0x7f000001u);
    if (socket->local.inet.host == 0) socket->local.inet.host = loopback;
    address_set_inet(&socket->remote, to->inet.host == 0 ? loopback : to->inet.host, to->inet.port);
    return 0;
}

/* Holds net_lock. Connected, CONNECTING in the listener's queue, or an error. */
static int begin(struct socket *socket, const struct socket_address *to, const struct inode *inode,
                 bool nonblocking) {
    struct socket *listener;
    socket->end_of_input = false; /* an earlier attempt may have failed */
    int error = address_find(socket, to, inode, &listener);
    if (error == -ENETUNREACH || error == -EPROTOTYPE) return error;
    if (error == 0 && listener->state != SOCKET_LISTENING) error = -ECONNREFUSED;
    if (error == 0 && listener->read_shut) error = -ECONNREFUSED;
    if (socket->family == AF_UNIX && error == 0 && nonblocking && !has_room(listener)) return -EAGAIN;
    int prepared = prepare(socket, to);
    if (error != 0 || prepared != 0) return error != 0 ? error : prepared;
    if (has_room(listener)) return establish(socket, listener);
    socket->state = SOCKET_CONNECTING;
    socket->listener = listener;
    append(&listener->waiting_first, &listener->waiting_last, socket);
    return 0;
}

/* Holds net_lock. TCP's connect without waiting always says that it has begun, and the next call how it ended. */
static int begin_nonblocking(struct socket *socket, const struct socket_address *to) {
    int error = begin(socket, to, NULL, true);
    if (error != 0 && error != -ECONNREFUSED) return error;
    if (error != 0) fail(socket, -error);
    socket->connect_untold = true;
    return -EINPROGRESS;
}

static int wait_until_connected(struct socket *socket, u64 *interrupts) {
    u64 deadline = socket_deadline(socket->send_timeout_ns);
    int error = 0;
    while (socket->state == SOCKET_CONNECTING && error == 0) {
        error = socket_wait(&socket->writable, false, deadline, interrupts);
    }
    if (socket->state == SOCKET_CONNECTING) {
        if (socket->family == AF_UNIX) stop_waiting(socket);
        return error == -EAGAIN && socket->family == AF_INET ? -EINPROGRESS : error;
    }
    if (socket->state == SOCKET_CONNECTED) return 0;
    return socket->error != 0 ? socket_take_error(socket) : -ECONNABORTED;
}

static int connect_locked(struct socket *socket, const struct socket_address *to, const struct inode *inode,
                          bool nonblocking, u64 *interrupts) {
    if (socket->connect_untold && socket->state != SOCKET_CONNECTING) {
        socket->connect_untold = false;
        if (socket->error != 0) return socket_take_error(socket);
        if (socket->state == SOCKET_CONNECTED) return 0;
    }
    if (socket->state == SOCKET_CONNECTED) return -EISCONN;
    if (socket->state == SOCKET_LISTENING) return socket->family == AF_UNIX ? -EINVAL : -EISCONN;
    if (socket->state == SOCKET_CONNECTING)
        return nonblocking ? -EALREADY : wait_until_connected(socket, interrupts);
    if (nonblocking && socket->family == AF_INET) return begin_nonblocking(socket, to);
    int error = begin(socket, to, inode, nonblocking);
    return error != 0 ? error : wait_until_connected(socket, interrupts);
}

int connection_open(struct socket *socket, const struct socket_address *to, const struct inode *inode,
                    bool nonblocking) {
    if (to->family != socket->family) return socket->family == AF_UNIX ? -EINVAL : -EAFNOSUPPORT;
    u64 interrupts = spin_lock(&net_lock);
    int error = connect_locked(socket, to, inode, nonblocking, &interrupts);
    spin_unlock(&net_lock, interrupts);
    return error;
}

/* Whoever waited longest for room gets it. */
static void admit_waiting(struct socket *listener) {
    while (listener->waiting_first != NULL && has_room(listener)) {
        struct socket *client = listener->waiting_first;
        remove(&listener->waiting_first, &listener->waiting_last, client);
        int error = establish(client, listener);
        if (error != 0) fail(client, -error);
    }
}

int connection_accept(struct socket *listener, bool nonblocking, struct socket **accepted) {
    if (listener->type != SOCK_STREAM) return -EOPNOTSUPP;
    u64 deadline = socket_deadline(listener->receive_timeout_ns);
    int error = 0;
    u64 interrupts = spin_lock(&net_lock);
    for (;;) {
        if (listener->state != SOCKET_LISTENING || listener->read_shut) error = -EINVAL;
        if (error != 0 || listener->accept_first != NULL) break;
        error = socket_wait(&listener->readable, nonblocking, deadline, &interrupts);
    }
    if (error == 0) {
        *accepted = listener->accept_first;
        remove(&listener->accept_first, &listener->accept_last, *accepted);
        listener->accept_count--;
        admit_waiting(listener);
    }
    spin_unlock(&net_lock, interrupts);
    return error;
}

int connection_shutdown(struct socket *socket, int how) {
    if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
    int error = 0;
    u64 interrupts = spin_lock(&net_lock);
    bool read = how != SHUT_WR, write = how != SHUT_RD;
    bool connected = socket->state == SOCKET_CONNECTED || socket->state == SOCKET_LISTENING;
    if (!connected && socket->family == AF_INET) error = -ENOTCONN;
    if (error == 0) {
        socket->read_shut |= read;
        socket->write_shut |= write;
        if (socket->peer != NULL && write && socket->type == SOCK_STREAM) socket->peer->end_of_input = true;
        if (socket->peer != NULL) socket_changed(socket->peer);
        socket_changed(socket);
    }
    spin_unlock(&net_lock, interrupts);
    return error;
}

/* The other end of a stream that is being closed. What was not read is lost, and the peer is told so. */
static void leave_peer(struct socket *socket) {
    struct socket *peer = socket->peer;
    peer->peer = NULL;
    peer->end_of_input = true;
    if (ring_inside(&socket->incoming) > 0) {
        peer->reset = true;
        peer->error = ECONNRESET;
    }
    socket_changed(peer);
}

static void close_listener(struct socket *listener, struct socket **orphans) {
    while (listener->waiting_first != NULL) {
        struct socket *client = listener->waiting_first;
        listener->waiting_first = client->queue_next;
        fail(client, ECONNREFUSED);
    }
    *orphans = listener->accept_first;
    for (struct socket *orphan = *orphans; orphan != NULL; orphan = orphan->queue_next) {
        if (orphan->peer == NULL) continue;
        orphan->peer->reset = true;
        orphan->peer->error = ECONNRESET;
        leave_peer(orphan);
    }
}

/* Datagram sockets may send to one that knows nothing of them: all who do lose their peer. */
static void leave_senders(struct socket *socket) {
    for (struct socket *other = all_sockets; other != NULL; other = other->next) {
        if (other->peer != socket) continue;
        other->peer = NULL;
        other->reset = true;
        socket_changed(other);
    }
}

void connection_detach(struct socket *socket, struct socket **orphans) {
    if (socket->state == SOCKET_CONNECTING) stop_waiting(socket);
    if (socket->state == SOCKET_LISTENING) close_listener(socket, orphans);
    if (socket->type == SOCK_DGRAM)
        leave_senders(socket);
    else if (socket->peer != NULL)
        leave_peer(socket);
    if (socket->type == SOCK_DGRAM) socket_changed(socket); /* who waits for room in it looks for another */
}
