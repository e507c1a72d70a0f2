#include "worker/protocol/busy_wait.hpp"

#include <leanhost/worker_options.hpp>

#include <fmt/format.h>

namespace leanhost {
namespace {

Error out_of_range(std::string_view option, std::string value, std::string_view accepted) {
    return Error(ErrorCode::invalid_argument,
                 fmt::format("worker option '{}': {}, expected {}", option, value, accepted))
        .with("option", std::string(option))
        .with("value", std::move(value))
        .with("accepted", std::string(accepted));
}

} // namespace

Expected<void> validate(const WorkerOptions& options) {
    constexpr unsigned most_running = 64;
    if (options.max_running_requests < 1 || options.max_running_requests > most_running)
        return out_of_range("max_running_requests", std::to_string(options.max_running_requests),
                            "1 to 64");
    constexpr std::uint32_t most_restarts = 4096;
    if (options.max_unplanned_restarts < 1 || options.max_unplanned_restarts > most_restarts)
        return out_of_range("max_unplanned_restarts",
                            std::to_string(options.max_unplanned_restarts), "1 to 4096");
    if (options.restart_window < std::chrono::milliseconds(1) ||
        options.restart_window > std::chrono::hours(24))
        return out_of_range("restart_window", fmt::format("{} ms", options.restart_window.count()),
                            "1 ms to 1 day");
    if (options.max_sessions < 1)
        return out_of_range("max_sessions", "0", "at least 1");
    if (options.busy_wait.count() < 0 || options.busy_wait > worker::longest_busy_wait)
        return out_of_range("busy_wait", fmt::format("{} us", options.busy_wait.count()),
                            "0 to 1000 us");
    constexpr std::chrono::hours longest{24 * 7};
    const std::pair<std::string_view, std::chrono::milliseconds> times[] = {
        {"start_timeout", options.start_timeout},
        {"request_timeout", options.request_timeout},
        {"shutdown_grace", options.shutdown_grace}};
    for (const auto& [name, time] : times) {
        if (time <= std::chrono::milliseconds::zero() || time > longest)
            return out_of_range(name, fmt::format("{} ms", time.count()), "1 ms to 7 days");
    }
    for (const std::string& variable : options.environment) {
        if (variable.find('=') == std::string::npos || variable.front() == '=')
            return out_of_range("environment", variable, "NAME=value");
    }
    return validate(options.restart_policy);
}

} // namespace leanhost
