#pragma once

#include "module/olean_versions.hpp"
#include "object/object_layout.hpp"

#include <absl/container/flat_hash_set.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace leanhost::module {

/// A value of a module that is being built: a scalar, or the address at which an object stands once
/// its part is mapped at its base address. Means something only to the ObjectBuilder that gave it
/// out.
class BuiltRef {
public:
    constexpr BuiltRef() noexcept : word_(1) {}
    constexpr explicit BuiltRef(std::uint64_t word) noexcept : word_(word) {}

    constexpr std::uint64_t word() const noexcept { return word_; }
    constexpr bool is_scalar() const noexcept { return (word_ & 1U) != 0; }
    bool operator==(const BuiltRef&) const = default;

private:
    std::uint64_t word_;
};
static_assert(sizeof(BuiltRef) == 8);

/// The bytes of one part as a file holds them: room for the header, the root pointer, the objects.
struct BuiltPart {
    static constexpr std::size_t header_bytes =
        88; ///< of the container version that is written, v2

    std::uint64_t base_address;
    std::vector<std::byte> bytes; ///< the header's bytes are zero until `write_header_v2`
    std::uint64_t num_objects;
};

/// Builds the object graph of one module bottom-up, directly in the layout of its files, with
/// maximal sharing: an object equal to one that is there already, in this part or an earlier one,
/// is that one. So equal calls in equal order give equal bytes, and two values are equal exactly
/// when their refs are.
///
/// Big numbers are the exception, as in Lean's compactor: each call makes a new one.
/// Throws Failure: invalid_argument for what the layout cannot hold. Not thread-safe.
/// Cost: a hash look-up for each call; memory is that of the parts, and 17 to 33 bytes for each
/// object.
class ObjectBuilder {
public:
    /// `base_address` is a multiple of 64 KiB: see `base_address_of`.
    explicit ObjectBuilder(std::uint64_t base_address);
    ObjectBuilder(const ObjectBuilder&) = delete;
    ObjectBuilder& operator=(const ObjectBuilder&) = delete;

    /// A number in the word itself, or a constructor without fields. Below 2^63.
    static BuiltRef mk_scalar(std::uint64_t value);
    /// `scalars` is the scalar area behind the fields, wide values first; it is padded to 8 bytes.
    BuiltRef mk_constructor(unsigned index,
                            std::span<const BuiltRef> fields,
                            std::span<const std::byte> scalars = {});
    BuiltRef mk_string(std::string_view utf8);
    BuiltRef mk_array(std::span<const BuiltRef> elements);
    BuiltRef mk_scalar_array(unsigned element_bytes, std::span<const std::byte> elements);
    /// A settled thunk or task, or a reference: `tag` says which.
    BuiltRef mk_boxed(std::uint8_t tag, BuiltRef value);
    /// The scalar, or a big number from 2^63 on.
    BuiltRef mk_nat(std::uint64_t value);
    /// A big number in GMP's encoding; the least significant limb comes first. Zeros on top are
    /// dropped.
    BuiltRef mk_big_number(std::span<const std::uint64_t> limbs, bool is_negative = false);

    /// Ends the part, `root` being its module's data, and begins the next one, behind it.
    void finish_part(BuiltRef root);
    /// The finished parts. The builder is not to be used any more.
    std::vector<BuiltPart> take_parts() &&;

    /// A value of type T inside an object that was built.
    template <class T>
    T load(BuiltRef object, std::size_t offset_bytes) const {
        T value;
        std::memcpy(&value, bytes_at(object.word()) + offset_bytes, sizeof(T));
        return value;
    }
    BuiltRef field(BuiltRef constructor, unsigned i) const {
        return BuiltRef(load<std::uint64_t>(constructor, sizeof(object::ObjectHeader) + 8U * i));
    }
    unsigned num_fields(BuiltRef constructor) const {
        return load<object::ObjectHeader>(constructor, 0).other;
    }

    /// Objects of all parts so far.
    std::uint64_t num_objects() const noexcept;

private:
    struct Shared {
        std::uint64_t address;
        std::uint64_t hash;
    };
    struct SharedHash {
        std::size_t operator()(const Shared& s) const noexcept { return s.hash; }
    };
    struct SharedEq {
        const ObjectBuilder* builder;
        bool operator()(const Shared& known, const Shared& candidate) const;
    };

    void begin_part(std::uint64_t base_address);
    const BuiltPart& part_of(std::uint64_t address) const;
    const std::byte* bytes_at(std::uint64_t address) const;
    std::byte* append(std::size_t bytes);
    BuiltRef keep(const std::byte* object);
    BuiltRef share(const std::byte* object);

    std::vector<BuiltPart> parts_; // the last one is being built; none after take_parts
    absl::flat_hash_set<Shared, SharedHash, SharedEq> shared_;
};

} // namespace leanhost::module
