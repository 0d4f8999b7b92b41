/* Socket options. */
#include "arch.h"
#include "clock.h"
#include "errno.h"
#include "kernel.h"
#include "socket.h"

#define SOL_IP     0
#define SOL_SOCKET 1
#define SOL_TCP    6

enum {
    SO_REUSEADDR = 2,
    SO_TYPE,
    SO_ERROR,
    SO_BROADCAST = 6,
    SO_SNDBUF,
    SO_RCVBUF,
    SO_KEEPALIVE,
    SO_LINGER = 13,
    SO_REUSEPORT = 15,
    SO_PASSCRED,
    SO_PEERCRED,
    SO_RCVTIMEO = 20,
    SO_SNDTIMEO,
    SO_ACCEPTCONN = 30,
    SO_PROTOCOL = 38,
    SO_DOMAIN,
};
enum { TCP_NODELAY = 1 };

struct timeval {
    i64 seconds, microseconds;
};

/* The options that are a yes or no of this socket's, or NULL. */
static bool *find_switch(struct socket *socket, int level, int option) {
    if (level == SOL_TCP)
        return option == TCP_NODELAY && socket->type == SOCK_STREAM ? &socket->no_delay : NULL;
    if (level != SOL_SOCKET) return NULL;
    switch (option) {
    case SO_REUSEADDR: return &socket->reuse_address;
    case SO_REUSEPORT: return &socket->reuse_port;
    case SO_BROADCAST: return &socket->broadcast;
    case SO_KEEPALIVE: return &socket->keep_alive;
    default: return NULL;
    }
}

static u64 *find_timeout(struct socket *socket, int level, int option) {
    if (level != SOL_SOCKET) return NULL;
    return option == SO_RCVTIMEO   ? &socket->receive_timeout_ns
           : option == SO_SNDTIMEO ? &socket->send_timeout_ns
                                   : NULL;
}

static int set_timeout(u64 *timeout_ns, vaddr value, u64 size) {
    struct timeval time;
    if (size < sizeof(time)) return -EINVAL;
    if (copy_from_user(&time, value, sizeof(time)) != 0) return -EFAULT;
    if (time.microseconds < 0 || time.microseconds >= 1000000) return -EDOM;
    u64 seconds = time.seconds < 0 ? 0 : time.seconds > 1000000000 ? 1000000000ul : (u64)time.seconds;
    *timeout_ns = seconds * NS_PER_SECOND + (u64)time.microseconds * 1000;
    return 0;
}

/* Buffers have one size and closing never lingers: these may be set, without effect. */
static bool is_accepted(int level, int option) {
    return level == SOL_SOCKET &&
           (option == SO_SNDBUF || option == SO_RCVBUF || option == SO_LINGER || option == SO_PASSCRED);
}

int option_set(struct socket *socket, int level, int option, vaddr value, u64 size) {
    i32 number;
    u64 *timeout_ns = find_timeout(socket, level, option);
    if (timeout_ns != NULL) return set_timeout(timeout_ns, value, size);
    if (size < sizeof(number)) return -EINVAL;
    if (copy_from_user(&number, value, sizeof(number)) != 0) return -EFAULT;
    bool *on = find_switch(socket, level, option);
    if (on == NULL) return is_accepted(level, option) ? 0 : -ENOPROTOOPT;
    *on = number != 0;
    return 0;
}

/* The number that an option is, or -ENOPROTOOPT. */
static int get_number(struct socket *socket, int level, int option, i32 *number) {
    const bool *on = find_switch(socket, level, option);
    if (on != NULL) {
        *number = *on;
        return 0;
    }
    if (level != SOL_SOCKET) return -ENOPROTOOPT;
    switch (option) {
    case SO_TYPE: *number = (i32)socket->type; return 0;
    case SO_DOMAIN: *number = socket->family; return 0;
    case SO_PROTOCOL:
        *number = socket->family != AF_INET ? 0 : socket->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
        return 0;
    case SO_ERROR: *number = -socket_take_error(socket); return 0;
    case SO_ACCEPTCONN: *number = socket->state == SOCKET_LISTENING; return 0;
    case SO_SNDBUF:
    case SO_RCVBUF: *number = RING_SIZE; return 0;
    case SO_PASSCRED: *number = 0; return 0;
    default: return -ENOPROTOOPT;
    }
}

union option_value {
    i32 number;
    struct timeval time;
    struct {
        i32 on, seconds;
    } linger;
    u32 owner[3];
};

/* Holds net_lock. The value's size, or -errno. */
static int get_value(struct socket *socket, int level, int option, union option_value *value) {
    const u64 *timeout_ns = find_timeout(socket, level, option);
    memset(value, 0, sizeof(*value));
    if (timeout_ns != NULL) {
        value->time.seconds = (i64)(*timeout_ns / NS_PER_SECOND);
        value->time.microseconds = (i64)(*timeout_ns % NS_PER_SECOND / 1000);
        return sizeof(value->time);
    }
    if (level == SOL_SOCKET && option == SO_LINGER) return sizeof(value->linger);
    if (level == SOL_SOCKET && option == SO_PEERCRED) {
        memcpy(value->owner, &socket->peer_owner, sizeof(value->owner));
        return sizeof(value->owner);
    }
    int error = get_number(socket, level, option, &value->number);
    return error != 0 ? error : (int)sizeof(value->number);
}

int option_get(struct socket *socket, int level, int option, vaddr value_address, vaddr size_address) {
    union option_value value;
    u32 room;
    if (copy_from_user(&room, size_address, sizeof(room)) != 0) return -EFAULT;
    if ((i32)room < 0) return -EINVAL;
    u64 interrupts = spin_lock(&net_lock);
    int size = get_value(socket, level, option, &value);
    spin_unlock(&net_lock, interrupts);
    if (size < 0) return size;
    u32 told = (u32)smaller(room, (usize)size);
    if (copy_to_user(value_address, &value, told) != 0) return -EFAULT;
    return copy_to_user(size_address, &told, sizeof(told));
}
