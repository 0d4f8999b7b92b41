/* Internet sockets on the loopback interface, for tests: ports are the kernel's choice, so that nothing collides. */
#pragma once

#include "system.h"

struct sockaddr_in loopback(uint16_t port);
int bind_loopback(int type, uint16_t *port); /* a bound socket; streams listen */
int connect_loopback(int type, uint16_t port);
