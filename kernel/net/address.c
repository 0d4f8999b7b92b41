/* Addresses: names in the tree, abstract names, and ports of 127.0.0.0/8. */
#include "arch.h"
#include "errno.h"
#include "kernel.h"
#include "path.h"
#include "process.h"
#include "socket.h"

#define FIRST_EPHEMERAL 32768u
#define LAST_EPHEMERAL  60999u
#define LOOPBACK        0x7f000001u

static u16 swap(u16 value) { return __builtin_bswap16(value); }
static bool is_any(u32 host) { return host == 0; }
static bool is_loopback(u32 host) { return (host & 0xff) == 127; } /* the first byte in memory */
static bool is_path(const struct socket_address *address) {
    return address->size > 2 && address->unix_.path[0] != 0;
}

void address_set_inet(struct socket_address *address, u32 host, u16 port) {
    *address = (struct socket_address){ .size = sizeof(struct inet_address) };
    address->inet.family = AF_INET;
    address->inet.host = host;
    address->inet.port = port;
}

/* A path's size is made to count its zero, as Linux tells it. */
int address_from_user(struct socket_address *address, vaddr from, u64 size) {
    memset(address, 0, sizeof(*address));
    if (size < sizeof(u16) || size > sizeof(struct unix_address) + 18) return -EINVAL;
    address->size = (u32)smaller(size, sizeof(struct unix_address));
    if (copy_from_user(&address->family, from, address->size) != 0) return -EFAULT;
    if (address->family == AF_INET) {
        if (size < sizeof(struct inet_address)) return -EINVAL;
        address->size = sizeof(struct inet_address);
    } else if (address->family == AF_UNIX && is_path(address)) {
        usize length = 0;
        while (length < address->size - 2 && address->unix_.path[length] != 0) length++;
        memset(address->unix_.path + length, 0, UNIX_PATH_SIZE - length);
        address->size = (u32)(2 + length + 1);
    }
    return 0;
}

int address_to_user(const struct socket_address *address, vaddr to, vaddr size_address) {
    u32 room, size = (u32)smaller(address->size, sizeof(struct unix_address) + 1);
    if (copy_from_user(&room, size_address, sizeof(room)) != 0) return -EFAULT;
    if ((i32)room < 0) return -EINVAL;
    if (copy_to_user(to, &address->family, smaller(room, smaller(size, sizeof(struct unix_address)))) != 0)
        return -EFAULT;
    return copy_to_user(size_address, &size, sizeof(size));
}

static int path_of(struct path *path, const struct socket_address *address) {
    char text[UNIX_PATH_SIZE + 1] = "";
    memcpy(text, address->unix_.path, UNIX_PATH_SIZE);
    return path_from_kernel(path, current_process()->cwd, text);
}

int address_find_inode(const struct socket_address *address, struct inode **inode) {
    struct path path;
    *inode = NULL;
    if (address->family != AF_UNIX || !is_path(address)) return 0;
    int error = path_of(&path, address);
    if (error != 0) return error;
    error = path_resolve(&path, true, inode);
    path_finish(&path);
    if (error != 0) return error;
    error = !S_ISSOCK((*inode)->mode) ? -ECONNREFUSED : inode_permission(*inode, MAY_WRITE);
    if (error == 0) return 0;
    inode_put(*inode);
    *inode = NULL;
    return error;
}

/* UNIX */

static struct socket *find_unix(const struct socket_address *address, const struct inode *inode) {
    for (struct socket *socket = all_sockets; socket != NULL; socket = socket->next) {
        if (!socket->named) continue;
        bool same_text = !is_path(&socket->local) && socket->local.size == address->size &&
                         memcmp(&socket->local.unix_, &address->unix_, address->size) == 0;
        if (inode != NULL ? socket->inode == inode : same_text) return socket;
    }
    return NULL;
}

static bool path_exists(const struct socket_address *address) {
    struct path path;
    struct inode *inode;
    if (path_of(&path, address) != 0) return false;
    bool exists = path_resolve(&path, false, &inode) == 0;
    if (exists) inode_put(inode);
    path_finish(&path);
    return exists;
}

static int make_socket_inode(const struct socket_address *address, struct inode **inode) {
    struct path path;
    int error = path_of(&path, address);
    if (error != 0) return error;
    u64 interrupts = spin_lock(&tree_lock);
    error = path_walk(&path, false);
    if (error == 0) error = path_create(&path, S_IFSOCK | (0777 & ~current_process()->umask), 0, inode);
    spin_unlock(&tree_lock, interrupts);
    path_finish(&path);
    return error == -EEXIST ? -EADDRINUSE : error;
}

/* bind with nothing but the family: a name of the kernel's choice, five hexadecimal digits. */
static void choose_abstract(struct socket_address *address) {
    static u32 last;
    do {
        format_text(address->unix_.path + 1, 6, "%05x", ++last & 0xfffff);
        address->size = 2 + 6;
    } while (find_unix(address, NULL) != NULL);
}

static int bind_unix(struct socket *socket, struct socket_address *address) {
    struct inode *inode = NULL;
    if (socket->local.size != 0) return is_path(address) && path_exists(address) ? -EADDRINUSE : -EINVAL;
    int error = is_path(address) ? make_socket_inode(address, &inode) : 0;
    if (error != 0) return error;
    u64 interrupts = spin_lock(&net_lock);
    if (address->size == 2) choose_abstract(address);
    if (inode == NULL && find_unix(address, NULL) != NULL) error = -EADDRINUSE;
    if (error == 0) {
        socket->local = *address;
        socket->inode = inode;
        socket->named = true;
    }
    spin_unlock(&net_lock, interrupts);
    return error;
}

/* INET */

static bool overlaps(const struct socket *one, const struct inet_address *other) {
    u32 host = one->local.inet.host;
    return one->local.inet.port == other->port &&
           (host == other->host || is_any(host) || is_any(other->host));
}

/* Holds net_lock. Two may share an address if both said so, but not with one that listens. */
static bool is_taken(const struct socket *asking, const struct inet_address *address) {
    for (struct socket *socket = all_sockets; socket != NULL; socket = socket->next) {
        if (socket == asking || socket->family != AF_INET || socket->type != asking->type) continue;
        if (socket->local.size == 0 || !overlaps(socket, address)) continue;
        bool shared = (socket->reuse_address && asking->reuse_address && socket->state != SOCKET_LISTENING) ||
                      (socket->reuse_port && asking->reuse_port);
        if (!shared) return true;
    }
    return false;
}

static int choose_port(struct socket *socket, struct inet_address *address) {
    static u32 last = LAST_EPHEMERAL;
    for (u32 count = FIRST_EPHEMERAL; count <= LAST_EPHEMERAL; count++) {
        last = last >= LAST_EPHEMERAL ? FIRST_EPHEMERAL : last + 1;
        address->port = swap((u16)last);
        bool reuse = socket->reuse_address;
        socket->reuse_address = false; /* nobody asked for a shared port */
        bool taken = is_taken(socket, address);
        socket->reuse_address = reuse;
        if (!taken) return 0;
    }
    return -EADDRINUSE;
}

static int bind_inet(struct socket *socket, struct socket_address *address) {
    u32 host = address->inet.host;
    u16 port = swap(address->inet.port);
    if (!is_any(host) && !is_loopback(host)) return -EADDRNOTAVAIL;
    if (port > 0 && port < 1024 && current_process()->uid != 0) return -EACCES;
    u64 interrupts = spin_lock(&net_lock);
    int error = 0;
    if (socket->local.size != 0)
        error = -EINVAL;
    else if (port == 0)
        error = choose_port(socket, &address->inet);
    else if (is_taken(socket, &address->inet))
        error = -EADDRINUSE;
    if (error == 0) address_set_inet(&socket->local, host, address->inet.port);
    spin_unlock(&net_lock, interrupts);
    return error;
}

int address_bind(struct socket *socket, struct socket_address *address) {
    if (address->family != socket->family) return socket->family == AF_UNIX ? -EINVAL : -EAFNOSUPPORT;
    return socket->family == AF_UNIX ? bind_unix(socket, address) : bind_inet(socket, address);
}

int address_bind_any(struct socket *socket) {
    if (socket->family != AF_INET || socket->local.size != 0) return 0;
    struct socket_address address;
    address_set_inet(&address, 0, 0);
    int error = choose_port(socket, &address.inet);
    if (error == 0) socket->local = address;
    return error;
}

/* A datagram socket that has a peer hears only that one. An exact address is better than any. */
static unsigned match_inet(const struct socket *socket, const struct socket *from,
                           const struct inet_address *to) {
    if (socket->family != AF_INET || socket->type != from->type || socket->local.size == 0) return 0;
    if (socket->type == SOCK_STREAM ? socket->state != SOCKET_LISTENING : false) return 0;
    if (socket->local.inet.port != to->port) return 0;
    if (!is_any(socket->local.inet.host) && socket->local.inet.host != to->host) return 0;
    unsigned score = is_any(socket->local.inet.host) ? 1 : 2;
    if (socket->type == SOCK_DGRAM && socket->state == SOCKET_CONNECTED) {
        bool from_peer = socket->remote.inet.port == from->local.inet.port;
        return from_peer ? score + 2 : 0;
    }
    return score;
}

int address_find(const struct socket *from, const struct socket_address *to, const struct inode *inode,
                 struct socket **found) {
    *found = NULL;
    if (from->family == AF_UNIX) {
        *found = find_unix(to, inode);
        if (*found == NULL) return -ECONNREFUSED;
        return (*found)->type != from->type ? -EPROTOTYPE : 0;
    }
    struct inet_address target = to->inet;
    if (is_any(target.host)) target.host = __builtin_bswap32(LOOPBACK);
    if (!is_loopback(target.host)) return -ENETUNREACH;
    unsigned best = 0;
    for (struct socket *socket = all_sockets; socket != NULL; socket = socket->next) {
        unsigned score = match_inet(socket, from, &target);
        if (score > best) best = score, *found = socket;
    }
    return best > 0 ? 0 : -ECONNREFUSED;
}
