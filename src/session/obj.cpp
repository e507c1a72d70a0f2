#include "base/guard.hpp"

#include <leanhost/obj.hpp>

namespace leanhost {

Expected<std::string> Obj::type_text(std::size_t max_bytes) const {
    return guarded("Obj::type_text", [&] { return holder_->do_type_text(max_bytes); });
}

} // namespace leanhost
