#include "module/reachable_objects.hpp"

#include "module/object_marks.hpp"
#include "module/object_walk.hpp"
#include "object/nat_ref.hpp"

#include <cstdlib>

namespace leanhost::module {
namespace {

using object::ObjectRef;
using object::ObjectTag;

std::uint64_t round_up(std::uint64_t bytes) {
    return (bytes + 7) & ~std::uint64_t{7};
}

template <class T>
const T& as(ObjectRef object) {
    return *reinterpret_cast<const T*>(object.word());
}

std::uint64_t big_number_bytes(ObjectRef big) {
    if (object::big_encoding(big) == object::BigEncoding::gmp) {
        const std::int64_t limbs = as<object::GmpObject>(big).signed_limbs;
        return sizeof(object::GmpObject) + 8 * static_cast<std::uint64_t>(std::abs(limbs));
    }
    const auto& native = as<object::LeanNativeBigObject>(big);
    return sizeof(native) + round_up(4 * native.size);
}

// Adds the object to the count of its class and returns its size.
std::uint64_t count_one(ReachableObjects& counts, ObjectRef object) {
    switch (object.header().tag) {
    case ObjectTag::array:
        ++counts.arrays;
        return sizeof(object::ArrayObject) + 8 * object.array().size();
    case ObjectTag::scalar_array:
        ++counts.scalar_arrays;
        return sizeof(object::ScalarArrayObject) + round_up(object.scalar_array().size());
    case ObjectTag::string:
        ++counts.strings;
        return round_up(sizeof(object::StringObject) + object.string().size() + 1);
    case ObjectTag::mpz:
        ++counts.big_numbers;
        return big_number_bytes(object);
    case ObjectTag::thunk:
        ++counts.thunks;
        return sizeof(object::ThunkObject);
    case ObjectTag::task:
        ++counts.tasks;
        return sizeof(object::TaskObject);
    case ObjectTag::ref:
        ++counts.refs;
        return sizeof(object::RefObject);
    default:
        ++counts.constructors;
        return object.header().cs_sz;
    }
}

template <class F>
void for_each_pointer(ObjectRef object, F&& f) {
    const auto* const at = reinterpret_cast<const std::byte*>(object.word());
    const PointerWords words = pointer_words(object.header(), at);
    for (std::size_t i = 0; i < words.count; ++i) {
        std::uint64_t word;
        std::memcpy(&word, at + words.first_offset + 8 * i, sizeof(word));
        if (const ObjectRef target(word); !target.is_scalar())
            f(target);
    }
}

} // namespace

std::uint64_t ReachableObjects::size() const noexcept {
    return constructors + arrays + strings + big_numbers + scalar_arrays + thunks + tasks + refs;
}

ReachableObjects count_reachable_objects(const Region& region, std::size_t part) {
    ReachableObjects counts;
    ObjectMarks marks(region, part + 1);
    marks.add(region.root(part));
    marks.sweep_part(part, [&](ObjectRef object) {
        counts.size_bytes += count_one(counts, object);
        for_each_pointer(object, [&](ObjectRef target) { marks.add(target); });
    });
    // What lies in earlier parts was marked, but not followed.
    counts.earlier_objects = marks.size() - counts.size();
    return counts;
}

} // namespace leanhost::module
