#pragma once

#include "object/object_ref.hpp"

#include <string>

namespace leanhost::test {

/// What the MalformedObject says that `f` throws; "" when it throws none.
template <class F>
std::string malformed(F&& f) {
    try {
        std::forward<F>(f)();
    } catch (const object::MalformedObject& e) {
        return e.error().message();
    }
    return "";
}

} // namespace leanhost::test
