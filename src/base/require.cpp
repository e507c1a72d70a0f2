#include "base/require.hpp"

#include <string>

namespace leanhost {

void requirement_failed(const char* condition, const char* file, int line) {
    throw RequirementFailed(std::string("broken invariant '") + condition + "' at " + file + ":" +
                            std::to_string(line));
}

} // namespace leanhost
