// Many threads that acquire, copy, read and drop the same modules and different ones.
#include "module/raw_modules.hpp"
#include "module/region_registry.hpp"
#include "module/typed_objects.hpp"
#include "support_modules/corpus.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

namespace leanhost::module {
namespace {

using test::ModuleFiles;

constexpr unsigned num_threads = 8;
constexpr auto duration = std::chrono::seconds(1);

// What one thread does: keeps a few handles, and in each step takes a new one for an old one.
class Visitor {
public:
    Visitor(RegionRegistry& registry, const std::vector<ModuleFiles>& modules, unsigned seed)
        : registry_(registry), modules_(modules), random_(seed), held_(4) {}

    void run(std::chrono::steady_clock::time_point end) {
        while (std::chrono::steady_clock::now() < end)
            step();
    }
    std::uint64_t num_acquired() const { return num_acquired_; }

private:
    void step() {
        RegionHandle& slot = held_[random_() % held_.size()];
        if (random_() % 4 == 0) {
            slot = held_[random_() % held_.size()]; // copies, or drops when it is empty
            return;
        }
        const ModuleFiles& files = modules_[random_() % modules_.size()];
        const std::size_t num_parts = random_() % 2 == 0 ? 1 : files.size();
        const Trust trust = random_() % 8 == 0 ? Trust::hostile : Trust::stable;
        slot = registry_.acquire(test::open_module(files, num_parts, trust), trust);
        ++num_acquired_;
        EXPECT_EQ(slot->parts().size(), num_parts);
        if (random_() % 16 == 0)
            read(*slot);
    }
    void read(const Region& region) {
        const TypedObjects objects(region, region.parts().size() - 1);
        EXPECT_GT(objects.names().size(), 0U);
    }

    RegionRegistry& registry_;
    const std::vector<ModuleFiles>& modules_;
    std::mt19937 random_;
    std::vector<RegionHandle> held_;
    std::uint64_t num_acquired_ = 0;
};

void expect_nothing_left(const RegistryStats& stats) {
    EXPECT_EQ(stats.regions, 0U);
    EXPECT_EQ(stats.mapped_parts, 0U);
    EXPECT_EQ(stats.mapped_bytes, 0U);
    EXPECT_EQ(stats.relocated_regions, 0U);
    EXPECT_EQ(stats.relocated_bytes, 0U);
}

void visit_from_all_threads(const std::vector<ModuleFiles>& modules) {
    RegionRegistry registry;
    std::atomic<std::uint64_t> num_acquired = 0;
    {
        std::vector<std::jthread> threads;
        const auto end = std::chrono::steady_clock::now() + duration;
        for (unsigned i = 0; i < num_threads; ++i) {
            threads.emplace_back([&, i] {
                Visitor visitor(registry, modules, i);
                visitor.run(end);
                num_acquired += visitor.num_acquired();
                static_cast<void>(registry.stats());
            });
        }
    }
    const RegistryStats stats = registry.stats();
    EXPECT_EQ(stats.acquired, num_acquired.load());
    EXPECT_GT(stats.shared, 0U);
    expect_nothing_left(stats);
    std::printf("%llu acquired, %llu of them shared\n",
                static_cast<unsigned long long>(stats.acquired),
                static_cast<unsigned long long>(stats.shared));
}

TEST(RegistryThreads, ComeBackToZeroOverRealModules) {
    std::vector<ModuleFiles> modules = test::find_modules(test::corpus(test::batteries));
    modules.push_back({test::corpus(test::v0_library) / "test.olean"});
    modules.push_back({test::corpus(test::v1_library) / "BPlusTreeLean.olean"});
    visit_from_all_threads(modules);
}

// With base addresses that a sanitizer leaves free, so that mapping is raced for as well as
// relocating; the second copy of each module is always relocated while the first is mapped.
TEST(RegistryThreads, ComeBackToZeroOverModulesThatWantTheSamePlace) {
    const test::TempDir dir;
    std::vector<ModuleFiles> modules;
    std::vector<std::unique_ptr<test::TakenPlace>>
        taken; // so that each module has a place of its own
    for (int i = 0; i < 4; ++i) {
        const std::uint64_t base = test::free_base_address(0x40000);
        taken.push_back(std::make_unique<test::TakenPlace>(base, 0x40000));
        const auto parts = test::three_parts_with_text("M" + std::to_string(i), base);
        modules.push_back(test::write_parts(dir, "M" + std::to_string(i), parts));
        modules.push_back(test::write_parts(dir, "Copy" + std::to_string(i), parts));
    }
    taken.clear();
    visit_from_all_threads(modules);
}

} // namespace
} // namespace leanhost::module
