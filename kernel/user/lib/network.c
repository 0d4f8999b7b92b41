#include "network.h"
#include "test.h"

struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){ AF_INET, htons(port), htonl(INADDR_LOOPBACK), { 0 } };
}

int bind_loopback(int type, uint16_t *port) {
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = (int)CHECK_OK(socket(AF_INET, type, 0));
    CHECK_OK(bind(fd, &address, sizeof address));
    CHECK_OK(getsockname(fd, &address, &size));
    CHECK_EQUAL(size, sizeof address);
    CHECK_EQUAL(ntohl(address.sin_addr), INADDR_LOOPBACK);
    CHECK(address.sin_port != 0);
    if (type == SOCK_STREAM) CHECK_OK(listen(fd, 8));
    *port = ntohs(address.sin_port);
    return fd;
}

int connect_loopback(int type, uint16_t port) {
    struct sockaddr_in address = loopback(port);
    int fd = (int)CHECK_OK(socket(AF_INET, type, 0));
    CHECK_OK(connect(fd, &address, sizeof address));
    return fd;
}
