// expect: the referent could live on the stack that is gone
// A reference into a stack that is unmapped at return.
#include "base/large_stack.hpp"

int caller(int number) {
#ifdef MISUSE
    return leanhost::run_on_large_stack(65536, [&]() -> int& { return number; });
#else
    return leanhost::run_on_large_stack(65536, [&]() -> int { return number; });
#endif
}
