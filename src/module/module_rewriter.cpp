#include "module/module_rewriter.hpp"

#include "base/failure.hpp"
#include "module/object_walk.hpp"
#include "object/nat_ref.hpp"

namespace leanhost::module {
namespace {

using object::ObjectRef;
using object::ObjectTag;

const std::byte* bytes_of(ObjectRef object) {
    return reinterpret_cast<const std::byte*>(object.word());
}

std::span<const ObjectRef> children_of(ObjectRef object) {
    const PointerWords words = pointer_words(object.header(), bytes_of(object));
    return {reinterpret_cast<const ObjectRef*>(bytes_of(object) + words.first_offset), words.count};
}

// Limbs of a big number of either encoding, the least significant first.
std::vector<std::uint64_t> limbs_of(ObjectRef big, bool& is_negative) {
    const bool is_gmp = object::big_encoding(big) == object::BigEncoding::gmp;
    std::uint64_t digit_bytes_in_all = 0;
    const std::byte* digits = bytes_of(big);
    if (is_gmp) {
        const auto& gmp = *reinterpret_cast<const object::GmpObject*>(big.word());
        is_negative = gmp.signed_limbs < 0;
        digit_bytes_in_all =
            8 * static_cast<std::uint64_t>(std::abs(std::int64_t{gmp.signed_limbs}));
        digits += sizeof(object::GmpObject);
    } else {
        const auto& native = *reinterpret_cast<const object::LeanNativeBigObject*>(big.word());
        is_negative = native.is_negative != 0;
        digit_bytes_in_all = 4 * native.size;
        digits += sizeof(object::LeanNativeBigObject);
    }
    std::vector<std::uint64_t> limbs((digit_bytes_in_all + 7) / 8);
    if (!limbs.empty())
        std::memcpy(limbs.data(), digits, digit_bytes_in_all);
    return limbs;
}

std::uint64_t base_address_for(const Region::Part& first, const RewriteOptions& options) {
    if (options.base_address)
        return *options.base_address;
    if (first.header.version->has_base_address)
        return first.header.base_address;
    fail(ErrorCode::invalid_argument,
         first.path.string() + ": a file of 2020 has no base address; rewriting it needs one",
         {{"file", first.path.string()}});
}

} // namespace

// Depth first, fields in order, a parent when all its children are there: the order of Lean's
// compactor (src/runtime/compact.cpp). The stack may hold an object several times.
BuiltRef ObjectCopier::copy(ObjectRef root) {
    if (root.is_scalar())
        return BuiltRef(root.word());
    todo_.push_back(root);
    while (!todo_.empty()) {
        const ObjectRef object = todo_.back();
        if (!copied_.contains(object.word())) {
            if (!collect_children(object))
                continue;
            copied_.emplace(object.word(), copy_one(object));
        }
        todo_.pop_back();
    }
    return copied_.at(root.word());
}

// Fills `children_`; if some are missing, puts them on the stack and says false.
bool ObjectCopier::collect_children(ObjectRef object) {
    const std::span<const ObjectRef> originals = children_of(object);
    const std::size_t known_todo = todo_.size();
    children_.resize(originals.size());
    for (std::size_t i = originals.size(); i-- > 0;) {
        if (originals[i].is_scalar()) {
            children_[i] = BuiltRef(originals[i].word());
        } else if (const auto known = copied_.find(originals[i].word()); known != copied_.end()) {
            children_[i] = known->second;
        } else {
            todo_.push_back(originals[i]);
        }
    }
    return todo_.size() == known_todo;
}

BuiltRef ObjectCopier::copy_one(ObjectRef object) {
    switch (const std::uint8_t tag = object.header().tag) {
    case ObjectTag::array:
        return to_.mk_array(children_);
    case ObjectTag::scalar_array:
        return to_.mk_scalar_array(object.header().other, object.scalar_array());
    case ObjectTag::string:
        return to_.mk_string(object.string());
    case ObjectTag::mpz:
        return copy_big_number(object);
    case ObjectTag::thunk:
    case ObjectTag::task:
    case ObjectTag::ref:
        return to_.mk_boxed(tag, children_[0]);
    default:
        return copy_constructor(object);
    }
}

BuiltRef ObjectCopier::copy_constructor(ObjectRef object) {
    const std::size_t scalars_begin = sizeof(object::ObjectHeader) + 8 * children_.size();
    return to_.mk_constructor(object.header().tag, children_,
                              {bytes_of(object) + scalars_begin, object.scalar_area_bytes()});
}

BuiltRef ObjectCopier::copy_big_number(ObjectRef object) {
    bool is_negative = false;
    const std::vector<std::uint64_t> limbs = limbs_of(object, is_negative);
    return to_.mk_big_number(limbs, is_negative);
}

std::vector<BuiltPart> rewrite_module(const Region& region, const RewriteOptions& options) {
    const Region::Part& first = region.parts().front();
    ObjectBuilder builder(base_address_for(first, options));
    ObjectCopier copier(builder);
    for (std::size_t i = 0; i < region.parts().size(); ++i) {
        builder.finish_part(copier.copy(region.root(i)));
    }
    const LeanStamp stamp =
        options.stamp.value_or(LeanStamp{first.header.lean_version, first.header.githash});
    std::vector<BuiltPart> parts = std::move(builder).take_parts();
    for (BuiltPart& part : parts)
        write_header_v2(part, stamp);
    return parts;
}

} // namespace leanhost::module
