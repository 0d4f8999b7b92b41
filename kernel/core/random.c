/* Boot-time bits and the clock through a mixer (splitmix64's). */
#include "arch.h"
#include "kernel.h"

u64 random_word(void) {
    static u64 state;
    u64 value = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15ul ^ arch_entropy(), __ATOMIC_RELAXED);
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ul;
    value = (value ^ value >> 27) * 0x94d049bb133111ebul;
    return value ^ value >> 31;
}
