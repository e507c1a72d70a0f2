#pragma once

#include <leanhost/library.hpp>

#include <functional>
#include <string_view>
#include <vector>

namespace leanhost {

/// Takes one row, whose bytes are valid during the call only. `stop` ends the work with
/// `cancelled`, an exception with `sink_failed`.
using RowSink = std::function<SinkAnswer(std::string_view row)>;

/// What a call that ran to its end delivered. Without it the rows before do not count.
struct RowSummary {
    std::uint64_t rows = 0;
    std::uint64_t row_bytes = 0;
};

/// A user's library of named functions from bytes to bytes or to rows, found through a C table:
/// leanhost/capability_abi.h. Works with every engine.
///
/// Copies share the library and hold the runtime; a call keeps both until it returns. May be used
/// from many threads at once, which the library must allow as well. The library runs in this
/// process and is trusted with it: what it tells is checked, what it does is not.
class Capabilities {
public:
    /// Loads the library and takes over its table.
    /// Errors: linking; unsupported_version (found, known); invalid_input (a table that breaks the
    /// rules of the interface).
    static Expected<Capabilities> load(Runtime runtime, const std::filesystem::path& path);

    const std::string& name() const noexcept;
    const std::string& version() const noexcept;
    /// Names of the functions, in the table's order.
    const std::vector<std::string>& names() const noexcept;

    /// Runs the function `name`, which gives bytes, on `input`. Bytes need not be text.
    /// `options`: progress is told of each piece, the library sees a cancellation when it asks.
    /// Errors: not_found (names what there is); invalid_argument (it gives rows); capability_failed
    /// (with the function's own message); cancelled; sink_failed (the progress sink);
    /// resource_exhausted.
    Expected<std::string>
    call(std::string_view name, std::string_view input, const CallOptions& options = {}) const;

    /// Runs the function `name`, which gives rows, on `input`. Rows come one by one, on this
    /// thread. Errors: as above, sink_failed for `rows` as well.
    Expected<RowSummary> call_rows(std::string_view name,
                                   std::string_view input,
                                   const RowSink& rows,
                                   const CallOptions& options = {}) const;

private:
    struct State;
    explicit Capabilities(std::shared_ptr<const State> state) : state_(std::move(state)) {}
    std::shared_ptr<const State> state_;
};

} // namespace leanhost
