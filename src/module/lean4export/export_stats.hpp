#pragma once

#include "module/lean4export/export_reader.hpp"
#include "module/lean4export/export_table.hpp"

#include <array>

namespace leanhost::module::lean4export {

/// What an export holds, in lines and constants.
struct ExportStats {
    ExportMeta meta;
    ReadFacts read;
    std::uint64_t constants = 0;
    std::array<std::uint64_t, object::num_constant_kinds> constants_by_kind{};
    std::uint64_t names = 0;
    std::uint64_t numeric_names = 0;
    std::uint64_t levels = 0;
    std::array<std::uint64_t, num_level_kinds> levels_by_kind{};
    std::uint64_t terms = 0;
    std::array<std::uint64_t, num_term_kinds> terms_by_kind{};
    std::uint64_t inductive_blocks = 0;
    std::uint64_t recursor_rules = 0;
    std::uint64_t declarations = 0;     ///< lines; formats before 3.0: without the inductive ones
    std::optional<Id> greatest_name_id; ///< formats before 3.0 call all three "i": unknown
    std::optional<Id> greatest_level_id;
    std::optional<Id> greatest_term_id;
};

ExportStats export_stats_of(const ExportTable& table, const ReadFacts& read);

} // namespace leanhost::module::lean4export
