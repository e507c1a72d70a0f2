// expect: cannot convert|no viable conversion|cannot initialize
// `int n = count();` would read success as 1.
#include <leanhost/expected.hpp>

leanhost::Expected<int> count();

int caller() {
#ifdef MISUSE
    const int n = count();
#else
    const auto result = count();
    const int n = result ? *result : 0;
#endif
    return n;
}
