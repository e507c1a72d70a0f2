#pragma once

#include "base/large_stack.hpp"

namespace leanhost::kernel {

/// Calls `body(stack_limit)` on a stack on which terms of any depth can be checked; `stack_limit`
/// is for TypeChecker::set_stack_limit. Returns and throws what it does.
template <class F>
auto run_on_check_stack(F&& body) {
#ifdef LEANHOST_SANITIZED
    // When an exception leaves many frames, the address sanitizer forgives what they left behind on
    // stacks of less than 64 MiB only.
    constexpr std::size_t stack_bytes = std::size_t{48} << 20;
#else
    constexpr std::size_t stack_bytes = std::size_t{1} << 30;
#endif
    // What is left for functions that do not look, and for what an exception needs.
    constexpr std::size_t reserve_bytes = std::size_t{1} << 18;
    return run_on_large_stack(stack_bytes, [&] {
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        return body(here - stack_bytes + reserve_bytes);
    });
}

} // namespace leanhost::kernel
