#include "module/reading_outcome.hpp"

#include "module/module_stats.hpp"
#include "module/real_modules.hpp"
#include "module/region_in_memory.hpp"
#include "module/typed_objects.hpp"
#include "object/data_words.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace leanhost::test {
namespace {

using module::Region;

void walk(const Region& region, std::size_t part) {
    static_cast<void>(module::module_stats_of(region, part));
    const module::TypedObjects objects(region, part);
    for (const auto mode : {object::HashMode::lean_2020, object::HashMode::lean_2023}) {
        const object::DataWords words(mode);
        std::uint64_t sum = 0; // so that nothing is left out as unused
        objects.names().sweep([&](auto o) { sum += words.of_name(object::NameRef(o)); });
        objects.levels().sweep([&](auto o) { sum += words.of_level(object::LevelRef(o)); });
        objects.terms().sweep([&](auto o) { sum += words.of_term(object::ExprRef(o)); });
        volatile std::uint64_t sink = sum;
        static_cast<void>(sink);
    }
}

ReadingOutcome refused(const Error& error, bool by_walk) {
    const bool is_known =
        error.code() == ErrorCode::invalid_input || error.code() == ErrorCode::unsupported_version;
    EXPECT_TRUE(is_known) << error.id() << ": " << error.message();
    const auto* offset = error.find_fact("offset");
    EXPECT_NE(offset, nullptr) << "no offset: " << error.message();
    return {true, by_walk, error.code(), error.message(),
            offset != nullptr ? std::get<std::uint64_t>(*offset) : 0};
}

void expect_names_a_file(const Error& error, const std::vector<std::filesystem::path>& parts) {
    const auto* file = error.find_fact("file");
    ASSERT_NE(file, nullptr) << "no file: " << error.message();
    const auto& path = std::get<std::string>(*file);
    EXPECT_NE(std::find(parts.begin(), parts.end(), std::filesystem::path(path)), parts.end())
        << path;
    EXPECT_TRUE(error.message().starts_with(path)) << error.message();
}

// Runs the two steps of reading and says how they ended.
template <class Map, class Walk>
ReadingOutcome
outcome_of(Map&& map, Walk&& walk_it, const std::vector<std::filesystem::path>& parts) {
    bool is_walking = false;
    try {
        const auto mapped = std::forward<Map>(map)();
        is_walking = true;
        std::forward<Walk>(walk_it)(mapped);
        return {};
    } catch (const Failure& failure) {
        expect_names_a_file(failure.error(), parts);
        return refused(failure.error(), is_walking);
    } catch (const std::exception& e) {
        ADD_FAILURE() << "neither read nor refused: " << e.what();
        return {};
    }
}

} // namespace

ReadingOutcome read_module(const std::vector<std::filesystem::path>& parts, module::Trust trust) {
    module::RegionRegistry registry;
    return outcome_of(
        [&] { return registry.acquire(open_module(parts, parts.size(), trust), trust); },
        [&](const auto& region) { walk(*region, parts.size() - 1); }, parts);
}

ReadingOutcome read_in_memory(const Bytes& file) {
    return outcome_of([&] { return RegionInMemory(file); },
                      [](const RegionInMemory& memory) { walk(*memory, 0); },
                      {RegionInMemory::path});
}

} // namespace leanhost::test
