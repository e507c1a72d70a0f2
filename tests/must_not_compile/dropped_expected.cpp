// expect: unused-result
// An Expected that nobody reads is an error that nobody sees.
#include <leanhost/expected.hpp>

leanhost::Expected<int> count();

int caller() {
#ifdef MISUSE
    count();
#endif
    const auto result = count();
    return result ? *result : 0;
}
