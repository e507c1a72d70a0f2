#include "module/module_stats.hpp"

#include "module/typed_objects.hpp"
#include "object/data_words.hpp"

#include <fmt/format.h>

namespace leanhost::module {
namespace {

using object::ConstantInfoRef;
using object::ConstantKind;
using object::ExprRef;
using object::ImportRef;
using object::ModuleDataRef;
using object::NameRef;
using object::ObjectRef;

// A module's name is a path on a file system, and those end there.
constexpr std::size_t max_module_name_bytes = 4096;
constexpr std::size_t max_import_text_bytes = std::size_t{64} << 20U;

bool has_base_address(const Region::Part& part) {
    return part.header.version->has_base_address;
}

std::optional<std::string> stated(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

// Whether the base address is that of a module whose name `path` ends with.
bool is_base_address_of_path(std::uint64_t base, const std::filesystem::path& path) {
    const auto module_path = std::filesystem::absolute(path).replace_extension();
    std::vector<Name::Component> components;
    for (const auto& folder : module_path)
        components.push_back({folder.string(), 0, false});
    for (auto from = components.begin(); from != components.end(); ++from) {
        if (base_address_of(Name(std::vector(from, components.end())).hash()) == base)
            return true;
    }
    return false;
}

void read_header(ModuleStats& stats, const Region::Part& part) {
    stats.file = part.path.string();
    stats.format = fmt::format("olean-{}", part.header.version->id);
    stats.lean_version = stated(part.header.lean_version);
    stats.githash = stated(part.header.githash);
    stats.file_bytes = part.bytes.size();
    stats.payload_bytes = part.bytes.size() - part.header.version->header_bytes - sizeof(ObjectRef);
    if (part.header.version->has_flags)
        stats.flags = part.header.gmp_encoding ? 1 : 0;
    if (!has_base_address(part))
        return;
    stats.base_address = part.header.base_address;
    if (part.kind == PartKind::olean) {
        stats.base_address_is_of_module =
            is_base_address_of_path(part.header.base_address, part.path);
    }
}

void require_short(NameRef module) {
    std::size_t bytes = 0;
    for (NameRef at = module; !at.is_anonymous(); at = at.prefix()) {
        bytes += 1 + (at.is_string() ? at.string_component().size() : 1);
        if (bytes > max_module_name_bytes) {
            throw object::MalformedObject(module.object().word(),
                                          "module name of at most 4096 bytes", "a longer one");
        }
    }
}

// Name and flags. A file of 2020 has one flag; later ones have, or have room for, three.
std::string import_line(ImportRef import, bool has_three_flags) {
    require_short(import.module());
    std::string line = import.module().to_string();
    line += import.import_all() ? " 1" : " 0";
    if (has_three_flags) {
        line += import.is_exported() ? '1' : '0';
        line += import.is_meta() ? '1' : '0';
    }
    return line;
}

void read_imports(ModuleStats& stats, const ModuleDataRef& data, const Region::Part& part) {
    stats.imports = data.imports().size();
    std::size_t bytes = 0;
    for (const ObjectRef import : data.imports()) {
        stats.import_lines.push_back(import_line(ImportRef(import), has_base_address(part)));
        bytes += stats.import_lines.back().size();
        if (bytes > max_import_text_bytes) {
            throw object::MalformedObject(import.word(),
                                          "at most 64 MiB of imported modules' names", "more");
        }
    }
}

void read_root(ModuleStats& stats, const ModuleDataRef& data) {
    stats.root_fields = data.num_root_fields();
    stats.constants = data.constants().size();
    if (data.has_constant_names()) {
        stats.constant_names = data.constant_names().size();
        stats.extra_constant_names = data.extra_constant_names().size();
    }
    if (data.states_is_module())
        stats.is_module = data.is_module();
    stats.entries = data.entries().size();
    for (const ObjectRef entries : data.entries()) {
        stats.entry_items += object::ExtensionEntriesRef(entries).entries().size();
    }
}

bool is_compiler_stage(NameRef name) {
    return name.is_string() &&
           (name.string_component() == "_cstage1" || name.string_component() == "_cstage2");
}

void count_constant(ModuleStats& stats, ConstantInfoRef constant) {
    ++stats.constants_by_kind[static_cast<std::size_t>(constant.kind())];
    if (constant.kind() == ConstantKind::definition) {
        ++stats.definitions_by_safety[static_cast<std::size_t>(constant.safety())];
    }
    if (is_compiler_stage(constant.name()))
        ++stats.compiler_stage_constants;
}

void count_typed_objects(ModuleStats& stats, const TypedObjects& objects, bool is_of_2020) {
    stats.names = objects.names().size();
    stats.levels = objects.levels().size() + (objects.has_scalar_level_zero() ? 1 : 0);
    stats.terms = objects.terms().size();
    objects.terms().sweep([&](ObjectRef term) {
        ++stats.terms_by_kind[static_cast<std::size_t>(ExprRef(term).kind())];
    });
    if (is_of_2020)
        return;
    const object::DataWords today(object::HashMode::lean_2023);
    std::uint64_t others = 0;
    objects.names().sweep([&](ObjectRef object) {
        const NameRef name(object);
        if (today.of_name(name) != name.cached_hash())
            ++others;
    });
    stats.names_with_other_hash = others;
}

} // namespace

ModuleStats module_stats_of(const Region& region, std::size_t part_index) {
    const Region::Part& part = region.parts()[part_index];
    const ObjectRef root = region.root(part_index);
    ModuleStats stats;
    read_header(stats, part);
    const TypedObjects objects(region, part_index);
    const ModuleDataRef data = reading_inside(region, root, "module data", [&] {
        const ModuleDataRef result(root);
        read_imports(stats, result, part);
        read_root(stats, result);
        return result;
    });
    for (const ObjectRef constant : data.constants()) {
        reading_inside(region, constant, "constant",
                       [&] { count_constant(stats, ConstantInfoRef(constant)); });
    }
    count_typed_objects(stats, objects, !has_base_address(part));
    stats.objects = count_reachable_objects(region, part_index);
    return stats;
}

} // namespace leanhost::module
