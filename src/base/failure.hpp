#pragma once

#include <leanhost/expected.hpp>

#include <exception>

namespace leanhost {

/// An Error on its way up inside a layer. Never crosses a public function, a thread or a process:
/// `guarded` turns it back into a value.
class Failure : public std::exception {
public:
    explicit Failure(Error error) : error_(std::move(error)) {}
    const char* what() const noexcept override { return error_.message().c_str(); }
    const Error& error() const noexcept { return error_; }

private:
    Error error_;
};

[[noreturn]] inline void
fail(ErrorCode code, std::string message, std::vector<ErrorFact> facts = {}) {
    throw Failure(Error(code, std::move(message), std::move(facts)));
}

/// The value inside, or throws its error as a Failure.
template <class T>
T value_or_throw(Expected<T>&& expected) {
    if (!expected)
        throw Failure(std::move(expected).error());
    if constexpr (!std::is_void_v<T>)
        return *std::move(expected);
}

} // namespace leanhost
