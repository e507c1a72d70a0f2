// expect: unused-result
// A chain ends in an Expected as well.
#include <leanhost/expected.hpp>

leanhost::Expected<int> count();

int caller() {
#ifdef MISUSE
    count().map([](int n) { return n + 1; });
#endif
    const auto result = count().map([](int n) { return n + 1; });
    return result ? *result : 0;
}
