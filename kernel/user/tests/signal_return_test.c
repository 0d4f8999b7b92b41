/* signal_return: after a handler the interrupted code goes on as if nothing had been: registers, flags, stack, mask,
 * and the result of the interrupted call. */
#include "test.h"

static volatile int calls;

/* Leaves none of the registers alone that a call may change. */
static void scribble(int signal) {
    volatile unsigned long noise[64];
    for (int i = 0; i < 64; i++) noise[i] = ~0ul - (unsigned long)i * (unsigned long)signal;
    unsigned long sum = 0;
    for (int i = 0; i < 64; i++) sum += noise[i];
    calls += sum != 1;
}

/* The sum of a long calculation that signals interrupt anywhere. */
static unsigned long calculate(unsigned rounds) {
    unsigned long a = 1, b = 2, c = 3, d = 5, e = 7, f = 11, g = 13, h = 17;
    for (unsigned i = 0; i < rounds; i++) {
        a += b ^ i, b += c * 3, c ^= d >> 2, d += e + 1, e ^= f << 1, f += g, g ^= h + i, h += a;
        if (a < b && (c & 1)) d ^= 0x55;
    }
    return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
}

static void registers_survive_signals_at_any_place(void) {
    enum { ROUNDS = 400000, WANTED = 20 };
    unsigned long expected = calculate(ROUNDS);
    struct itimerval fast = { { 0, 1000 }, { 0, 1000 } }, none = { { 0 }, { 0 } };
    CHECK_OK(handle_signal(SIGALRM, scribble, 0));
    CHECK_OK(setitimer(ITIMER_REAL, &fast, NULL));
    long limit = now_ms() + 1500;
    calls = 0;
    while (calls < WANTED && now_ms() < limit) CHECK_EQUAL(calculate(ROUNDS), expected);
    CHECK_OK(setitimer(ITIMER_REAL, &none, NULL));
    CHECK(calls >= WANTED);
    say("a calculation was right through %d interruptions", calls);
    _exit(0);
}

static void the_mask_comes_back(void) {
    sigset_t own = signal_bit(SIGUSR2) | signal_bit(SIGHUP), after;
    CHECK_OK(sigprocmask(SIG_SETMASK, &own, NULL));
    CHECK_OK(handle_signal(SIGUSR1, scribble, 0));
    CHECK_OK(raise(SIGUSR1));
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &after));
    CHECK_EQUAL(after, own);
    own = 0;
    CHECK_OK(sigprocmask(SIG_SETMASK, &own, NULL));
    say("the mask was as before");
}

static void an_interrupted_call_fails_with_eintr_or_goes_on(void) {
    int fds[2];
    char byte;
    pid_t parent = getpid();
    CHECK_OK(pipe(fds));
    for (int restart = 0; restart < 2; restart++) {
        struct gate done = make_gate();
        calls = 0;
        CHECK_OK(handle_signal(SIGUSR1, scribble, restart ? SA_RESTART : 0));
        pid_t child = test_fork();
        if (child == 0) {
            sleep_ms(20);
            CHECK_OK(kill(parent, SIGUSR1));
            sleep_ms(20);
            if (restart) CHECK_WRITE(fds[1], "x");
            /* Should the first have come before the read: again, until the parent has got through. */
            while (!restart && !ready_within(done.fds[0], POLLIN, 20)) kill(parent, SIGUSR1);
            _exit(0);
        }
        if (restart)
            CHECK_EQUAL(read(fds[0], &byte, 1), 1);
        else
            CHECK_ERRNO(read(fds[0], &byte, 1), EINTR);
        open_gate(done);
        CHECK_EXIT(child, 0);
        CHECK(calls >= 1);
    }
    say("read gave EINTR, and with SA_RESTART went on");
}

static void the_stack_below_the_frame_is_whole(void) {
    volatile unsigned char bytes[2000];
    for (int i = 0; i < 2000; i++) bytes[i] = (unsigned char)(i * 7);
    calls = 0;
    CHECK_OK(handle_signal(SIGUSR1, scribble, 0));
    for (int i = 0; i < 10; i++) CHECK_OK(raise(SIGUSR1));
    for (int i = 0; i < 2000; i++) CHECK_EQUAL(bytes[i], (unsigned char)(i * 7));
    CHECK_EQUAL(calls, 10);
    say("ten frames left the stack whole");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    CHECK_EXIT(in_child(registers_survive_signals_at_any_place), 0);
    the_mask_comes_back();
    an_interrupted_call_fails_with_eintr_or_goes_on();
    the_stack_below_the_frame_is_whole();
    return test_pass();
}
