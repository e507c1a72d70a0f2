// Random calls of several users against a reference that knows, for each page, who owns it how
// often. A user is a part of the program that maps and unmaps only what is its own.
#include "regions/table_test.hpp"

#include <array>
#include <cstdlib>
#include <optional>
#include <random>

namespace leanhost::regions::test {
namespace {

constexpr std::size_t users = 4;
constexpr std::uintptr_t first_base = 0x123400000000;

struct Module {
    std::uintptr_t base = 0;
    std::size_t pages = 0;
    int fd = -1; // of the newest build
};

/// One page's owners, and what each of them expects to find there.
struct Owned {
    std::array<int, users> times{};
    FakePage content;
    bool is_spoiled = false; // an owner mapped over it, or made it writable

    int total() const {
        int sum = 0;
        for (const int count : times)
            sum += count;
        return sum;
    }
};

class Simulation {
public:
    explicit Simulation(unsigned seed) : random_(seed) {
        system_.records = false;
        system_.can_query = seed % 2 == 0;
        table_.count_into(stats_);
        table_.set_mode(LEANHOST_REGIONS_ON);
        std::uintptr_t at = first_base;
        for (std::size_t i = 0; i < 8; ++i) {
            const std::size_t pages = 1 + pick(6);
            modules_.push_back({at, pages, system_.add_module(at, pages)});
            at += (pages + (pick(2) == 0 ? 0 : pick(4))) * page;
        }
        end_ = at;
    }

    void step() {
        // Without PROCMAP_QUERY what happens unseen is found out after a second.
        system_.time_ms += 1000;
        const std::size_t user = pick(users);
        switch (pick(16)) {
        case 0:
            return rebuild();
        case 1:
            return protect(user);
        case 2:
            return map_over(user);
        case 3:
            return unmap_unseen(user);
        case 4:
            return shrink(user);
        case 5:
            return grow(user);
        case 6:
            return map_stranger(user);
        case 7:
            return fork();
        case 8:
        case 9:
            return unmap_any_range(user);
        case 10:
        case 11:
            return unmap_module(user);
        default:
            return map_module(user);
        }
    }

    void unmap_everything() {
        for (std::size_t user = 0; user < users; ++user) {
            while (const auto page_of_user = first_page_of(user))
                unmap(user, *page_of_user, *page_of_user + page);
        }
    }

    void check() const {
        std::uint64_t shared_bytes = 0;
        for (const auto& [at, owned] : model_) {
            const FakePage* const there = system_.page_at(at);
            ASSERT_NE(there, nullptr) << std::hex << at << " was taken from its owner";
            ASSERT_TRUE(owned.is_spoiled || *there == owned.content) << std::hex << at;
            shared_bytes += static_cast<std::uint64_t>(owned.total() - 1) * page;
        }
        ASSERT_EQ(system_.mapped_pages(), model_.size()) << "somebody's last page stayed";
        ASSERT_EQ(stats_.live_shared_bytes, shared_bytes);
        ASSERT_LE(stats_.live_regions * page, stats_.live_bytes);
        ASSERT_LE(stats_.live_bytes, (end_ - first_base) + 64 * page);
        ASSERT_EQ(system_.blocked(), 0);
    }
    const LeanhostRegionsStats& stats() const { return stats_; }
    std::uint64_t shares() const { return shares_; }
    const FakeSystem& system() const { return system_; }

private:
    std::size_t pick(std::size_t below) { return random_() % below; }
    const Module& any_module() { return modules_[pick(modules_.size())]; }

    bool owns(std::size_t user, std::uintptr_t at) const {
        const auto there = model_.find(at);
        return there != model_.end() && there->second.times[user] > 0;
    }
    bool is_sole_owner(std::size_t user, std::uintptr_t at) const {
        return owns(user, at) && model_.at(at).total() == 1;
    }
    // Whether every page of the range is the user's, or nobody's.
    bool may_unmap(std::size_t user, std::uintptr_t begin, std::uintptr_t end) const {
        for (auto at = model_.lower_bound(begin); at != model_.end() && at->first < end; ++at) {
            if (at->second.times[user] == 0)
                return false;
        }
        return true;
    }
    std::optional<std::uintptr_t> first_page_of(std::size_t user) const {
        for (const auto& [at, owned] : model_) {
            if (owned.times[user] > 0)
                return at;
        }
        return std::nullopt;
    }
    // A page of the user's, below the table's end.
    std::optional<std::uintptr_t> any_page_of(std::size_t user) {
        std::vector<std::uintptr_t> pages;
        for (const auto& [at, owned] : model_) {
            if (owned.times[user] > 0)
                pages.push_back(at);
        }
        if (pages.empty())
            return std::nullopt;
        return pages[pick(pages.size())];
    }
    std::uintptr_t end_of_run(std::size_t user, std::uintptr_t at) const {
        while (owns(user, at))
            at += page;
        return at;
    }
    bool is_nobodys(std::uintptr_t begin, std::uintptr_t end) const {
        const auto next = model_.lower_bound(begin);
        return next == model_.end() || next->first >= end;
    }

    void own(std::size_t user, std::uintptr_t begin, std::size_t pages, FakePage content) {
        for (std::uintptr_t at = begin; at < begin + pages * page; at += page) {
            Owned& owned = model_[at];
            if (owned.total() == 0)
                owned.content = content;
            ++owned.times[user];
            content.offset += content.file >= 0 ? page : 0;
        }
    }
    void disown(std::size_t user, std::uintptr_t begin, std::uintptr_t end) {
        for (std::uintptr_t at = begin; at < end; at += page) {
            const auto there = model_.find(at);
            if (there == model_.end())
                continue;
            --there->second.times[user];
            if (there->second.total() == 0)
                model_.erase(there);
        }
    }

    // As a loader does: what is not at its base is given back at once, or kept a while.
    void map_module(std::size_t user) {
        const Module& module = any_module();
        const std::uint64_t shares_before = stats_.shares;
        const auto at = static_cast<std::uintptr_t>(table_.map({.address = module.base,
                                                                .length = module.pages * page,
                                                                .protection = PROT_READ,
                                                                .flags = MAP_PRIVATE,
                                                                .fd = module.fd}));
        shares_ += stats_.shares - shares_before;
        const FakePage content{module.fd, 0, PROT_READ, false};
        if (stats_.shares != shares_before) {
            ASSERT_EQ(at, module.base);
            ASSERT_TRUE(system_.shows(at, module.pages, module.fd)) << "shared something else";
        } else {
            ASSERT_TRUE(is_nobodys(at, at + module.pages * page));
        }
        own(user, at, module.pages, content);
        if (at != module.base && pick(8) != 0)
            unmap(user, at, at + module.pages * page);
    }
    void unmap(std::size_t user, std::uintptr_t begin, std::uintptr_t end) {
        ASSERT_EQ(table_.unmap(begin, end - begin), 0);
        disown(user, begin, end);
    }
    void unmap_module(std::size_t user) {
        const Module& module = any_module();
        const std::uintptr_t end = module.base + module.pages * page;
        if (may_unmap(user, module.base, end))
            unmap(user, module.base, end);
    }
    void unmap_any_range(std::size_t user) {
        const std::uintptr_t begin = first_base + pick((end_ - first_base) / page) * page;
        const std::uintptr_t end = begin + (1 + pick(12)) * page;
        if (may_unmap(user, begin, end))
            unmap(user, begin, end);
    }
    // The file is replaced: another inode, the same base address.
    void rebuild() {
        if (rebuilds_++ % 4 != 0)
            return;
        Module& module = modules_[pick(modules_.size())];
        if (module.fd >= 0)
            system_.file(module.fd).path = 0;
        module.fd = system_.add_module(module.base, module.pages);
    }
    void protect(std::size_t user) {
        const auto at = any_page_of(user);
        if (!at || pick(4) != 0)
            return;
        const std::size_t pages = 1 + pick((end_of_run(user, *at) - *at) / page);
        ASSERT_EQ(table_.protect(*at, pages * page, PROT_READ | PROT_WRITE), 0);
        spoil(*at, pages);
    }
    void map_over(std::size_t user) {
        const auto at = any_page_of(user);
        if (!at || pick(4) != 0)
            return;
        const std::size_t pages = 1 + pick((end_of_run(user, *at) - *at) / page);
        const MapRequest request{.address = *at,
                                 .length = pages * page,
                                 .protection = PROT_READ | PROT_WRITE,
                                 .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};
        ASSERT_EQ(table_.map(request), static_cast<std::intptr_t>(*at));
        spoil(*at, pages);
    }
    void spoil(std::uintptr_t begin, std::size_t pages) {
        for (std::uintptr_t at = begin; at < begin + pages * page; at += page)
            model_.at(at).is_spoiled = true;
    }
    void unmap_unseen(std::size_t user) {
        const auto at = any_page_of(user);
        std::size_t pages = 0;
        while (at && is_sole_owner(user, *at + pages * page))
            ++pages;
        if (pages == 0 || pick(2) != 0)
            return;
        system_.raw_unmap(*at, pages);
        disown(user, *at, *at + pages * page);
    }
    void shrink(std::size_t user) {
        const auto at = any_page_of(user);
        if (!at)
            return;
        const std::size_t pages = (end_of_run(user, *at) - *at) / page;
        const std::size_t left = 1 + pick(pages);
        ASSERT_EQ(table_.remap(*at, pages * page, left * page, 0, 0),
                  static_cast<std::intptr_t>(*at));
        disown(user, *at + left * page, *at + pages * page);
    }
    // One page more, in place or elsewhere; refused when somebody else has a page of it.
    void grow(std::size_t user) {
        const auto at = any_page_of(user);
        if (!at || pick(4) != 0)
            return;
        const bool is_shared = model_.at(*at).total() > 1;
        const std::intptr_t result = table_.remap(*at, page, 2 * page, MREMAP_MAYMOVE, 0);
        if (is_shared) {
            ASSERT_EQ(result, -ENOMEM);
            return;
        }
        ASSERT_GT(result, 0);
        const auto moved_to = static_cast<std::uintptr_t>(result);
        disown(user, *at, *at + page);
        own(user, moved_to, 2, *system_.page_at(moved_to));
    }
    void map_stranger(std::size_t user) {
        const std::size_t pages = 1 + pick(3);
        const std::uintptr_t hint =
            pick(2) == 0 ? 0 : first_base + pick((end_ - first_base) / page) * page;
        const auto at =
            static_cast<std::uintptr_t>(table_.map({.address = hint,
                                                    .length = pages * page,
                                                    .protection = PROT_READ,
                                                    .flags = MAP_PRIVATE | MAP_ANONYMOUS}));
        ASSERT_TRUE(is_nobodys(at, at + pages * page));
        own(user, at, pages, {-1, 0, PROT_READ, false});
        if (pick(4) != 0)
            unmap(user, at, at + pages * page);
    }
    // We are the child from here on.
    void fork() {
        table_.before_fork();
        if (pick(2) == 0)
            table_.after_fork();
        else
            table_.after_fork_in_child(stats_);
    }

    std::mt19937 random_;
    FakeSystem system_;
    std::unique_ptr<AddressFilter> filter_ = std::make_unique<AddressFilter>();
    RegionTable<FakeSystem> table_{system_, *filter_};
    LeanhostRegionsStats stats_{};
    std::vector<Module> modules_;
    std::map<std::uintptr_t, Owned> model_;
    std::uintptr_t end_ = 0;
    std::uint64_t shares_ = 0;
    unsigned rebuilds_ = 0;
};

class RegionTableModel : public testing::TestWithParam<unsigned> {};

TEST_P(RegionTableModel, EveryPageIsMappedExactlyAsLongAsSomebodyOwnsIt) {
    Simulation simulation(GetParam());
    for (int step = 0; step < 4000; ++step) {
        simulation.step();
        ASSERT_FALSE(HasFatalFailure()) << "in step " << step;
        simulation.check();
        ASSERT_FALSE(HasFatalFailure()) << "after step " << step;
    }
    EXPECT_GT(simulation.shares(), 50U) << "the run has met too little of what it tests";
    simulation.unmap_everything();
    EXPECT_EQ(simulation.system().mapped_pages(), 0U);
    EXPECT_EQ(simulation.stats().live_shared_bytes, 0U);
}
// Eight, or as many as LEANHOST_SOAK_SEEDS says (`make soak`).
unsigned num_seeds() {
    const char* const wanted = std::getenv("LEANHOST_SOAK_SEEDS");
    return wanted == nullptr ? 8 : static_cast<unsigned>(std::strtoul(wanted, nullptr, 10));
}
INSTANTIATE_TEST_SUITE_P(Seeds, RegionTableModel, testing::Range(1U, 1 + num_seeds()));

} // namespace
} // namespace leanhost::regions::test
