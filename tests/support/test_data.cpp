#include "support/test_data.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace leanhost::test {
namespace {

constexpr std::string_view no_root_reason = "LEANHOST_TEST_DATA is not set; needed from it: ";

} // namespace

std::optional<std::filesystem::path> test_data_root() {
    const char* value = std::getenv("LEANHOST_TEST_DATA");
    if (value == nullptr || *value == '\0')
        return std::nullopt;
    return std::filesystem::path(value);
}

std::filesystem::path test_data(const std::filesystem::path& relative_path) {
    const auto root = test_data_root();
    if (!root)
        throw std::logic_error("test_data() without LEANHOST_NEEDS_DATA before it");
    return *root / relative_path;
}

DataAnswer look_for_data(const std::filesystem::path& relative_path) {
    const auto root = test_data_root();
    if (!root) {
        return {DataAnswer::Kind::no_root, std::string(no_root_reason) + relative_path.string()};
    }
    const auto path = *root / relative_path;
    if (!std::filesystem::exists(path)) {
        return {DataAnswer::Kind::missing, "LEANHOST_TEST_DATA is set, but lacks " + path.string()};
    }
    return {DataAnswer::Kind::present, ""};
}

bool is_skip_for_lack_of_data(const std::string& skip_message) {
    return skip_message.find(no_root_reason) != std::string::npos;
}

} // namespace leanhost::test
