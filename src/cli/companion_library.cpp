#include "cli/companion_library.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

namespace leanhost::cli {
namespace {

namespace fs = std::filesystem;

std::array<fs::path, 2> companion_folders() {
    const fs::path own = fs::read_symlink("/proc/self/exe").parent_path();
    return {own, (own / LEANHOST_COMPANIONS_FROM_COMMAND).lexically_normal()};
}

} // namespace

std::optional<fs::path> find_companion_library(std::string_view name) {
    for (const fs::path& folder : companion_folders()) {
        std::error_code ignored;
        if (fs::is_regular_file(folder / name, ignored))
            return folder / name;
    }
    return std::nullopt;
}

fs::path companion_library(std::string_view name) {
    if (auto found = find_companion_library(name))
        return *std::move(found);
    const auto folders = companion_folders();
    fail(ErrorCode::not_found,
         fmt::format("{} is neither in {} nor in {}: build or install all of leanhost", name,
                     folders[0].string(), folders[1].string()),
         {{"library", std::string(name)}});
}

std::string preload_entry(const fs::path& library) {
    const char* const others = std::getenv("LD_PRELOAD"); // NOLINT(concurrency-mt-unsafe)
    const bool has_others = others != nullptr && *others != '\0';
    return fmt::format("LD_PRELOAD={}{}{}", library.string(), has_others ? ":" : "",
                       has_others ? others : "");
}

} // namespace leanhost::cli
