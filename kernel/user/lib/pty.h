/* Pseudo-terminals for tests: the test types on the master, the programs it tests have the slave. */
#pragma once

#include "system.h"

struct pty {
    int master;
    char path[32]; /* of the slave */
};

struct pty open_pty(void); /* SKIPs the test where there are none */
int open_slave(const struct pty *pty);

/* A child that leads a session of its own with the slave as its controlling terminal and its descriptor 0. It has no
 * descriptor of the master: closing the parent's hangs up. */
pid_t in_session(const struct pty *pty, void (*body)(void));

/* Makes descriptor 0 give single bytes, without echo and signals. */
void make_raw(int fd);
