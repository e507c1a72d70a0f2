#include "object/level_ref.hpp"

namespace leanhost::object {

LevelRef::Kind LevelRef::kind() const {
    static constexpr unsigned fields_of_kind[] = {0, 1, 2, 2, 1, 1};
    const std::uint64_t index = object_.constructor_index();
    const unsigned fields = object_.is_scalar() ? 0 : object_.num_fields();
    if (index >= std::size(fields_of_kind) || fields != fields_of_kind[index]) {
        throw MalformedObject(object_.word(), "universe level", object_.describe());
    }
    return static_cast<Kind>(index);
}

} // namespace leanhost::object
