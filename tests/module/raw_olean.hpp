#pragma once

#include "module/olean_versions.hpp"
#include "module/part_file.hpp"
#include "object/raw_objects.hpp"

#include <string_view>

namespace leanhost::test {

using Bytes = std::vector<std::byte>;

/// A module file laid out by hand: header, objects, root pointer.
class RawOlean {
public:
    /// `version` is the id of a container version. `base` is ignored for v0, which has none.
    explicit RawOlean(std::string_view version, std::uint64_t base = 0x10000000000);

    RawObjects objects;

    /// The module data without imports, constants and entries, in the layout of the version's last
    /// release.
    std::uint64_t empty_module_data();
    std::uint64_t module_data(std::uint64_t imports,
                              std::uint64_t constant_names,
                              std::uint64_t constants,
                              std::uint64_t extra_names,
                              std::uint64_t entries);

    /// The whole file, `root` being what the root pointer says.
    Bytes file(std::uint64_t root) const;
    /// Where in the file the object stands.
    std::size_t offset(std::uint64_t word) const;
    std::size_t root_offset() const;

private:
    Bytes header() const;

    const module::OleanVersion* version_;
    std::uint64_t base_;
};

/// A complete file without imports and constants.
Bytes empty_module(std::string_view version, std::uint64_t base = 0x10000000000);

const module::OleanVersion& version_named(std::string_view id);

Bytes read_file(const std::filesystem::path& path);
std::string_view as_text(const Bytes& bytes);
void store(Bytes& bytes, std::size_t offset, std::uint64_t word);
std::uint64_t load(const Bytes& bytes, std::size_t offset);

/// Maps nothing readable at `address`; null when that place is taken, or is a sanitizer's own.
void* take_place(std::uint64_t address, std::size_t bytes);

/// Some address, aligned as base addresses are, where `bytes` can be mapped now.
std::uint64_t free_base_address(std::size_t bytes);

} // namespace leanhost::test
