/* Sockets: UNIX and INET, streams and datagrams, all within this machine.
 *
 * One lock, net_lock, guards every socket: what happens to one end happens to the other at the same instant. Under it
 * only poll, processes, the scheduler and memory. Names in the tree are looked up before it is taken.
 */
#pragma once

#include "file.h"
#include "ring.h"
#include "spinlock.h"
#include "transfer.h"
#include "types.h"
#include "wait.h"

#define AF_UNSPEC 0
#define AF_UNIX   1
#define AF_INET   2

#define SOCK_STREAM 1u
#define SOCK_DGRAM  2u

#define SHUT_RD   0
#define SHUT_WR   1
#define SHUT_RDWR 2

#define MSG_PEEK     0x02u
#define MSG_TRUNC    0x20u
#define MSG_DONTWAIT 0x40u
#define MSG_WAITALL  0x100u
#define MSG_NOSIGNAL 0x4000u

#define IPPROTO_TCP 6
#define IPPROTO_UDP 17

#define UNIX_PATH_SIZE 108

struct inet_address { /* struct sockaddr_in; port and host are big-endian */
    u16 family, port;
    u32 host;
    u8 zero[8];
};

struct unix_address { /* struct sockaddr_un; a path, or an abstract name after a zero byte */
    u16 family;
    char path[UNIX_PATH_SIZE];
};

struct socket_address {
    u32 size; /* of what is used of the union; 0: none */
    union {
        u16 family;
        struct inet_address inet;
        struct unix_address unix_;
    };
};

struct message { /* a datagram */
    struct message *next;
    u32 references; /* net_lock: a reader that peeks has one while it copies */
    usize size;
    struct socket_address from;
    char bytes[];
};

enum socket_state { SOCKET_UNCONNECTED, SOCKET_LISTENING, SOCKET_CONNECTING, SOCKET_CONNECTED };

struct socket {
    struct socket *next; /* all sockets */
    u16 family;
    u32 type;
    enum socket_state state;
    struct socket_address local, remote;
    struct inode *inode; /* the name in the tree that it is bound to: a reference */
    bool named;          /* UNIX: `local` is its own; an accepted connection only tells its listener's */
    struct socket *peer; /* where bytes go; NULL when that is gone. The peer's end clears it: no reference */
    int error;           /* to be told by the next call, or by SO_ERROR */

    /* Streams. */
    struct ring incoming;
    bool end_of_input;    /* the peer sends no more */
    bool reset;           /* the peer went without reading all */
    bool read_shut, write_shut;
    bool connect_untold;  /* connect said -EINPROGRESS, and nobody asked since */
    struct socket *queue_next; /* in one of the listener's two queues */
    struct socket *listener;   /* while CONNECTING */
    struct socket *accept_first, *accept_last;   /* listening: connections that nobody accepted yet; no file */
    struct socket *waiting_first, *waiting_last; /* and those for which the backlog has no room */
    unsigned backlog, accept_count;

    /* Datagrams. */
    struct message *message_first, *message_last;
    usize message_bytes;
    unsigned message_count;

    bool reuse_address, reuse_port, broadcast, keep_alive, no_delay;
    u64 receive_timeout_ns, send_timeout_ns; /* 0: none */
    struct { /* struct ucred: who connected or listened */
        u32 pid, uid, gid;
    } owner, peer_owner;
    struct wait_queue readable, writable;
};

extern struct spinlock net_lock;
extern struct socket *all_sockets;

/* socket.c; all but socket_create and socket_of hold net_lock */
struct socket *socket_create(u16 family, u32 type); /* takes net_lock */
struct file *socket_file(struct socket *socket, u32 flags); /* takes over the socket; NULL: it does not */
struct socket *socket_of(struct file *file);        /* NULL: not a socket */
void socket_close(struct socket *socket);           /* takes net_lock */
void socket_changed(struct socket *socket);         /* all who wait look again */
int socket_take_error(struct socket *socket);       /* 0 or -errno, once */
u64 socket_deadline(u64 timeout_ns);
int socket_wait(struct wait_queue *queue, bool nonblocking, u64 deadline_ns, u64 *interrupts); /* -EAGAIN past it */

/* How send and receive are to behave. */
struct socket_request {
    struct socket *socket;
    u32 flags; /* MSG_ */
    bool nonblocking;
    const struct socket_address *to;  /* send: or NULL */
    struct inode *to_inode;           /* what `to` names, or NULL */
    struct socket_address from;       /* receive: filled */
    bool truncated;                   /* receive: the message was longer */
};

/* address.c */
int address_from_user(struct socket_address *address, vaddr from, u64 size);
int address_to_user(const struct socket_address *address, vaddr to, vaddr size_address);
int address_find_inode(const struct socket_address *address, struct inode **inode); /* a UNIX path's; NULL for others */
int address_bind(struct socket *socket, struct socket_address *address); /* takes net_lock */
int address_bind_any(struct socket *socket);             /* an ephemeral port where there is none yet */
/* Who has this address: -ECONNREFUSED, -EPROTOTYPE, -ENETUNREACH. */
int address_find(const struct socket *from, const struct socket_address *to, const struct inode *inode, struct socket **found);
void address_set_inet(struct socket_address *address, u32 host, u16 port);

/* stream.c */
isize stream_send(struct socket_request *request, struct transfer *from);
isize stream_receive(struct socket_request *request, struct transfer *to);
unsigned stream_poll(struct socket *socket); /* holds net_lock */

/* connection.c */
int connection_listen(struct socket *socket, int backlog);
int connection_open(struct socket *socket, const struct socket_address *to, const struct inode *inode, bool nonblocking);
int connection_accept(struct socket *listener, bool nonblocking, struct socket **accepted);
void connection_join(struct socket *one, struct socket *other); /* rings are there; holds net_lock */
int connection_shutdown(struct socket *socket, int how);
void connection_detach(struct socket *socket, struct socket **orphans); /* closing; holds net_lock */

/* datagram.c */
isize datagram_send(struct socket_request *request, struct transfer *from);
isize datagram_receive(struct socket_request *request, struct transfer *to);
int datagram_connect(struct socket *socket, const struct socket_address *to, const struct inode *inode);
unsigned datagram_poll(struct socket *socket); /* holds net_lock */
void message_put(struct message *message);     /* holds net_lock */

/* options.c */
int option_set(struct socket *socket, int level, int option, vaddr value, u64 size);
int option_get(struct socket *socket, int level, int option, vaddr value, vaddr size_address);
