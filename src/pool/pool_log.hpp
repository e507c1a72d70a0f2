#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

namespace spdlog {
class logger;
}

namespace leanhost {

/// The pool's log: one JSON object a line, in files that rotate. Does nothing without a path.
/// Thread-safe.
class PoolLog {
public:
    /// Throws Failure `io`.
    explicit PoolLog(const std::filesystem::path& path);
    ~PoolLog();

    /// `event`: started, restarting, ended, refused, evicted, no_cgroup.
    void write(std::string_view event,
               std::string_view imports,
               std::uint64_t generation,
               std::string_view text);

private:
    std::shared_ptr<spdlog::logger> logger_;
};

} // namespace leanhost
