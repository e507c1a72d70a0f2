#pragma once

#include "module/part_file.hpp"

#include <leanhost/name.hpp>

#include <vector>

namespace leanhost::module {

/// Folders in which modules are looked for, in order: the module `A.B` is `A/B.olean` below one of
/// them. A value type; looking up asks the file system each time.
class SearchPath {
public:
    SearchPath() = default;
    explicit SearchPath(std::vector<std::filesystem::path> roots) : roots_(std::move(roots)) {}
    /// Folders separated by colons, as in LEAN_PATH; empty ones are left out.
    static SearchPath from_text(std::string_view text);

    const std::vector<std::filesystem::path>& roots() const noexcept { return roots_; }
    bool operator==(const SearchPath&) const = default;

    /// The first folder's file of the module's public part, or nullopt when no folder has one. A
    /// module name that is no relative path (a component empty, "..", or with a slash in it) throws
    /// Failure(invalid_argument); a folder that cannot be searched throws Failure(io).
    std::optional<std::filesystem::path> find(const Name& module) const;
    /// Every module that has its public part in one of the folders, sorted. Folders are walked;
    /// links to folders are not followed. Throws Failure(io) for a folder that cannot be read.
    std::vector<Name> list_modules() const;
    /// Folders separated by colons.
    std::string to_string() const;

private:
    std::vector<std::filesystem::path> roots_;
};

/// `A/B.olean` for the module `A.B`. Throws Failure(invalid_argument) for a name that cannot be
/// one.
std::filesystem::path relative_module_path(const Name& module);

/// The path of a further part beside the public one.
std::filesystem::path part_path(const std::filesystem::path& olean, PartKind kind);

} // namespace leanhost::module
