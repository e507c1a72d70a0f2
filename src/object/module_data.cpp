#include "object/module_data.hpp"

namespace leanhost::object {

ModuleDataRef::ModuleDataRef(ObjectRef object) : object_(object) {
    const bool known = object_.is_constructor() && object_.header().tag == 0 &&
                       (object_.num_fields() == 3 || object_.num_fields() == 5);
    if (!known) {
        throw MalformedObject(object_.word(),
                              "module data (constructor 0 with 3 or 5 object fields)",
                              object_.describe());
    }
    if (has_constant_names() && constant_names().size() != constants().size()) {
        throw MalformedObject(object_.word(), "as many constants as names of constants",
                              "different numbers");
    }
}

std::span<const ObjectRef> ModuleDataRef::constant_names() const {
    if (is_old())
        return {};
    return object_.field(1).array();
}

std::span<const ObjectRef> ModuleDataRef::extra_constant_names() const {
    if (is_old())
        return {};
    return object_.field(3).array();
}

} // namespace leanhost::object
