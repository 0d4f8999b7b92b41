/* poll(2) and select(2): one queue for all who wait for any file. */
#pragma once

/* Woken whenever a file's readiness may have changed. Call it after the change, under the lock that guards
 * the change; the locks inside are innermost but for the scheduler's. */
void poll_notify(void);
