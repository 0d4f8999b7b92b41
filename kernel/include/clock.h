/* Time, for calls that wait. */
#pragma once

#include "arch.h"
#include "errno.h"
#include "types.h"

#define NS_PER_SECOND 1000000000ul

struct time_value { /* struct timespec */
    i64 seconds, nanoseconds;
};

/* A struct timespec in user space, as nanoseconds: 0, -EFAULT or -EINVAL. */
static inline int time_from_user(u64 *ns, vaddr from) {
    struct time_value value;
    if (copy_from_user(&value, from, sizeof(value)) != 0) return -EFAULT;
    if (value.seconds < 0 || value.nanoseconds < 0 || value.nanoseconds >= (i64)NS_PER_SECOND) return -EINVAL;
    /* Centuries from now is never; the sum with the clock must not wrap. */
    u64 seconds = value.seconds > 1000000000l ? 1000000000ul : (u64)value.seconds;
    *ns = seconds * NS_PER_SECOND + (u64)value.nanoseconds;
    return 0;
}

u64 clock_realtime_ns(void);
void clock_init(void);
