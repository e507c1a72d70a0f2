#include "memory/attribution.hpp"

#include "memory/mapping_class.hpp"
#include "memory/proc_lines.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace leanhost {
namespace memory {
namespace {

constexpr std::array byte_counts = {
    &MappingClassBytes::anonymous_bytes, &MappingClassBytes::swap_bytes,
    &MappingClassBytes::rss_bytes, &MappingClassBytes::pss_bytes, &MappingClassBytes::mapped_bytes};

// False when a sum overflows, which no real text can cause.
bool add_to(MappingClassBytes& sum, const MappingClassBytes& bytes) noexcept {
    return std::none_of(byte_counts.begin(), byte_counts.end(), [&](auto count) {
        return __builtin_add_overflow(sum.*count, bytes.*count, &(sum.*count));
    });
}

MappingClassBytes difference(MappingClassBytes bytes, const MappingClassBytes& part) noexcept {
    for (const auto count : byte_counts)
        bytes.*count -= part.*count;
    return bytes;
}

std::uint64_t share_of(std::uint64_t amount, std::uint64_t part, std::uint64_t whole) noexcept {
    __extension__ using Wide = unsigned __int128; // standard C++ has no type this wide
    return whole == 0 ? 0 : static_cast<std::uint64_t>(Wide{amount} * part / whole);
}

std::optional<MappingClassBytes> bytes_of(const SmapsFields& fields,
                                          std::uint64_t mapped_bytes) noexcept {
    if (!fields.anonymous_bytes || !fields.swap_bytes || !fields.rss_bytes || !fields.pss_bytes)
        return std::nullopt;
    return MappingClassBytes{.anonymous_bytes = *fields.anonymous_bytes,
                             .swap_bytes = *fields.swap_bytes,
                             .rss_bytes = *fields.rss_bytes,
                             .pss_bytes = *fields.pss_bytes,
                             .mapped_bytes = mapped_bytes};
}

std::optional<MemoryAttribution> attribute_file(const char* path,
                                                const AttributionBuilder& fresh) noexcept {
    // A torn text needs a merge at the very place where reading stands: twice in a row is bad luck.
    constexpr int max_attempts = 4;
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        AttributionBuilder builder = fresh;
        ProcLines lines(path);
        while (const auto line = lines.next())
            builder.take_line(*line);
        if (lines.has_failed())
            return std::nullopt;
        const auto attribution = builder.finish();
        if (!builder.is_torn())
            return attribution;
    }
    return std::nullopt;
}

} // namespace

void AttributionBuilder::take_line(std::string_view line) noexcept {
    if (is_mapping_header(line)) {
        close_record();
        open_record(line);
    } else if (record_) {
        record_->fields.take_line(line);
    }
}

std::optional<MemoryAttribution> AttributionBuilder::finish() noexcept {
    close_record();
    if (!complete_ || torn_ || attribution_.total.mapped_bytes == 0)
        return std::nullopt;
    return attribution_;
}

void AttributionBuilder::open_record(std::string_view header_line) noexcept {
    const auto header = parse_mapping_header(header_line);
    if (!header) {
        complete_ = false;
        return;
    }
    if (header->begin < told_up_to_)
        torn_ = true;
    told_up_to_ = header->end;
    record_ = Record{header->begin, header->end,
                     classify_mapping(header->name, header->permissions), SmapsFields{}};
}

void AttributionBuilder::close_record() noexcept {
    if (!record_)
        return;
    const Record record = *std::exchange(record_, std::nullopt);
    const auto bytes = bytes_of(record.fields, record.end - record.begin);
    if (!bytes) {
        complete_ = false;
        return;
    }
    add(record.mapping_class, known_ == nullptr ? *bytes : add_known_parts(record, *bytes));
}

// Returns what is left for the mapping's own class.
MappingClassBytes AttributionBuilder::add_known_parts(const Record& record,
                                                      MappingClassBytes left) noexcept {
    for (auto run = known_->first_run(record.begin, record.end); run;
         run = known_->first_run(run->end, record.end)) {
        const MappingClassBytes part = part_of(*run, record, left);
        add(run->mapping_class, part);
        left = difference(left, part);
    }
    return left;
}

// Exact, but for pages that were read and never written: the pagemap shows the zero page as
// anonymous, smaps does not count it. So the part is bounded by what is left, and big mappings of
// ours stand apart (NamedMapping).
MappingClassBytes AttributionBuilder::part_of(const ClassRange& run,
                                              const Record& record,
                                              const MappingClassBytes& left) noexcept {
    if (run.begin == record.begin && run.end == record.end)
        return left;
    const auto pages = pages_->count(run.begin, run.end);
    if (!pages)
        return {};
    MappingClassBytes part;
    part.anonymous_bytes = std::min(pages->anonymous, left.anonymous_bytes);
    part.swap_bytes = std::min(pages->swapped, left.swap_bytes);
    part.rss_bytes = std::min(part.anonymous_bytes + pages->file, left.rss_bytes);
    part.pss_bytes = share_of(left.pss_bytes, part.rss_bytes, left.rss_bytes);
    part.mapped_bytes = run.end - run.begin;
    return part;
}

void AttributionBuilder::add(MappingClass mapping_class, const MappingClassBytes& bytes) noexcept {
    auto& sum = attribution_.classes[static_cast<std::size_t>(mapping_class)];
    if (!add_to(sum, bytes) || !add_to(attribution_.total, bytes))
        complete_ = false;
}

} // namespace memory

// Not /proc/self: that is the main thread's entry, which has no memory once it has ended.
std::optional<MemoryAttribution> attribute_this_process() noexcept {
    const memory::RangeRegistry::Reading known(memory::RangeRegistry::of_this_process());
    memory::PagemapCounter pages;
    return memory::attribute_file("/proc/thread-self/smaps",
                                  memory::AttributionBuilder(known, pages));
}

std::optional<MemoryAttribution> attribute_process(::pid_t pid) noexcept {
    if (pid == ::getpid())
        return attribute_this_process();
    std::array<char, 32> path;
    std::snprintf(path.data(), path.size(), "/proc/%d/smaps", pid);
    return memory::attribute_file(path.data(), memory::AttributionBuilder());
}

} // namespace leanhost
