/* Which thread runs where. */
#pragma once

#include "process.h"
#include "types.h"

#define TICK_NS 10000000ul /* 100 Hz */

void scheduler_init(void);      /* the boot thread becomes CPU 0's idle thread */
struct thread *idle_thread_create(unsigned cpu);
noreturn void idle_loop(void);

struct thread *thread_create(const char *name);     /* with a stack, in no queue */
void thread_destroy(struct thread *thread);          /* one that never ran */
void thread_start(struct thread *thread);            /* READY, for the first time */
noreturn void thread_exit(void);
void thread_interrupt(struct thread *thread);        /* end an interruptible sleep */

void schedule(void);            /* let others run */
void preempt_if_needed(void);   /* on the way out of an interrupt, interrupts off */
void timer_tick(bool from_user); /* each CPU's, 100 times a second */
void thread_entered(void);      /* the first thing a new thread's entry code calls */
