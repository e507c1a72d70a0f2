#pragma once

#include "module/reachable_objects.hpp"
#include "object/constant_info.hpp"
#include "object/expr_ref.hpp"

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace leanhost::module {

/// What one part of a module holds. The values are columns of `stats_columns`, which says what each
/// means and what it is called outside; nullopt: the part's format does not have it.
struct ModuleStats {
    std::string file;
    std::string format;
    std::optional<std::string> lean_version;
    std::optional<std::string> githash;

    std::uint64_t imports = 0;
    std::optional<std::uint64_t> constant_names;
    std::uint64_t constants = 0;
    std::array<std::uint64_t, object::num_constant_kinds> constants_by_kind{};
    std::uint64_t names = 0;
    std::uint64_t levels = 0;
    std::uint64_t terms = 0;
    std::array<std::uint64_t, object::ExprRef::num_kinds> terms_by_kind{};

    std::optional<std::uint64_t> flags;
    std::optional<std::uint64_t> base_address;
    std::optional<bool> base_address_is_of_module;
    std::uint64_t file_bytes = 0;
    std::uint64_t root_fields = 0;
    std::optional<bool> is_module;
    std::optional<std::uint64_t> extra_constant_names;
    std::uint64_t entries = 0;
    std::uint64_t entry_items = 0;
    std::array<std::uint64_t, 3> definitions_by_safety{};
    std::uint64_t compiler_stage_constants = 0;
    std::optional<std::uint64_t> names_with_other_hash;
    ReachableObjects objects;
    std::uint64_t payload_bytes = 0;
    std::vector<std::string> import_lines;
};

/// Counts what the part at `part` of the region holds, what it uses of earlier parts included.
/// Cost: linear in the parts, the text of names once for each name with it; private bytes: 3/32 of
/// their size. Throws Failure invalid_input (file, offset): an object of another kind than its
/// place asks for, a module name of more than 4,096 bytes, or more than 64 MiB of them.
ModuleStats module_stats_of(const Region& region, std::size_t part);

/// Null, a number, a text or several.
using StatsValue =
    std::variant<std::monostate, std::uint64_t, std::string, std::vector<std::string>>;

/// A value of ModuleStats under the name that it has in JSON output and in the test data's table.
struct StatsColumn {
    std::string_view name;
    StatsValue (*value)(const ModuleStats&);
};
std::span<const StatsColumn> stats_columns() noexcept;
/// Those that the table keeps in its column `extra`.
std::span<const StatsColumn> stats_extra_columns() noexcept;

} // namespace leanhost::module
