#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace leanhost {

/// What a process holds in memory at one moment. A value that cannot be had is nullopt, never 0.
/// Source: /proc/<pid>/smaps_rollup (Linux 4.14), else /proc/<pid>/status for the first three.
struct MemorySample {
    std::optional<std::uint64_t> anonymous_bytes; ///< private anonymous pages in memory
    std::optional<std::uint64_t> swap_bytes;      ///< anonymous pages that were swapped out
    std::optional<std::uint64_t> rss_bytes;       ///< resident, clean file pages included
    std::optional<std::uint64_t> pss_bytes;       ///< resident, shared pages divided by sharers
    std::optional<std::uint64_t> uss_bytes;       ///< resident, private only, file pages included
    std::optional<std::uint64_t>
        private_dirty_bytes; ///< private and written, or not yet written back

    /// The gauge that budgets compare: anonymous + swap. Unavailable when either part is.
    std::optional<std::uint64_t> gauge_bytes() const noexcept;

    bool operator==(const MemorySample&) const = default;
};

/// A full sample of the calling process, or of `pid`. Fields of a process that does not exist, may
/// not be read, or has exited and waits to be reaped are all unavailable.
///
/// Cost: the kernel walks the page tables, so it grows with resident memory and a little with the
/// number of mappings. Orders of magnitude: 25 µs for a small process, 0.2 ms at 2,000 mappings, 1
/// ms for each 256 MiB resident. No allocation. Thread-safe. A pid may be reused: holding the child
/// unreaped is the caller's part.
MemorySample sample_this_process() noexcept;
MemorySample sample_process(::pid_t pid) noexcept;

/// The gauge alone (RssAnon + VmSwap of /proc/<pid>/status), for a policy that asks often.
///
/// Cost: some 10 µs, whatever the process holds. No allocation. Thread-safe.
/// The kernel batches these counters per thread (Linux up to 6.1) or per CPU: the value may be off
/// by some hundred KiB for each; the full sample is exact.
std::optional<std::uint64_t> sample_anonymous_fast(::pid_t pid) noexcept;

/// Where memory sits.
///
/// mapped_modules: mappings of `.olean`, `.olean.server`, `.olean.private` and `.ir` files, or of a
/// memfd named leanhost-olean…. relocated_copies and index: anonymous mappings of ours. heap:
/// `[heap]` and anonymous writable mappings without a name. stacks: the main stack and those of
/// threads that are known to be stacks (named by us or by glibc 2.39, or marked in this process);
/// any other thread's stack cannot be told from the heap and counts as heap. other: everything
/// else.
enum class MappingClass : std::uint8_t {
    mapped_modules,
    relocated_copies,
    index,
    heap,
    stacks,
    other
};

inline constexpr std::size_t mapping_class_count = 6;

/// The stable name of `mapping_class`, such as "relocated_copies". Valid for the process's life.
std::string_view mapping_class_name(MappingClass mapping_class) noexcept;

/// What the mappings of one class hold.
struct MappingClassBytes {
    std::uint64_t anonymous_bytes = 0;
    std::uint64_t swap_bytes = 0;
    std::uint64_t rss_bytes = 0;
    std::uint64_t pss_bytes = 0; ///< a sum of values that the kernel cuts to KiB for each mapping
    std::uint64_t mapped_bytes = 0; ///< address space

    std::uint64_t gauge_bytes() const noexcept { return anonymous_bytes + swap_bytes; }
    bool operator==(const MappingClassBytes&) const = default;
};

/// Every mapping of a process, summed by class.
struct MemoryAttribution {
    std::array<MappingClassBytes, mapping_class_count> classes{};
    MappingClassBytes total;

    const MappingClassBytes& of(MappingClass mapping_class) const noexcept {
        return classes[static_cast<std::size_t>(mapping_class)];
    }
    bool operator==(const MemoryAttribution&) const = default;
};

/// Attributes the memory of the calling process, or of `pid`; nullopt when it cannot be read whole,
/// or when its mappings changed under every one of a few attempts.
///
/// For this process our own mappings are known exactly, also where the kernel keeps no names for
/// anonymous memory (CONFIG_ANON_VMA_NAME, Linux 5.17) and where it has merged mappings. For
/// another process on such a kernel relocated_copies and index count as heap, or other once sealed:
/// ask it to attribute itself.
///
/// Cost: as a sample, and the text besides: about 10 ms at 2,000 mappings. No allocation.
/// Thread-safe; mappings that change meanwhile are seen before or after the change. While it runs
/// for this process, other threads wait when they make or drop a mapping of ours.
std::optional<MemoryAttribution> attribute_this_process() noexcept;
std::optional<MemoryAttribution> attribute_process(::pid_t pid) noexcept;

} // namespace leanhost
