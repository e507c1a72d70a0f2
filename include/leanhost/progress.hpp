#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace leanhost {

/// How far a long operation has come.
struct Progress {
    std::string_view phase; ///< what is being done, such as "map"; valid during the call only
    std::uint64_t current;  ///< items done
    std::uint64_t total;    ///< items in all; 0 when not known yet
};

/// What a sink tells the operation that called it.
enum class SinkAnswer : bool { proceed, stop };

/// Called from the thread that runs the operation, not more often than every few milliseconds.
/// `stop` ends the operation with `cancelled`; an exception ends it with `sink_failed`.
using ProgressSink = std::function<SinkAnswer(const Progress&)>;

} // namespace leanhost
