#pragma once

#include "object/name_ref.hpp"

namespace leanhost::object {

/// A view of a universe level. Borrows like ObjectRef.
class LevelRef {
public:
    enum class Kind : std::uint8_t { zero, succ, max, imax, param, mvar };
    static constexpr std::uint64_t zero_data = 2221;

    explicit LevelRef(ObjectRef object) noexcept : object_(object) {}

    ObjectRef object() const noexcept { return object_; }
    Kind kind() const;
    /// Of succ.
    LevelRef pred() const { return LevelRef(object_.field(0)); }
    /// Of max and imax.
    LevelRef lhs() const { return LevelRef(object_.field(0)); }
    LevelRef rhs() const { return LevelRef(object_.field(1)); }
    /// Of param and mvar.
    NameRef name() const { return NameRef(object_.field(0)); }
    /// The cached word: 32 bits of hash, flags and depth. Not to be trusted.
    std::uint64_t cached_data() const {
        return object_.is_scalar() ? zero_data : object_.scalar_field<std::uint64_t>(0);
    }

private:
    ObjectRef object_;
};

} // namespace leanhost::object
