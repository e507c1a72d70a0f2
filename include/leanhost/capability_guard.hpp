#pragma once

#include <leanhost/capability_abi.h>

#include <exception>
#include <string_view>

namespace leanhost {

/// For authors of capability libraries in C++: the sink of one call. Header-only, as all of this
/// file; valid during the call, on its thread.
class CapabilitySink {
public:
    explicit CapabilitySink(const leanhost_capability_sink& sink) noexcept : sink_(sink) {}

    /// Gives one row, or the next piece of the result. False: the host wants no more, return soon.
    bool emit(std::string_view bytes) const noexcept {
        return sink_.emit(sink_.context, as_bytes(bytes)) == LEANHOST_CAPABILITY_PROCEED;
    }
    /// For long work between two results.
    bool should_stop() const noexcept {
        return sink_.should_stop(sink_.context) != LEANHOST_CAPABILITY_PROCEED;
    }
    void report_failure(std::string_view message) const noexcept {
        sink_.report_failure(sink_.context, as_bytes(message));
    }

private:
    static leanhost_bytes as_bytes(std::string_view text) noexcept {
        return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
    }
    const leanhost_capability_sink& sink_;
};

/// `body(std::string_view input, CapabilitySink sink)` as a function for the table: what it throws
/// becomes the call's failure, with `what()` as the message. Example:
/// examples/capability/example_capability.cpp.
template <auto body>
std::int32_t capability_guard(leanhost_bytes input, const leanhost_capability_sink* sink) noexcept {
    constexpr std::int32_t failed = 1;
    const CapabilitySink to(*sink);
    try {
        body(std::string_view(reinterpret_cast<const char*>(input.data), input.size), to);
        return LEANHOST_CAPABILITY_OK;
    } catch (const std::exception& error) {
        to.report_failure(error.what());
    } catch (...) {
        to.report_failure("an exception of unknown type");
    }
    return failed;
}

} // namespace leanhost
