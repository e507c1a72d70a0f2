#pragma once

#include "object/nat_ref.hpp"

#include <leanhost/name.hpp>

namespace leanhost::object {

/// A view of a Lean `Name`: anonymous, `prefix.component`, or `prefix.number`. Borrows like
/// ObjectRef.
///
/// What turns a name into text or hashes it is bounded, because a small file can hold any number of
/// names that share one long text or one long chain: beyond the bounds it throws MalformedObject.
class NameRef {
public:
    static constexpr std::size_t max_bytes = 16 * 1024; ///< of all components together
    static constexpr std::size_t max_components = 1024;

    explicit NameRef(ObjectRef object) noexcept : object_(object) {}

    ObjectRef object() const noexcept { return object_; }
    bool is_anonymous() const noexcept { return object_.is_scalar(); }
    bool is_string() const { return !is_anonymous() && object_.constructor_index() == 1; }
    bool is_number() const { return !is_anonymous() && object_.constructor_index() == 2; }

    NameRef prefix() const { return NameRef(object_.field(0)); }
    /// The last component of a name that `is_string`.
    std::string_view string_component() const { return object_.field(1).string(); }
    NatRef number_component() const { return NatRef(object_.field(1)); }
    /// The hash that the file claims. Not to be trusted: see `recomputed_hash`.
    std::uint64_t cached_hash() const {
        return is_anonymous() ? 1723 : object_.scalar_field<std::uint64_t>(0);
    }

    /// Throws MalformedObject unless this is a name as far as its last component.
    void require_well_formed() const;

    /// The hash by today's function, from the text alone, whatever version made the file.
    std::uint64_t recomputed_hash() const;
    /// An owned copy. A number that does not fit 64 bits becomes its text.
    Name to_name(std::size_t most_bytes = max_bytes) const;
    std::string to_string() const;

    bool operator==(const NameRef& other) const;
    bool operator==(const Name& other) const;

private:
    ObjectRef object_;
};

} // namespace leanhost::object
