/* Bytes through a connection. */
#include "errno.h"
#include "kernel.h"
#include "memory.h"
#include "process.h"
#include "signal.h"
#include "socket.h"

/* Holds net_lock. Why nothing more can be sent: 0 or -errno. */
static int send_error(struct socket *socket) {
    bool inet = socket->family == AF_INET;
    if (inet && socket->error != 0) return socket_take_error(socket);
    if (socket->state == SOCKET_CONNECTING) return 0;
    if (socket->write_shut) return -EPIPE;
    if (socket->state != SOCKET_CONNECTED) return inet ? -EPIPE : -ENOTCONN;
    if (socket->peer == NULL) return inet && !socket->reset ? 0 : -EPIPE;
    return !inet && socket->peer->read_shut ? -EPIPE : 0;
}

/* TCP: the first bytes to an end that has closed are only then answered by a reset. */
static void send_into_nothing(struct socket *socket) {
    socket->reset = true;
    socket->error = EPIPE;
    socket_changed(socket);
}

/* Holds net_lock. How many bytes went, 0 when there is no room now, or -errno. */
static isize try_send(struct socket *socket, const char *from, usize size) {
    int error = send_error(socket);
    if (error != 0 || socket->state == SOCKET_CONNECTING) return error;
    struct socket *peer = socket->peer;
    if (peer == NULL) send_into_nothing(socket);
    if (peer == NULL || peer->read_shut) return (isize)size;
    usize put = ring_put(&peer->incoming, from, size);
    if (put > 0) socket_changed(peer);
    return (isize)put;
}

static int send_piece(struct socket_request *request, const char *from, usize size, u64 deadline,
                      isize *done) {
    struct socket *socket = request->socket;
    bool nonblocking = request->nonblocking || (request->flags & MSG_DONTWAIT) != 0;
    int error = 0;
    u64 interrupts = spin_lock(&net_lock);
    while (size > 0 && error == 0) {
        isize sent = try_send(socket, from, size);
        if (sent < 0)
            error = (int)sent;
        else if (sent == 0)
            error = socket_wait(&socket->writable, nonblocking, deadline, &interrupts);
        else
            from += sent, size -= (usize)sent, *done += sent;
    }
    spin_unlock(&net_lock, interrupts);
    return error;
}

isize stream_send(struct socket_request *request, struct transfer *from) {
    struct socket *socket = request->socket;
    if (request->to != NULL && socket->family == AF_UNIX) {
        return socket->state == SOCKET_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    }
    char *page = page_alloc();
    if (page == NULL) return -ENOMEM;
    u64 deadline = socket_deadline(socket->send_timeout_ns);
    isize done = 0;
    int error = 0;
    while (from->remaining > 0 && error == 0) {
        usize piece = smaller(from->remaining, PAGE_SIZE);
        error = transfer_in(from, page, piece);
        if (error == 0) error = send_piece(request, page, piece, deadline, &done);
    }
    page_put(page);
    if (done > 0) return done;
    if (error == -EPIPE && (request->flags & MSG_NOSIGNAL) == 0) signal_send(current_process(), SIGPIPE);
    return error;
}

/* Holds net_lock, and nothing is there. 1: wait for it; 0: the end; or -errno. */
static int receive_state(struct socket *socket) {
    bool ended_cleanly = socket->end_of_input && !socket->reset;
    if (socket->error != 0 && !ended_cleanly) return socket_take_error(socket);
    if (socket->state == SOCKET_CONNECTING) return 1;
    if (socket->state != SOCKET_CONNECTED) return socket->family == AF_INET ? -ENOTCONN : -EINVAL;
    return socket->end_of_input || socket->read_shut ? 0 : 1;
}

/* Up to a page; `skip` bytes that a peeking reader has seen already are passed over. */
static isize receive_piece(struct socket_request *request, char *to, usize size, usize skip, bool wait,
                           u64 deadline) {
    struct socket *socket = request->socket;
    bool nonblocking = request->nonblocking || (request->flags & MSG_DONTWAIT) != 0;
    bool peek = (request->flags & MSG_PEEK) != 0;
    isize result = 1;
    u64 interrupts = spin_lock(&net_lock);
    while (ring_inside(&socket->incoming) <= skip && result == 1) {
        result = wait ? receive_state(socket) : 0;
        if (result == 1) result = socket_wait(&socket->readable, nonblocking, deadline, &interrupts) ?: 1;
    }
    if (ring_inside(&socket->incoming) > skip) {
        result = (isize)(peek ? ring_peek(&socket->incoming, skip, to, size)
                              : ring_take(&socket->incoming, to, size));
        if (!peek && socket->peer != NULL) socket_changed(socket->peer);
    }
    spin_unlock(&net_lock, interrupts);
    return result;
}

isize stream_receive(struct socket_request *request, struct transfer *to) {
    struct socket *socket = request->socket;
    char *page = page_alloc();
    if (page == NULL) return -ENOMEM;
    bool all = (request->flags & MSG_WAITALL) != 0, peek = (request->flags & MSG_PEEK) != 0;
    u64 deadline = socket_deadline(socket->receive_timeout_ns);
    isize done = 0, piece = 0;
    while (to->remaining > 0) {
        usize skip = peek ? (usize)done : 0;
        piece = receive_piece(request, page, smaller(to->remaining, PAGE_SIZE), skip,
                              done == 0 || (all && !peek), deadline);
        if (piece <= 0) break;
        if (transfer_out(to, page, (usize)piece) != 0) {
            piece = -EFAULT;
            break;
        }
        done += piece;
    }
    page_put(page);
    return done > 0 ? done : piece;
}

unsigned stream_poll(struct socket *socket) {
    unsigned ready = 0;
    bool inet = socket->family == AF_INET;
    if (socket->state == SOCKET_LISTENING) return socket->accept_first != NULL ? POLLIN : 0;
    if (socket->state == SOCKET_CONNECTING) return 0;
    if (socket->error != 0) ready |= POLLERR;
    if (socket->state == SOCKET_UNCONNECTED)
        return ready | POLLOUT | POLLHUP | (socket->end_of_input ? POLLIN | POLLRDHUP : 0);
    bool no_input = socket->end_of_input || socket->read_shut;
    bool no_output = socket->write_shut || (socket->peer == NULL && (!inet || socket->reset));
    if (ring_inside(&socket->incoming) > 0 || no_input || socket->error != 0) ready |= POLLIN;
    if (no_input) ready |= POLLRDHUP;
    if (no_input && no_output) ready |= POLLHUP;
    if (socket->peer == NULL || no_output || ring_room(&socket->peer->incoming) > 0) ready |= POLLOUT;
    return ready;
}
