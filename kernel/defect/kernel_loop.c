/* A search of a list that was made a ring, under a system call, with interrupts on: the CPU ticks, and the thread can be
 * preempted, but never ends. */
#include "defect.h"

#include "kernel.h"

struct node {
    struct node *next;
    const char *name;
};

static struct node nodes[3] = { { &nodes[1], "network" }, { &nodes[2], "networking" }, { &nodes[0], "net" } };

static __attribute__((noinline)) struct node *find_node(struct node *node, const char *name) {
    while (node != NULL && strcmp(node->name, name) != 0) node = __atomic_load_n(&node->next, __ATOMIC_RELAXED);
    return node;
}

static void search_ring(struct trap_frame *frame) {
    if (find_node(nodes, "networks") != NULL) panic("found what is not there");
}

const struct defect defect_kernel_loop = {
    .name = "kernel-loop",
    .sentence = "a system call of the test searches a list that has become a ring, interrupts on",
    .place = DEFECT_IN_CALL,
    .strike = search_ring,
};
