// Many threads map, look at and unmap the same and different modules; at the end all is given back.
#include "regions/table_test.hpp"

#include <random>
#include <thread>

namespace leanhost::regions::test {
namespace {

constexpr std::uintptr_t first_base = 0x123400000000;
constexpr std::size_t modules = 6;
constexpr std::size_t module_pages = 4;
constexpr int threads = 8;
constexpr int rounds = 300;

/// What the threads have in common.
struct World {
    World() {
        system.records = false;
        table.count_into(stats);
        table.set_mode(LEANHOST_REGIONS_ON);
        for (std::size_t i = 0; i < modules; ++i)
            fds.push_back(system.add_module(base_of(i), module_pages));
    }
    // Neighbours without a gap.
    static std::uintptr_t base_of(std::size_t module) {
        return first_base + module * module_pages * page;
    }

    FakeSystem system;
    std::unique_ptr<AddressFilter> filter = std::make_unique<AddressFilter>();
    RegionTable<FakeSystem> table{system, *filter};
    LeanhostRegionsStats stats{};
    std::vector<int> fds;
    std::atomic<int> bad = 0;
    std::atomic<std::uint64_t> at_base = 0;
};

/// One thread's rounds: it maps some modules, looks at each, and unmaps them, some by halves.
class Visitor {
public:
    Visitor(World& world, unsigned seed) : world_(world), random_(seed) {}

    void run() {
        for (int round = 0; round < rounds; ++round) {
            map_one(random_() % modules);
            if (held_.size() > 3 || random_() % 2 == 0)
                unmap_one();
            stranger();
        }
        while (!held_.empty())
            unmap_one();
    }

private:
    struct Held {
        std::uintptr_t at;
        int fd;
    };

    void map_one(std::size_t module) {
        const std::intptr_t at = world_.table.map({.address = World::base_of(module),
                                                   .length = module_pages * page,
                                                   .protection = PROT_READ,
                                                   .flags = MAP_PRIVATE,
                                                   .fd = world_.fds[module]});
        const Held held{static_cast<std::uintptr_t>(at), world_.fds[module]};
        world_.at_base += held.at == World::base_of(module) ? 1 : 0;
        look_at(held);
        held_.push_back(held);
    }
    void unmap_one() {
        if (held_.empty())
            return;
        std::swap(held_[random_() % held_.size()], held_.back());
        const Held held = held_.back();
        held_.pop_back();
        look_at(held);
        if (random_() % 8 == 0) {
            unmap(held.at + 2 * page, 2);
            unmap(held.at, 2);
        } else {
            unmap(held.at, module_pages);
        }
    }
    // A mapping near the modules that is none.
    void stranger() {
        const std::intptr_t at = world_.table.map({.address = first_base + 0x100000,
                                                   .length = page,
                                                   .protection = PROT_READ | PROT_WRITE,
                                                   .flags = MAP_PRIVATE | MAP_ANONYMOUS});
        unmap(static_cast<std::uintptr_t>(at), 1);
    }
    void look_at(const Held& held) {
        world_.bad += world_.system.shows(held.at, module_pages, held.fd) ? 0 : 1;
    }
    void unmap(std::uintptr_t at, std::size_t pages) {
        world_.bad += world_.table.unmap(at, pages * page) == 0 ? 0 : 1;
    }

    World& world_;
    std::mt19937 random_;
    std::vector<Held> held_;
};

TEST(RegionTableThreads, EveryMappingStaysUntilItsUserUnmapsItAndThenGoes) {
    World world;
    std::vector<std::thread> running;
    for (unsigned seed = 0; seed < threads; ++seed)
        running.emplace_back([&world, seed] { Visitor(world, seed).run(); });
    for (std::thread& thread : running)
        thread.join();
    EXPECT_EQ(world.bad, 0);
    EXPECT_EQ(world.system.mapped_pages(), 0U);
    EXPECT_EQ(world.system.blocked(), 0);
    EXPECT_EQ(world.stats.live_regions, 0U);
    EXPECT_EQ(world.stats.live_bytes, 0U);
    EXPECT_EQ(world.stats.live_shared_bytes, 0U);
    EXPECT_EQ(world.stats.maps + world.stats.shares, world.at_base.load());
    EXPECT_GT(world.stats.shares, 0U);
}

TEST(RegionTableThreads, FilterShowsARegionToWhoeverHasItsAddress) {
    const auto filter = std::make_unique<AddressFilter>();
    std::atomic<std::uintptr_t> handed_out = 0;
    constexpr std::uintptr_t step = std::uintptr_t{1} << 26;
    constexpr std::uintptr_t last = 20'000 * step;
    std::thread adder([&] {
        for (std::uintptr_t at = step; at <= last; at += step) {
            filter->add(at, at + page);
            handed_out.store(at, std::memory_order_relaxed);
        }
    });
    int unseen = 0;
    for (std::uintptr_t at = 0; at < last;) {
        at = handed_out.load(std::memory_order_relaxed);
        if (at != 0)
            unseen += filter->may_hold(at, at + page) ? 0 : 1;
    }
    adder.join();
    EXPECT_EQ(unseen, 0);
}

} // namespace
} // namespace leanhost::regions::test
