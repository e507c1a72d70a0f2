// expect: unused-result
// Where there is no value to fetch, the error is dropped most easily.
#include <leanhost/expected.hpp>

leanhost::Expected<void> close_all();

bool caller() {
#ifdef MISUSE
    close_all();
#endif
    return close_all().has_value();
}
