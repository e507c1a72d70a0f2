#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace leanhost {

/// The stack of a call on a session that may recurse deeply. In a worker it counts against the
/// limit on data: see worker::data_limit_bytes.
inline constexpr std::size_t deep_call_stack_bytes = std::size_t{64} << 20;

/// Runs `step(context)` on a new thread whose stack has `stack_bytes`, and waits for its end.
/// `step` must not throw. Throws Failure `resource_exhausted` when stack or thread cannot be had.
void run_step_on_large_stack(std::size_t stack_bytes, void (*step)(void*) noexcept, void* context);

/// Calls `body` on a stack of its own of `stack_bytes` (rounded up to whole pages), waits, and
/// returns its result or rethrows its exception. Deep recursion over terms belongs here: how deep a
/// caller's own stack reaches is not ours to know.
///
/// Address space is reserved, memory is not: only pages that the recursion touches cost anything,
/// and they are given back before the call returns. Below the stack lies a guard page. Cost: a
/// thread's birth and end, some tens of microseconds. Thread-locals are those of the new thread.
/// Throws Failure `resource_exhausted` when stack or thread cannot be had.
template <class F>
auto run_on_large_stack(std::size_t stack_bytes, F&& body) -> std::invoke_result_t<F> {
    using Result = std::invoke_result_t<F>;
    static_assert(!std::is_reference_v<Result>,
                  "the referent could live on the stack that is gone");
    using Slot = std::conditional_t<std::is_void_v<Result>, std::monostate, std::optional<Result>>;
    struct Context {
        std::remove_reference_t<F>* body;
        Slot result;
        std::exception_ptr thrown;
    };
    Context context{std::addressof(body), {}, nullptr};
    run_step_on_large_stack(
        stack_bytes,
        [](void* opaque) noexcept {
            auto& call = *static_cast<Context*>(opaque);
            try {
                if constexpr (std::is_void_v<Result>) {
                    std::forward<F> (*call.body)();
                } else {
                    call.result.emplace(std::forward<F>(*call.body)());
                }
            } catch (...) {
                call.thrown = std::current_exception();
            }
        },
        &context);
    if (context.thrown)
        std::rethrow_exception(std::move(context.thrown));
    if constexpr (!std::is_void_v<Result>)
        return *std::move(context.result);
}

} // namespace leanhost
