/* Running a program as a job of the terminal: in a process group of its own, in the foreground. */
#pragma once

#include "system.h"

void join_foreground_group(pid_t group, bool foreground); /* in a new child; group 0: one of its own */
void restore_default_signals(void);

/* Runs argv[0] on the terminal at descriptor 0, if there is one; waits for it alone, takes the terminal and its
 * modes back and kills what is left of the group. Gives the wait status; a program that does not exist ends with 127. */
int run_job(char *const argv[]);

void print_begin(const char *nonce, const char *path);
void print_end(const char *nonce, int status);
int status_as_number(int status); /* of the exit, or 128 and the signal, as shells have it */
