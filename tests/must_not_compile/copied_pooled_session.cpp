// expect: deleted
// Two owners would give one session back twice.
#include <leanhost/session_pool.hpp>

leanhost::PooledSession caller(leanhost::PooledSession owner) {
#ifdef MISUSE
    leanhost::PooledSession copy = owner;
#else
    leanhost::PooledSession copy = std::move(owner);
#endif
    return copy;
}
