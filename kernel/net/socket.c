/* Sockets as such: their life, and their being files. */
#include "socket.h"

#include "arch.h"
#include "errno.h"
#include "inode.h"
#include "kernel.h"
#include "memory.h"
#include "poll.h"
#include "process.h"

struct spinlock net_lock = SPINLOCK_INIT("net");
struct socket *all_sockets;

static const struct file_operations socket_operations;

struct socket *socket_create(u16 family, u32 type) {
    struct socket *socket = kmalloc(sizeof(*socket));
    if (socket == NULL) return NULL;
    const struct process *process = current_process();
    socket->family = family;
    socket->type = type;
    socket->owner.pid = process->pid;
    socket->owner.uid = process->uid;
    socket->owner.gid = process->gid;
    u64 interrupts = spin_lock(&net_lock);
    socket->next = all_sockets;
    all_sockets = socket;
    spin_unlock(&net_lock, interrupts);
    return socket;
}

struct file *socket_file(struct socket *socket, u32 flags) {
    struct file *file = file_create(&socket_operations, O_RDWR | (flags & O_NONBLOCK));
    if (file != NULL) file->private = socket;
    return file;
}

struct socket *socket_of(struct file *file) {
    return file->operations == &socket_operations ? file->private : NULL;
}

void socket_changed(struct socket *socket) {
    wake_all(&socket->readable);
    wake_all(&socket->writable);
    poll_notify();
}

int socket_take_error(struct socket *socket) {
    int error = socket->error;
    socket->error = 0;
    return -error;
}

u64 socket_deadline(u64 timeout_ns) { return timeout_ns == 0 ? 0 : arch_clock_ns() + timeout_ns; }

int socket_wait(struct wait_queue *queue, bool nonblocking, u64 deadline_ns, u64 *interrupts) {
    if (nonblocking) return -EAGAIN;
    int error = wait_on(queue, &net_lock, interrupts, deadline_ns);
    return error == -ETIMEDOUT ? -EAGAIN : error;
}

static void unlink_socket(struct socket *socket) {
    struct socket **link = &all_sockets;
    while (*link != socket) link = &(*link)->next;
    *link = socket->next;
}

static void free_socket(struct socket *socket) {
    ring_free(&socket->incoming);
    if (socket->inode != NULL) inode_put(socket->inode);
    kfree(socket);
}

/* A listener takes the connections that nobody accepted with it: `orphans`, linked by queue_next. */
void socket_close(struct socket *socket) {
    struct socket *orphans = NULL;
    u64 interrupts = spin_lock(&net_lock);
    unlink_socket(socket);
    connection_detach(socket, &orphans);
    for (struct socket *orphan = orphans; orphan != NULL; orphan = orphan->queue_next) unlink_socket(orphan);
    while (socket->message_first != NULL) {
        struct message *message = socket->message_first;
        socket->message_first = message->next;
        message_put(message);
    }
    spin_unlock(&net_lock, interrupts);
    free_socket(socket);
    while (orphans != NULL) {
        struct socket *orphan = orphans;
        orphans = orphan->queue_next;
        free_socket(orphan);
    }
}

/* As a file */

static isize socket_read(struct file *file, struct transfer *to, u64 *offset) {
    struct socket_request request = { .socket = file->private,
                                      .nonblocking = (file->flags & O_NONBLOCK) != 0 };
    return request.socket->type == SOCK_STREAM ? stream_receive(&request, to)
                                               : datagram_receive(&request, to);
}

static isize socket_write(struct file *file, struct transfer *from, u64 *offset) {
    struct socket_request request = { .socket = file->private,
                                      .nonblocking = (file->flags & O_NONBLOCK) != 0 };
    return request.socket->type == SOCK_STREAM ? stream_send(&request, from) : datagram_send(&request, from);
}

static unsigned socket_poll(struct file *file) {
    struct socket *socket = file->private;
    u64 interrupts = spin_lock(&net_lock);
    unsigned ready = socket->type == SOCK_STREAM ? stream_poll(socket) : datagram_poll(socket);
    spin_unlock(&net_lock, interrupts);
    return ready;
}

/* FIONREAD: a stream's bytes, or those of the next message. */
static isize socket_ioctl(struct file *file, u32 request, vaddr address) {
    struct socket *socket = file->private;
    if (request != FIONREAD) return -ENOTTY;
    u64 interrupts = spin_lock(&net_lock);
    bool listening = socket->state == SOCKET_LISTENING;
    i32 count = socket->type == SOCK_STREAM     ? (i32)ring_inside(&socket->incoming)
                : socket->message_first != NULL ? (i32)socket->message_first->size
                                                : 0;
    spin_unlock(&net_lock, interrupts);
    return listening ? -EINVAL : copy_to_user(address, &count, sizeof(count));
}

static void socket_release(struct file *file) { socket_close(file->private); }

static const struct file_operations socket_operations = {
    .read = socket_read,
    .write = socket_write,
    .ioctl = socket_ioctl,
    .poll = socket_poll,
    .release = socket_release,
    .mode = S_IFSOCK | 0777,
};
