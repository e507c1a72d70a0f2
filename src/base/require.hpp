#pragma once

#include <stdexcept>

namespace leanhost {

/// A broken invariant on which soundness or memory safety hangs. Only our own bug can cause it; the
/// guard reports it as `internal` and the object that met it is no longer usable.
class RequirementFailed : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

[[noreturn]] void requirement_failed(const char* condition, const char* file, int line);

} // namespace leanhost

/// Always on: for what soundness or memory safety hangs on.
#define LEANHOST_REQUIRE(condition)                                                                \
    (static_cast<bool>(condition)                                                                  \
         ? static_cast<void>(0)                                                                    \
         : ::leanhost::requirement_failed(#condition, __FILE_NAME__, __LINE__))

/// Development builds only: for what only a bug of ours can cause.
#ifdef LEANHOST_DEVELOPMENT_CHECKS
#define LEANHOST_ASSERT(condition) LEANHOST_REQUIRE(condition)
#else
#define LEANHOST_ASSERT(condition) static_cast<void>(0)
#endif
