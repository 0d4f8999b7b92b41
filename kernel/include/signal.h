/* Signals: Linux's numbers and structures, which both architectures share, and what the kernel does with them. */
#pragma once

#include "arch_types.h"
#include "types.h"

#define SIGHUP    1
#define SIGINT    2
#define SIGQUIT   3
#define SIGILL    4
#define SIGTRAP   5
#define SIGABRT   6
#define SIGBUS    7
#define SIGFPE    8
#define SIGKILL   9
#define SIGUSR1   10
#define SIGSEGV   11
#define SIGUSR2   12
#define SIGPIPE   13
#define SIGALRM   14
#define SIGTERM   15
#define SIGSTKFLT 16
#define SIGCHLD   17
#define SIGCONT   18
#define SIGSTOP   19
#define SIGTSTP   20
#define SIGTTIN   21
#define SIGTTOU   22
#define SIGURG    23
#define SIGXCPU   24
#define SIGXFSZ   25
#define SIGVTALRM 26
#define SIGPROF   27
#define SIGWINCH  28
#define SIGIO     29
#define SIGPWR    30
#define SIGSYS    31
#define SIGNALS   64

#define SIG_DFL 0ul
#define SIG_IGN 1ul

#define SA_NOCLDSTOP 0x00000001ul
#define SA_NOCLDWAIT 0x00000002ul
#define SA_SIGINFO   0x00000004ul
#define SA_RESTORER  0x04000000ul
#define SA_ONSTACK   0x08000000ul
#define SA_RESTART   0x10000000ul
#define SA_NODEFER   0x40000000ul
#define SA_RESETHAND 0x80000000ul

#define SI_USER    0
#define SI_KERNEL  0x80
#define SI_TIMER   (-2)
#define SI_TKILL   (-6)
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_STOPPED   5
#define CLD_CONTINUED 6
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN  1
#define BUS_ADRERR  2
#define ILL_ILLOPC  1
#define FPE_INTDIV  1
#define TRAP_BRKPT  1

#define SS_ONSTACK 1u
#define SS_DISABLE 2u
#define MINIMUM_SIGNAL_STACK 2048

static inline u64 signal_bit(int signal) { return 1ul << (signal - 1); }

/* As user space passes it to rt_sigaction. */
struct signal_action {
    u64 handler, flags, restorer, mask;
};

/* siginfo_t: the fields that its sender knows, and room up to Linux's 128 bytes. */
struct signal_info {
    i32 signal, error, code, padding;
    union {
        struct {
            u32 pid, uid;
            i32 status;
        } sender;
        u64 address;
        u8 room[112];
    };
};
_Static_assert(sizeof(struct signal_info) == 128, "siginfo_t");

struct signal_stack {
    u64 base;
    u32 flags, padding;
    u64 size;
};

/* What an architecture needs to put a handler's frame on the user stack. */
struct signal_delivery {
    int signal;
    struct signal_action action;
    struct signal_info info;
    u64 mask;                  /* comes back when the handler returns */
    struct signal_stack stack; /* as set by sigaltstack, for the frame to remember */
    vaddr top;                 /* the frame goes below this */
};

/* A fault by user code: the process gets the signal even if it blocks or ignores it, and then dies of it. */
void signal_fault(struct trap_frame *frame, int signal, int code, vaddr address);
