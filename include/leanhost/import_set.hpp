#pragma once

#include <leanhost/name.hpp>

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace leanhost {

/// Which parts of a module-system module a session sees. A module made without the module system
/// has one part, which every profile sees.
enum class Profile : std::uint8_t {
    exported, ///< the public part: theorems without proofs, private declarations absent
    server,   ///< also what an editor needs
    all,      ///< also the private part: everything, with proofs
};

/// What to import, in order: the order is part of what is asked and is kept. A value type.
struct ImportSet {
    std::vector<Name> modules;
    Profile profile = Profile::all;
    /// Leave out modules that are not found, instead of failing: for looking into a library whose
    /// dependencies are absent. Nothing can be checked against such a set.
    bool allow_missing = false;

    ImportSet() = default;
    ImportSet(std::initializer_list<Name> names) : modules(names) {}
    explicit ImportSet(std::vector<Name> names,
                       Profile seen = Profile::all,
                       bool missing_allowed = false)
        : modules(std::move(names)), profile(seen), allow_missing(missing_allowed) {}

    bool operator==(const ImportSet&) const = default;
};

} // namespace leanhost
