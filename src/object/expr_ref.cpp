#include "object/expr_ref.hpp"

namespace leanhost::object {
namespace {

// In the module format of April 2022 and before, binder info and the non-dependent flag are bits of
// the cached word; since then they are a byte behind it. (docs/olean-format.md)
constexpr unsigned data_bytes = 8;
constexpr unsigned old_binder_info_shift = 37;
constexpr unsigned old_non_dep_shift = 36;

} // namespace

ExprRef::Kind ExprRef::kind() const {
    static constexpr unsigned fields_of_kind[num_kinds] = {1, 1, 1, 1, 2, 2, 3, 3, 4, 1, 2, 3};
    const std::uint64_t index = object_.constructor_index();
    if (object_.is_scalar() || index >= num_kinds ||
        object_.num_fields() != fields_of_kind[index]) {
        throw MalformedObject(object_.word(), "term", object_.describe());
    }
    return static_cast<Kind>(index);
}

BinderInfo ExprRef::binder_info() const {
    const std::uint64_t info = object_.scalar_area_bytes() > data_bytes
                                   ? object_.scalar_field<std::uint8_t>(data_bytes)
                                   : (cached_data() >> old_binder_info_shift) & 7U;
    if (info > 3)
        throw MalformedObject(object_.word(), "binder info of 0 to 3", "another byte");
    return static_cast<BinderInfo>(info);
}

bool ExprRef::let_non_dep() const {
    return object_.scalar_area_bytes() > data_bytes
               ? object_.scalar_field<std::uint8_t>(data_bytes) != 0
               : ((cached_data() >> old_non_dep_shift) & 1U) != 0;
}

bool ExprRef::literal_is_nat() const {
    const ObjectRef literal = object_.field(0);
    const std::uint64_t index = literal.constructor_index();
    if (index > 1)
        throw MalformedObject(literal.word(), "literal", literal.describe());
    return index == 0;
}

ExprRef::ChildFields ExprRef::child_fields() const {
    switch (kind()) {
    case Kind::app:
        return {0, 2};
    case Kind::lam:
    case Kind::forall_e:
        return {1, 2};
    case Kind::let_e:
        return {1, 3};
    case Kind::mdata:
        return {1, 1};
    case Kind::proj:
        return {2, 1};
    default:
        return {0, 0};
    }
}

} // namespace leanhost::object
