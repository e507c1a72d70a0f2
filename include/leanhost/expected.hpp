#pragma once

#include <leanhost/error.hpp>

#include <tl/expected.hpp>

#include <type_traits>
#include <utility>

namespace leanhost {

/// A value of type T or an Error. Holds a tl::expected, so that map and and_then compose over our
/// own type and a dropped result warns. Reading the value of a failed one is a bug of the caller.
template <class T>
class [[nodiscard]] Expected {
public:
    using value_type = T;

    template <class U = T,
              std::enable_if_t<std::is_constructible_v<tl::expected<T, Error>, U&&> &&
                                   !std::is_same_v<std::decay_t<U>, Expected> &&
                                   !std::is_same_v<std::decay_t<U>, Error>,
                               int> = 0>
    Expected(U&& value) : value_(std::forward<U>(value)) {} // NOLINT(google-explicit-constructor)
    Expected(Error error)
        : value_(tl::unexpect, std::move(error)) {} // NOLINT(google-explicit-constructor)
    Expected(tl::unexpected<Error> failure)
        : value_(std::move(failure)) {} // NOLINT(google-explicit-constructor)

    explicit operator bool() const noexcept { return value_.has_value(); }
    bool has_value() const noexcept { return value_.has_value(); }

    T& operator*() & { return *value_; }
    const T& operator*() const& { return *value_; }
    T&& operator*() && { return *std::move(value_); }
    T* operator->() { return value_.operator->(); }
    const T* operator->() const { return value_.operator->(); }

    const Error& error() const& { return value_.error(); }
    Error&& error() && { return std::move(value_).error(); }

    /// The error alone, for a caller that returns another value type.
    tl::unexpected<Error> failure() && { return tl::unexpected<Error>(std::move(value_).error()); }

    /// T -> U gives Expected<U>.
    template <class F>
    auto map(F&& f) && -> Expected<std::invoke_result_t<F, T&&>> {
        if (!value_)
            return std::move(value_).error();
        return std::forward<F>(f)(*std::move(value_));
    }

    /// T -> Expected<U> gives Expected<U>.
    template <class F>
    auto and_then(F&& f) && -> std::invoke_result_t<F, T&&> {
        if (!value_)
            return std::move(value_).error();
        return std::forward<F>(f)(*std::move(value_));
    }

private:
    tl::expected<T, Error> value_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Expected<void> {
public:
    using value_type = void;

    Expected() = default;
    Expected(Error error)
        : value_(tl::unexpect, std::move(error)) {} // NOLINT(google-explicit-constructor)
    Expected(tl::unexpected<Error> failure)
        : value_(std::move(failure)) {} // NOLINT(google-explicit-constructor)

    explicit operator bool() const noexcept { return value_.has_value(); }
    bool has_value() const noexcept { return value_.has_value(); }
    const Error& error() const& { return value_.error(); }
    Error&& error() && { return std::move(value_).error(); }
    tl::unexpected<Error> failure() && { return tl::unexpected<Error>(std::move(value_).error()); }

private:
    tl::expected<void, Error> value_;
};

} // namespace leanhost
