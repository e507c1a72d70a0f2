#include "memory/proc_lines.hpp"
#include "memory/smaps_parser.hpp"

#include <leanhost/memory_sample.hpp>

#include <array>
#include <cstdio>

namespace leanhost {
namespace memory {
namespace {

using ProcPath = std::array<char, 48>;

ProcPath path_of(::pid_t pid, const char* file) noexcept {
    ProcPath path;
    std::snprintf(path.data(), path.size(), "/proc/%d/%s", pid, file);
    return path;
}

template <class Fields>
MemorySample sample_from_file(const char* path) noexcept {
    ProcLines lines(path);
    Fields fields;
    while (const auto line = lines.next())
        fields.take_line(*line);
    return lines.has_failed() ? MemorySample{} : fields.to_sample();
}

void fill_missing(std::optional<std::uint64_t>& value,
                  std::optional<std::uint64_t> other) noexcept {
    if (!value)
        value = other;
}

MemorySample sample_from_files(const char* rollup_path, const char* status_path) noexcept {
    MemorySample sample = sample_from_file<SmapsFields>(rollup_path);
    if (sample.gauge_bytes() && sample.rss_bytes)
        return sample;
    const MemorySample status = sample_from_file<StatusFields>(status_path);
    fill_missing(sample.anonymous_bytes, status.anonymous_bytes);
    fill_missing(sample.swap_bytes, status.swap_bytes);
    fill_missing(sample.rss_bytes, status.rss_bytes);
    return sample;
}

} // namespace
} // namespace memory

// Not /proc/self: that is the main thread's entry, which has no memory once it has ended.
MemorySample sample_this_process() noexcept {
    return memory::sample_from_files("/proc/thread-self/smaps_rollup", "/proc/thread-self/status");
}

MemorySample sample_process(::pid_t pid) noexcept {
    return memory::sample_from_files(memory::path_of(pid, "smaps_rollup").data(),
                                     memory::path_of(pid, "status").data());
}

std::optional<std::uint64_t> sample_anonymous_fast(::pid_t pid) noexcept {
    const auto path = memory::path_of(pid, "status");
    return memory::sample_from_file<memory::StatusFields>(path.data()).gauge_bytes();
}

} // namespace leanhost
