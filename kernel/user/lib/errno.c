#include "errno.h"

const char *errno_name(int number) {
#define ERRNO_NAME(name, value)                                                                                        \
    case value: return #name;
    switch (number) {
        FOR_EACH_ERRNO(ERRNO_NAME)
    default: return "?";
    }
}
