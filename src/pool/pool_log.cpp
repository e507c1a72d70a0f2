#include "pool/pool_log.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>

#include <chrono>

namespace leanhost {
namespace {

constexpr std::size_t max_file_bytes = std::size_t{16} << 20;
constexpr std::size_t files_kept = 3;

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

} // namespace

PoolLog::PoolLog(const std::filesystem::path& path) {
    if (path.empty())
        return;
    try {
        auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
            path.string(), max_file_bytes, files_kept);
        // Not registered by name: pools of one process may log to different files.
        logger_ = std::make_shared<spdlog::logger>("leanhost.pool", std::move(sink));
        logger_->set_pattern("%v");
        logger_->flush_on(spdlog::level::info);
        // A full disk must not end the work that is logged about.
        logger_->set_error_handler([](const std::string&) {});
    } catch (const spdlog::spdlog_ex& error) {
        fail(ErrorCode::io, fmt::format("pool log {}: {}", path.string(), error.what()));
    }
}

PoolLog::~PoolLog() = default;

void PoolLog::write(std::string_view event,
                    std::string_view imports,
                    std::uint64_t generation,
                    std::string_view text) {
    if (logger_ == nullptr)
        return;
    const nlohmann::ordered_json line{{"time_ms", now_ms()},
                                      {"event", event},
                                      {"imports", imports},
                                      {"generation", generation},
                                      {"text", text}};
    logger_->info(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

} // namespace leanhost
