/* Pipes, and the FIFOs that give them names. */
#pragma once

#include "file.h"
#include "ring.h"

#define PIPE_SIZE RING_SIZE

bool is_pipe(const struct file *file);
int fifo_open(struct file *file, u32 flags); /* file->inode is a FIFO; blocks for the other side */
