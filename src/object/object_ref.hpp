#pragma once

#include "base/failure.hpp"
#include "object/object_layout.hpp"

#include <cstring>
#include <span>
#include <string_view>

namespace leanhost::object {

/// An object of another kind than the reader expected: the input lies. `address` is where it stands
/// in memory, or the scalar word itself; the module layer turns it into file and offset.
class MalformedObject : public Failure {
public:
    MalformedObject(std::uint64_t word, std::string_view expected, std::string_view found);
    std::uint64_t word() const noexcept { return word_; }

private:
    std::uint64_t word_;
};

/// A view of one Lean value: a scalar in the word itself or the address of an object, compacted or
/// live.
///
/// Borrows: valid as long as what holds the object (a RegionHandle, a live reference) is. Trivially
/// copyable, thread-safe for compacted objects. Every access checks the kind of object and the
/// bounds of the field, and throws MalformedObject; that addresses lead to objects was settled by
/// validation.
class ObjectRef {
public:
    constexpr ObjectRef() noexcept : word_(1) {}
    constexpr explicit ObjectRef(std::uint64_t word) noexcept : word_(word) {}

    std::uint64_t word() const noexcept { return word_; }
    bool operator==(const ObjectRef&) const = default;

    bool is_scalar() const noexcept { return (word_ & 1U) != 0; }
    /// The scalar's value; throws for an object.
    std::uint64_t scalar() const {
        if (!is_scalar())
            throw_kind("scalar");
        return word_ >> 1U;
    }

    bool is_constructor() const noexcept {
        return !is_scalar() && header().tag <= ObjectTag::max_constructor;
    }
    bool is_array() const noexcept { return has_tag(ObjectTag::array); }
    bool is_scalar_array() const noexcept { return has_tag(ObjectTag::scalar_array); }
    bool is_string() const noexcept { return has_tag(ObjectTag::string); }
    bool is_mpz() const noexcept { return has_tag(ObjectTag::mpz); }
    bool is_thunk() const noexcept { return has_tag(ObjectTag::thunk); }
    bool is_task() const noexcept { return has_tag(ObjectTag::task); }
    bool is_ref() const noexcept { return has_tag(ObjectTag::ref); }

    /// The constructor index: of a constructor object, or a scalar that stands for one without
    /// fields.
    std::uint64_t constructor_index() const {
        if (is_scalar())
            return word_ >> 1U;
        if (header().tag > ObjectTag::max_constructor)
            throw_kind("constructor");
        return header().tag;
    }
    unsigned num_fields() const {
        require_constructor();
        return header().other;
    }
    ObjectRef field(unsigned i) const {
        require_constructor();
        if (i >= header().other)
            throw_fields(i + 1);
        return ObjectRef(load<std::uint64_t>(sizeof(ObjectHeader) + 8U * i));
    }
    /// Bytes of the scalar area behind the object fields, padding included.
    unsigned scalar_area_bytes() const {
        require_constructor();
        return header().cs_sz - static_cast<unsigned>(sizeof(ObjectHeader)) - 8U * header().other;
    }
    /// A value of type T at `offset_bytes` in the scalar area. A compacted object of 2020 has no
    /// size of its own (`cs_sz` 0): its reader (the region's validation) has given it one.
    template <class T>
    T scalar_field(unsigned offset_bytes) const {
        if (scalar_area_bytes() < offset_bytes + sizeof(T))
            throw_scalars(offset_bytes + sizeof(T));
        return load<T>(sizeof(ObjectHeader) + 8U * header().other + offset_bytes);
    }

    std::span<const ObjectRef> array() const {
        if (!is_array())
            throw_kind("array");
        return {reinterpret_cast<const ObjectRef*>(word_ + sizeof(ArrayObject)),
                load<std::uint64_t>(offsetof(ArrayObject, size))};
    }
    std::string_view string() const {
        if (!is_string())
            throw_kind("string");
        return {reinterpret_cast<const char*>(word_ + sizeof(StringObject)),
                load<std::uint64_t>(offsetof(StringObject, size)) - 1};
    }
    std::span<const std::byte> scalar_array() const {
        if (!is_scalar_array())
            throw_kind("scalar array");
        return {reinterpret_cast<const std::byte*>(word_ + sizeof(ScalarArrayObject)),
                load<std::uint64_t>(offsetof(ScalarArrayObject, size)) * header().other};
    }
    /// The value inside a thunk, a task or a reference.
    ObjectRef boxed_value() const {
        if (!is_thunk() && !is_task() && !is_ref())
            throw_kind("thunk, task or reference");
        return ObjectRef(load<std::uint64_t>(offsetof(ThunkObject, value)));
    }

    /// Only for an object, never for a scalar.
    const ObjectHeader& header() const noexcept {
        return *reinterpret_cast<const ObjectHeader*>(word_);
    }

    /// What this is, for messages: "scalar 3", "constructor 2 with 1 fields", "string", …
    std::string describe() const;

private:
    bool has_tag(std::uint8_t tag) const noexcept { return !is_scalar() && header().tag == tag; }
    void require_constructor() const {
        if (!is_constructor())
            throw_kind("constructor");
    }
    template <class T>
    T load(std::size_t offset_bytes) const noexcept {
        T value;
        std::memcpy(&value, reinterpret_cast<const std::byte*>(word_) + offset_bytes, sizeof(T));
        return value;
    }
    [[noreturn]] void throw_kind(std::string_view expected) const;
    [[noreturn]] void throw_fields(unsigned wanted) const;
    [[noreturn]] void throw_scalars(std::size_t wanted_bytes) const;

    std::uint64_t word_;
};
static_assert(sizeof(ObjectRef) == 8);

} // namespace leanhost::object
