#pragma once

#include "base/failure.hpp"

#include <functional>
#include <new>
#include <stdexcept>
#include <string_view>

namespace leanhost {

/// Turns the exception being handled into an Error; `where` names the public operation.
/// Call only inside a catch block.
Error current_exception_to_error(std::string_view where) noexcept;

/// What `guarded` gives for a body that returns R: an Expected is not wrapped again.
template <class R>
struct GuardedResult {
    using Type = Expected<R>;
};
template <class T>
struct GuardedResult<Expected<T>> {
    using Type = Expected<T>;
};

/// Runs `body` and returns its result, or the Error that stands for whatever it threw. The one
/// function between exceptions inside a layer and values outside (STYLE: errors). `body` may return
/// T or Expected<T>.
template <class F>
auto guarded(std::string_view where, F&& body) noexcept ->
    typename GuardedResult<std::invoke_result_t<F>>::Type {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
            std::forward<F>(body)();
            return {};
        } else {
            return std::forward<F>(body)();
        }
    } catch (...) {
        return current_exception_to_error(where);
    }
}

} // namespace leanhost
