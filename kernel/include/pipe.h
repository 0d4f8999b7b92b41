/* Pipes, and the FIFOs that give them names. */
#pragma once

#include "file.h"

#define PIPE_SIZE 65536

bool is_pipe(const struct file *file);
int fifo_open(struct file *file, u32 flags); /* file->inode is a FIFO; blocks for the other side */
