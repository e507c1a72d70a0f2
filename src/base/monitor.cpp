#include "base/monitor.hpp"

#include "base/failure.hpp"

namespace leanhost {
namespace {

using namespace std::chrono_literals;

SinkAnswer ask(const ProgressSink& sink, const Progress& progress) {
    try {
        return sink(progress);
    } catch (const std::exception& error) {
        fail(ErrorCode::sink_failed, std::string("the progress sink threw: ") + error.what());
    } catch (...) {
        fail(ErrorCode::sink_failed, "the progress sink threw");
    }
}

} // namespace

void Monitor::check() const {
    if (token_.is_cancelled())
        fail(ErrorCode::cancelled, "cancelled by the caller");
}

void Monitor::report(std::string_view phase, std::uint64_t current, std::uint64_t total) {
    check();
    if (!sink_)
        return;
    const auto now = std::chrono::steady_clock::now();
    if (current != total && now - last_report_ < 10ms)
        return;
    last_report_ = now;
    if (ask(sink_, {phase, current, total}) == SinkAnswer::stop) {
        fail(ErrorCode::cancelled, "stopped by the progress sink");
    }
}

} // namespace leanhost
