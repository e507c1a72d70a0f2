#include "base/guard.hpp"
#include "base/monitor.hpp"
#include "host/capability_table.hpp"

#include <leanhost/capabilities.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace leanhost {
namespace {

using host::CapabilityFunction;
using host::CapabilityTable;

constexpr std::size_t max_message_bytes = 1024;

// Null where nothing may be read.
const char* text_at(leanhost_bytes bytes) {
    return bytes.size <= PTRDIFF_MAX ? reinterpret_cast<const char*>(bytes.data) : nullptr;
}

// At most `max_message_bytes` of it, cut where a character starts.
std::string_view bounded_message(std::string_view message) {
    if (message.size() <= max_message_bytes)
        return message;
    std::size_t end = max_message_bytes;
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U)
        --end;
    return message.substr(0, end);
}

// One call of a library's function. What goes wrong in the sink's functions waits here until the
// library has returned: nothing may be thrown through it.
class CapabilityCall {
public:
    using Receive = std::function<void(std::string_view)>; // may throw Failure

    CapabilityCall(Receive receive, Monitor& monitor)
        : receive_(std::move(receive)), monitor_(monitor) {}

    // Throws the Failure with which the call ended, if it did.
    void
    run(const CapabilityFunction& function, const CapabilityTable& table, std::string_view input) {
        monitor_.check();
        const leanhost_capability_sink sink{this, &emit, &report_failure, &should_stop};
        const leanhost_bytes bytes{reinterpret_cast<const unsigned char*>(input.data()),
                                   input.size()};
        const std::int32_t status = run_guarded(function, bytes, sink);
        if (failure_)
            throw Failure(*std::move(failure_));
        if (status != LEANHOST_CAPABILITY_OK)
            fail_as_told(function, table, status);
    }

private:
    std::int32_t run_guarded(const CapabilityFunction& function,
                             leanhost_bytes input,
                             const leanhost_capability_sink& sink) {
        // The interface forbids exceptions. Where one can be caught all the same, it is a failure
        // like others.
        try {
            return function.call(input, &sink);
        } catch (const std::exception& error) {
            message_ = std::string("an exception left the library: ") + error.what();
        } catch (...) {
            message_ = "an exception of unknown type left the library";
        }
        return -1;
    }

    [[noreturn]] void fail_as_told(const CapabilityFunction& function,
                                   const CapabilityTable& table,
                                   std::int32_t status) const {
        fail(ErrorCode::capability_failed,
             fmt::format("{} {}, function '{}': {}", table.name, table.version, function.name,
                         message_.empty() ? "it failed and gave no reason" : message_),
             {{"capability", table.name},
              {"function", function.name},
              {"status", std::to_string(status)}});
    }

    // Answers the library; remembers the first failure, after which nothing is done any more.
    template <class F>
    std::int32_t answer(F&& step) noexcept {
        if (!failure_) {
            auto done = guarded("Capabilities", std::forward<F>(step));
            if (!done)
                failure_ = std::move(done).error();
        }
        return failure_ ? LEANHOST_CAPABILITY_STOP : LEANHOST_CAPABILITY_PROCEED;
    }

    static std::int32_t emit(void* context, leanhost_bytes bytes) noexcept {
        auto& call = *static_cast<CapabilityCall*>(context);
        return call.answer([&] {
            call.monitor_.check();
            const char* const text = text_at(bytes);
            if (text == nullptr && bytes.size > 0) {
                fail(ErrorCode::capability_failed, "the library gave bytes that cannot be");
            }
            call.receive_({text, bytes.size});
        });
    }

    static std::int32_t should_stop(void* context) noexcept {
        auto& call = *static_cast<CapabilityCall*>(context);
        return call.answer([&] { call.monitor_.check(); });
    }

    static void report_failure(void* context, leanhost_bytes message) noexcept {
        auto& call = *static_cast<CapabilityCall*>(context);
        const char* const text = text_at(message);
        if (text == nullptr)
            return;
        // Without memory for it the message is lost; the status still tells of the failure.
        static_cast<void>(guarded("Capabilities", [&] {
            call.message_ = bounded_message({text, message.size});
        }));
    }

    Receive receive_;
    Monitor& monitor_;
    std::string message_;
    std::optional<Error> failure_;
};

void give_row(const RowSink& sink, std::string_view row, std::uint64_t rows_before) {
    SinkAnswer answer;
    try {
        answer = sink(row);
    } catch (const std::exception& error) {
        fail(ErrorCode::sink_failed, std::string("the row sink threw: ") + error.what());
    } catch (...) {
        fail(ErrorCode::sink_failed, "the row sink threw");
    }
    if (answer == SinkAnswer::stop) {
        fail(ErrorCode::cancelled, "stopped by the row sink", {{"rows", rows_before + 1}});
    }
}

} // namespace

struct Capabilities::State {
    State(Library l, CapabilityTable t) : library(std::move(l)), table(std::move(t)) {
        for (const CapabilityFunction& function : table.functions)
            names.push_back(function.name);
    }

    const CapabilityFunction& function(std::string_view name, bool gives_rows) const {
        const auto& all = table.functions;
        const auto it =
            std::find_if(all.begin(), all.end(), [&](const auto& f) { return f.name == name; });
        if (it == all.end())
            fail_unknown(name);
        if (it->gives_rows != gives_rows) {
            fail(ErrorCode::invalid_argument,
                 fmt::format("{}: the function '{}' gives {}: use {}", table.name, name,
                             gives_rows ? "bytes" : "rows", gives_rows ? "call" : "call_rows"));
        }
        return *it;
    }

    [[noreturn]] void fail_unknown(std::string_view name) const {
        const std::string known = fmt::format("{}", fmt::join(names, ", "));
        fail(ErrorCode::not_found,
             fmt::format("{} {} has no function '{}'; it has: {}", table.name, table.version, name,
                         known.empty() ? "none" : known),
             {{"capability", table.name}, {"function", std::string(name)}, {"known", known}});
    }

    const Library library; // holds the runtime
    const CapabilityTable table;
    std::vector<std::string> names;
};

Expected<Capabilities> Capabilities::load(Runtime runtime, const std::filesystem::path& path) {
    return guarded("Capabilities::load", [&] {
        Library library = value_or_throw(Library::open(std::move(runtime), path));
        void* const symbol = value_or_throw(library.find_symbol("leanhost_capability_table_v1"));
        const auto entry = reinterpret_cast<decltype(&leanhost_capability_table_v1)>(symbol);
        CapabilityTable table = host::read_capability_table(entry(), library.path().string());
        return Capabilities(std::make_shared<const State>(std::move(library), std::move(table)));
    });
}

const std::string& Capabilities::name() const noexcept {
    return state_->table.name;
}
const std::string& Capabilities::version() const noexcept {
    return state_->table.version;
}
const std::vector<std::string>& Capabilities::names() const noexcept {
    return state_->names;
}

Expected<std::string> Capabilities::call(std::string_view name,
                                         std::string_view input,
                                         const CallOptions& options) const {
    return guarded("Capabilities::call", [&, state = state_] {
        const CapabilityFunction& function = state->function(name, false);
        Monitor monitor(options.progress, options.cancellation);
        std::string result;
        CapabilityCall call(
            [&](std::string_view piece) {
                result += piece;
                monitor.report("call", result.size(), 0);
            },
            monitor);
        call.run(function, state->table, input);
        return result;
    });
}

Expected<RowSummary> Capabilities::call_rows(std::string_view name,
                                             std::string_view input,
                                             const RowSink& rows,
                                             const CallOptions& options) const {
    return guarded("Capabilities::call_rows", [&, state = state_] {
        const CapabilityFunction& function = state->function(name, true);
        Monitor monitor(options.progress, options.cancellation);
        RowSummary summary;
        CapabilityCall call(
            [&](std::string_view row) {
                give_row(rows, row, summary.rows);
                ++summary.rows;
                summary.row_bytes += row.size();
                monitor.report("rows", summary.rows, 0);
            },
            monitor);
        call.run(function, state->table, input);
        return summary;
    });
}

} // namespace leanhost
