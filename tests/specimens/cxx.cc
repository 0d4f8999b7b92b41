/* A lock that is taken and never given back, with C++'s names and no debug information. */
extern "C" {
#include "specimen.h"
}

namespace Kernel {

class SpinLock {
public:
    NOINLINE void lock()
    {
        while (__atomic_exchange_n(&held, 1, __ATOMIC_ACQUIRE))
            while (held) relax();
    }
    void unlock() { __atomic_store_n(&held, 0, __ATOMIC_RELEASE); }

private:
    volatile u8 held = 0;
};

template<typename Lock> class Locker {
public:
    explicit Locker(Lock &taken) : lock(taken) { lock.lock(); }
    ~Locker() { lock.unlock(); }

private:
    Lock &lock;
};

class FileSystem {
public:
    NOINLINE u32 lookup(u32 name)
    {
        if (!name) lock.lock(); /* nobody gives it back */
        return name ? read_inode(name) : 0;
    }

private:
    NOINLINE u32 read_inode(u32 number)
    {
        Locker<SpinLock> locker(lock);
        return number + opened++;
    }

    SpinLock lock;
    u32 opened = 0;
};

static FileSystem root;

}

void kernel_main()
{
    mask_interrupts();
    print(Kernel::root.lookup(0) + Kernel::root.lookup(1) ? "yes\n" : "no\n");
}
