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

/// Runs `body` and returns its result, or the Error that stands for whatever it threw. The one
/// function between exceptions inside a layer and values outside (STYLE: errors). `body` may return
/// T or Expected<T>.
template <class F>
auto guarded(std::string_view where, F&& body) noexcept {
    using R = std::invoke_result_t<F>;
    constexpr bool returns_expected = requires(R r) {
        typename R::value_type;
        std::move(r).failure();
    };
    if constexpr (returns_expected) {
        try {
            return std::forward<F>(body)();
        } catch (...) {
            return R(current_exception_to_error(where));
        }
    } else {
        try {
            if constexpr (std::is_void_v<R>) {
                std::forward<F>(body)();
                return Expected<void>();
            } else {
                return Expected<R>(std::forward<F>(body)());
            }
        } catch (...) {
            return Expected<R>(current_exception_to_error(where));
        }
    }
}

} // namespace leanhost
