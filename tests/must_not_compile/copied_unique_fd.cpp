// expect: deleted
// Two owners would close one descriptor twice.
#include "base/unique_fd.hpp"

leanhost::UniqueFd caller(leanhost::UniqueFd owner) {
#ifdef MISUSE
    leanhost::UniqueFd copy = owner;
#else
    leanhost::UniqueFd copy = std::move(owner);
#endif
    return copy;
}
