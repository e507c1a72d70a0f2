// The words cached in every real module, recomputed.
#include "module/real_modules.hpp"
#include "module/typed_objects.hpp"
#include "object/data_words.hpp"
#include "support/test_data.hpp"

#include <array>
#include <cstdio>

namespace leanhost::module {
namespace {

using object::DataWords;
using object::ExprRef;
using object::HashMode;
using object::LevelRef;
using object::NameRef;
using object::ObjectRef;

struct Counts {
    std::uint64_t names = 0;
    std::uint64_t levels = 0;
    std::uint64_t terms = 0;
    std::uint64_t name_mismatches = 0;
    std::uint64_t level_mismatches = 0;
    std::uint64_t term_mismatches = 0;
};

// The names, levels and terms of all parts of a module, each once.
struct ModuleObjects {
    explicit ModuleObjects(const Region& region)
        : names(region, region.parts().size()), levels(names), terms(names) {
        for (std::size_t part = 0; part < region.parts().size(); ++part) {
            const TypedObjects objects(region, part);
            objects.names().sweep([&](ObjectRef name) { names.add(name); });
            objects.levels().sweep([&](ObjectRef level) { levels.add(level); });
            objects.terms().sweep([&](ObjectRef term) { terms.add(term); });
        }
    }
    ObjectMarks names;
    ObjectMarks levels;
    ObjectMarks terms;
};

// Each word from the cached words below it, which are in the set and so checked as well.
Counts check_words(const ModuleObjects& objects, HashMode mode) {
    const DataWords words(mode);
    Counts counts;
    objects.names.sweep([&](ObjectRef object) {
        const NameRef name(object);
        ++counts.names;
        if (words.of_name(name) != name.cached_hash())
            ++counts.name_mismatches;
        const bool is_todays = mode == HashMode::lean_2023;
        if (is_todays && name.recomputed_hash() != name.cached_hash())
            ++counts.name_mismatches;
    });
    objects.levels.sweep([&](ObjectRef object) {
        const LevelRef level(object);
        ++counts.levels;
        if (words.of_level(level) != level.cached_data())
            ++counts.level_mismatches;
    });
    objects.terms.sweep([&](ObjectRef object) {
        const ExprRef term(object);
        ++counts.terms;
        if (words.of_term(term) != term.cached_data())
            ++counts.term_mismatches;
    });
    return counts;
}

HashMode mode_of(const Region& region) {
    return hash_mode_of(object::ModuleDataRef(region.root(0)),
                        region.parts()[0].header.version->has_base_address);
}

void print(const char* what, const Counts& counts) {
    std::printf("%s: %llu names, %llu levels, %llu terms recomputed\n", what,
                static_cast<unsigned long long>(counts.names),
                static_cast<unsigned long long>(counts.levels),
                static_cast<unsigned long long>(counts.terms));
}

TEST(RealDataWords, AreThoseOfTheModulesTime) {
    LEANHOST_NEEDS_DATA("olean");
    std::array<Counts, 3> by_mode;
    std::size_t num_files = 0;
    RegionRegistry registry;
    for (const auto& files : test::find_modules(test::test_data("olean"))) {
        const RegionHandle region = registry.acquire(test::open_module(files), Trust::stable);
        const HashMode mode = mode_of(*region);
        const Counts counts = check_words(ModuleObjects(*region), mode);
        EXPECT_EQ(counts.name_mismatches, 0U) << files[0];
        EXPECT_EQ(counts.level_mismatches, 0U) << files[0];
        EXPECT_EQ(counts.term_mismatches, 0U) << files[0];
        Counts& sum = by_mode[static_cast<std::size_t>(mode)];
        sum.names += counts.names;
        sum.levels += counts.levels;
        sum.terms += counts.terms;
        num_files += files.size();
    }
    std::printf("%zu files\n", num_files);
    print("2020", by_mode[0]);
    print("2022", by_mode[1]);
    print("2023 and later", by_mode[2]);
    for (const Counts& sum : by_mode)
        EXPECT_GT(sum.terms, 0U);
}

// A harness that cannot fail proves nothing: the functions of another time fit no file.
TEST(RealDataWords, AreNotThoseOfAnotherTime) {
    LEANHOST_NEEDS_DATA("olean");
    RegionRegistry registry;
    const auto modules = test::find_modules(test::test_data("olean/4.0.0-nightly-2022-04-28"));
    ASSERT_FALSE(modules.empty());
    const RegionHandle region = registry.acquire(test::open_module(modules[0]), Trust::stable);
    for (const HashMode mode : {HashMode::lean_2020, HashMode::lean_2023}) {
        const Counts counts = check_words(ModuleObjects(*region), mode);
        EXPECT_GT(counts.term_mismatches, counts.terms / 2);
    }
}

} // namespace
} // namespace leanhost::module
