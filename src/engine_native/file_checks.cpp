#include "engine_native/file_checks.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace leanhost::engine_native {

kernel::CheckOptions file_check_options(const CheckOptions& asked) {
    constexpr unsigned most_jobs = 256;
    kernel::CheckOptions options(asked);
    options.jobs = std::clamp(asked.jobs, 1U, most_jobs);
    constexpr std::size_t least_stack_bytes = std::size_t{1} << 20;
    options.stack_bytes = std::max(deep_call_stack_bytes / options.jobs, least_stack_bytes);
    return options;
}

std::vector<std::uint32_t> places_of(const module::ImportClosure& closure,
                                     std::span<const Name> names) {
    const auto& modules = closure.modules();
    std::vector<std::uint32_t> places;
    if (names.empty()) {
        places.resize(modules.size());
        std::iota(places.begin(), places.end(), 0U);
        return places;
    }
    std::map<Name, std::uint32_t> by_name;
    for (std::uint32_t i = 0; i < modules.size(); ++i)
        by_name.emplace(modules[i].name, i);
    for (const Name& name : names) {
        const auto at = by_name.find(name);
        if (at == by_name.end())
            fail(ErrorCode::not_found,
                 fmt::format("the module {} is not imported", name.to_string()));
        places.push_back(at->second);
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    return places;
}

} // namespace leanhost::engine_native
