/* Kernel threads against a shared lock-free list: see stress/. */
#pragma once

struct file_operations;

extern const struct file_operations stress_device_operations; /* /dev/stress */
