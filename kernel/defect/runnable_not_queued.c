/* A thread that gives up its CPU while it is ready is not put back into the run queue: nobody will ever pick it. */
#include "defect.h"

#include "process.h"

static const struct thread *forgotten;

static void yield_for_ever(struct trap_frame *frame) {
    forgotten = current_thread();
    yield();
}

static bool forget(const struct thread *thread) { return thread == forgotten; }

const struct defect defect_runnable_not_queued = {
    .name = "runnable-not-queued",
    .sentence = "the test's thread is ready, and in no run queue",
    .place = DEFECT_IN_CALL,
    .strike = yield_for_ever,
    .requeue = forget,
};
