#pragma once

#include "memory/page_counter.hpp"
#include "memory/range_registry.hpp"
#include "memory/smaps_parser.hpp"

#include <leanhost/memory_sample.hpp>

#include <optional>
#include <string_view>

namespace leanhost::memory {

/// Sums the lines of /proc/<pid>/smaps by class, one record at a time. No allocation. Not
/// thread-safe.
class AttributionBuilder {
public:
    /// For a process of which only the text is known.
    AttributionBuilder() = default;

    /// For this process: what `known` says about a mapping, or about a part of it, goes before the
    /// kernel's name. Where only a part is known `pages` tells what it holds; where that cannot be
    /// had, the part stays with its mapping. Borrows both.
    AttributionBuilder(const RangeRegistry::Reading& known, PageCounter& pages)
        : known_(&known), pages_(&pages) {}

    void take_line(std::string_view line) noexcept;

    /// nullopt when there was no mapping at all (a process without memory, or gone), when a record
    /// was malformed or incomplete, or when a sum overflows. Call once, after the last line.
    std::optional<MemoryAttribution> finish() noexcept;

    /// Whether two records overlap: the kernel writes a page of text at a time, and a mapping that
    /// grew downwards between two pages is told again. The result would count it twice; ask for a
    /// new text.
    bool is_torn() const noexcept { return torn_; }

private:
    struct Record {
        std::uintptr_t begin;
        std::uintptr_t end;
        MappingClass mapping_class;
        SmapsFields fields;
    };

    void open_record(std::string_view header_line) noexcept;
    void close_record() noexcept;
    MappingClassBytes add_known_parts(const Record& record, MappingClassBytes left) noexcept;
    MappingClassBytes
    part_of(const ClassRange& run, const Record& record, const MappingClassBytes& left) noexcept;
    void add(MappingClass mapping_class, const MappingClassBytes& bytes) noexcept;

    const RangeRegistry::Reading* known_ = nullptr;
    PageCounter* pages_ = nullptr;
    std::optional<Record> record_; // the one whose lines are being read
    MemoryAttribution attribution_;
    std::uintptr_t told_up_to_ = 0; // the end of the last record
    bool torn_ = false;
    bool complete_ = true;
};

} // namespace leanhost::memory
