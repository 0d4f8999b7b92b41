/* Character devices, found by the number in their node. */
#pragma once

#include "inode.h"

int device_open(struct file *file, u32 flags); /* file->inode is the node */
void devices_init(struct inode *root);
