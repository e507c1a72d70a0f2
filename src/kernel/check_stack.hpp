#pragma once

#include "base/large_stack.hpp"

namespace leanhost::kernel {

/// Enough for terms that are as deep as anybody's.
inline constexpr std::size_t check_stack_bytes = std::size_t{1} << 30;

/// Calls `body(stack_limit)` on a stack of its own of `stack_bytes`; `stack_limit` is for
/// TypeChecker::set_stack_limit: what would go deeper is declined. Returns and throws what it does.
template <class F>
auto run_on_check_stack(F&& body, std::size_t stack_bytes = check_stack_bytes) {
#ifdef LEANHOST_SANITIZED
    // When an exception leaves many frames, the address sanitizer forgives what they left behind on
    // stacks of less than 64 MiB only.
    stack_bytes = std::size_t{48} << 20;
#endif
    // What is left for functions that do not look, and for what an exception needs.
    constexpr std::size_t reserve_bytes = std::size_t{1} << 18;
    return run_on_large_stack(stack_bytes, [&] {
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        return body(here - stack_bytes + reserve_bytes);
    });
}

} // namespace leanhost::kernel
