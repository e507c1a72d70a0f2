#pragma once

#include <leanhost/memory_sample.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace leanhost::memory {

/// The values that one record of smaps, or all of smaps_rollup, states. A field that is missing,
/// malformed, or too large for its type is nullopt.
struct SmapsFields {
    std::optional<std::uint64_t> rss_bytes;
    std::optional<std::uint64_t> pss_bytes;
    std::optional<std::uint64_t> private_clean_bytes;
    std::optional<std::uint64_t> private_dirty_bytes;
    std::optional<std::uint64_t> anonymous_bytes;
    std::optional<std::uint64_t> swap_bytes;

    /// Takes over a line such as "Rss:   1708 kB"; ignores any other.
    void take_line(std::string_view line) noexcept;

    MemorySample to_sample() const noexcept;
};

/// The values of /proc/<pid>/status that a sample can use, as SmapsFields.
struct StatusFields {
    std::optional<std::uint64_t> anonymous_bytes; ///< RssAnon
    std::optional<std::uint64_t> swap_bytes;      ///< VmSwap
    std::optional<std::uint64_t> rss_bytes;       ///< VmRSS

    void take_line(std::string_view line) noexcept;
    MemorySample to_sample() const noexcept;
};

/// The first line of a record of smaps. The views point into the line.
struct MappingHeader {
    std::uintptr_t begin;
    std::uintptr_t end;
    std::string_view permissions; ///< such as "rw-p"
    std::string_view name;        ///< a path, a name in brackets, or empty
};

/// Whether `line` starts a record: fields start with a capital letter, records with an address.
bool is_mapping_header(std::string_view line) noexcept;

/// Parses "begin-end perms offset device inode  name"; nullopt when it is malformed or ends early.
std::optional<MappingHeader> parse_mapping_header(std::string_view line) noexcept;

/// Whole texts at once.
MemorySample parse_smaps_rollup(std::string_view text) noexcept;
MemorySample parse_status(std::string_view text) noexcept;

/// Calls `on_line` for each line of `text`, without its end.
template <class F>
void for_each_line(std::string_view text, F&& on_line) {
    while (!text.empty()) {
        const std::size_t newline = text.find('\n');
        on_line(text.substr(0, newline));
        text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    }
}

} // namespace leanhost::memory
