#include "support_modules/corpus.hpp"

#include <stdexcept>

namespace leanhost::test {

std::filesystem::path corpus(std::string_view library) {
    std::filesystem::path folder =
        std::filesystem::path(LEANHOST_SOURCE_DIR) / "tests/corpus/olean" / library;
    if (!std::filesystem::is_directory(folder))
        throw std::invalid_argument("no " + folder.string());
    return folder;
}

} // namespace leanhost::test
