// The library in whole programs: a loader that does what Lean does, with the library preloaded or
// linked in.
#include "support/program_run.hpp"
#include "support/temp_dir.hpp"
#include "support/test_data.hpp"

#include <leanhost/regions.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace leanhost::regions::test {
namespace {

using leanhost::test::ProgramRun;
using leanhost::test::run_program;

namespace fs = std::filesystem;
using leanhost::test::TempDir;
using testing::HasSubstr;

const std::string preload = "LD_PRELOAD=" LEANHOST_REGIONS_LIBRARY;

/// Modules in a folder that a test may change, and what the loader says of them.
class RegionsPreload : public testing::Test {
protected:
    static constexpr long kib = 1024;

    RegionsPreload() { take_modules(LEANHOST_SOURCE_DIR "/tests/corpus/olean"); }

    /// Copies the modules below `root` that state a base address, and notes their parts.
    void take_modules(const fs::path& root) {
        modules_.clear();
        file_bytes = 0;
        for (const auto& entry : fs::recursive_directory_iterator(root)) {
            if (entry.path().extension() != ".olean" || !has_base_address(entry.path()))
                continue;
            std::string parts = take_file(root, entry.path());
            for (const char* other : {".server", ".private"}) {
                if (const fs::path part = entry.path().string() + other; fs::exists(part))
                    parts += "," + take_file(root, part);
            }
            modules_.push_back(parts);
        }
        std::sort(modules_.begin(), modules_.end());
    }

    ProgramRun run(const std::vector<std::string>& loader_options,
                   const std::vector<std::string>& environment,
                   const char* loader = LEANHOST_LEAN_LIKE_LOADER) {
        std::vector<std::string> arguments{loader};
        arguments.insert(arguments.end(), loader_options.begin(), loader_options.end());
        arguments.push_back(folder.path());
        arguments.insert(arguments.end(), modules_.begin(), modules_.end());
        values.clear();
        const ProgramRun result = run_program(arguments, environment);
        std::istringstream lines(result.out);
        std::string name;
        long value = 0;
        while (lines >> name >> value)
            values[name] = value;
        return result;
    }
    void run_well(const std::vector<std::string>& loader_options,
                  const std::vector<std::string>& environment,
                  const char* loader = LEANHOST_LEAN_LIKE_LOADER) {
        const ProgramRun result = run(loader_options, environment, loader);
        ASSERT_EQ(result.signal, 0) << result.err;
        ASSERT_EQ(result.exit_status, 0) << result.err;
        EXPECT_EQ(values.at("bad"), 0);
        EXPECT_EQ(values.at("errno_touched"), 0);
    }

    long modules() const { return static_cast<long>(modules_.size()); }
    long growth_kib() const {
        return values.at("anonymous_end_kib") - values.at("anonymous_first_kib");
    }

    TempDir folder;
    long file_bytes = 0;
    long files = 0;
    std::map<std::string, long> values;

private:
    static bool has_base_address(const fs::path& path) {
        char magic[6] = {};
        std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
        return magic[5] == 1 || magic[5] == 2;
    }
    std::string take_file(const fs::path& root, const fs::path& path) {
        const std::string relative = fs::relative(path, root);
        const fs::path target = folder.path() / relative;
        fs::create_directories(target.parent_path());
        fs::copy_file(path, target);
        fs::permissions(target, fs::perms::owner_write, fs::perm_options::add);
        file_bytes += static_cast<long>(fs::file_size(target));
        ++files;
        return relative;
    }

    std::vector<std::string> modules_;
};

TEST_F(RegionsPreload, ModulesThatAreNeverFreedTakeNoMoreMemoryInAThousandRounds) {
    run_well({"--rounds", "1000", "--held", "-1"}, {preload});
    EXPECT_EQ(values["copied"], 0);
    EXPECT_EQ(values["mapped"], 1000 * modules());
    EXPECT_LT(growth_kib(), 1024);
    EXPECT_EQ(values["stats_maps"], files);
    EXPECT_EQ(values["stats_shares"], 999 * files);
    EXPECT_EQ(values["stats_live_regions"], files);
    EXPECT_GE(values["stats_shared_bytes"], 999 * file_bytes);
    EXPECT_EQ(values["stats_shared_bytes"], values["stats_live_shared_bytes"]);
    EXPECT_EQ(values["stats_refused"], 0);
}

TEST_F(RegionsPreload, WithoutTheLibraryEveryRoundTakesTheFilesSize) {
    constexpr long rounds = 20;
    for (const std::vector<std::string>& environment :
         {std::vector<std::string>{"LD_PRELOAD"}, {preload, "LEANHOST_REGIONS=off"}}) {
        run_well({"--rounds", std::to_string(rounds), "--held", "-1"}, environment);
        EXPECT_EQ(values["mapped"], modules());
        EXPECT_EQ(values["copied"], (rounds - 1) * modules());
        const long expected_kib = (rounds - 1) * file_bytes / kib;
        EXPECT_GT(growth_kib(), expected_kib * 9 / 10);
        EXPECT_LT(growth_kib(), expected_kib * 15 / 10);
    }
}

TEST_F(RegionsPreload, RealModulesOfTheTestDataAreSharedToo) {
    const char* const project = "olean/4.27.0-rc1/e-vergo+Balanced_Vectors";
    LEANHOST_NEEDS_DATA(project);
    take_modules(leanhost::test::test_data(project));
    files = 0;
    run_well({"--rounds", "100", "--held", "-1"}, {preload});
    EXPECT_EQ(values["copied"], 0);
    EXPECT_LT(growth_kib(), 1024);
}

TEST_F(RegionsPreload, EverythingThatIsFreedGoesBack) {
    run_well({"--rounds", "200", "--held", "30"}, {preload});
    EXPECT_EQ(values["stats_live_regions"], 0);
    EXPECT_EQ(values["stats_live_bytes"], 0);
    EXPECT_EQ(values["stats_live_shared_bytes"], 0);
    EXPECT_GT(values["stats_table_bytes"], 0);
}

TEST_F(RegionsPreload, ThreadsForksFreesAndRebuiltFilesAtOnceMixNothingUp) {
    for (const char* mode : {"on", "private", "off"}) {
        SCOPED_TRACE(mode);
        run_well({"--rounds", "150", "--threads", "4", "--held", "25", "--forks", "8", "--replace",
                  "1", "--spawn", "3"},
                 {preload, std::string("LEANHOST_REGIONS=") + mode});
        EXPECT_GT(values["replaced"], 10);
        EXPECT_GT(values["copied"], 0) << "an old build and a new one were never there together";
        EXPECT_EQ(values["stats_live_regions"], 0);
        EXPECT_EQ(values["stats_live_shared_bytes"], 0);
        EXPECT_EQ(values["stats_shares"] > 0, std::string("off") != mode);
    }
}

// Proof that the test above can fail.
TEST_F(RegionsPreload, TheLoaderSeesContentsThatAreNotAsExpected) {
    EXPECT_EQ(run({"--rounds", "10", "--lie", "1"}, {preload}).exit_status, 0);
    EXPECT_EQ(values["bad"], 20) << "at loading, and before freeing";
}

TEST_F(RegionsPreload, SignalHandlersMayMapWhileModulesAreLoaded) {
    run_well({"--rounds", "150", "--threads", "3", "--held", "20", "--alarm_us", "100"}, {preload});
    EXPECT_GT(values["alarms"], 20);
    EXPECT_EQ(values["stats_live_shared_bytes"], 0);
}

TEST_F(RegionsPreload, PrivateModeSurvivesFilesThatAreCut) {
    run_well({"--truncate", "1"}, {preload, "LEANHOST_REGIONS=private"});
    EXPECT_GT(values["stats_shares"], 0);
}

TEST_F(RegionsPreload, PrivateModeTakesTheFilesSizeOnce) {
    run_well({"--rounds", "50", "--held", "-1"}, {preload, "LEANHOST_REGIONS=private"});
    EXPECT_EQ(values["copied"], 0);
    EXPECT_LT(growth_kib(), 1024);
    EXPECT_GT(values["anonymous_first_kib"], file_bytes / kib);
}

// What private mode is for, and proof that the test above can fail.
TEST_F(RegionsPreload, ModeOnDoesNotSurviveFilesThatAreCut) {
    EXPECT_EQ(run({"--truncate", "1"}, {preload}).signal, SIGBUS);
}

TEST_F(RegionsPreload, ModeOffCountsNothing) {
    run_well({"--rounds", "3"}, {preload, "LEANHOST_REGIONS=off"});
    for (const auto& [name, value] : values) {
        const long counted = name.starts_with("stats_") ? value : 0;
        EXPECT_EQ(counted, 0) << name;
    }
}

TEST_F(RegionsPreload, ModeLogSaysWhatHappens) {
    const ProgramRun result =
        run({"--rounds", "2", "--held", "-1"}, {preload, "LEANHOST_REGIONS=log"});
    EXPECT_EQ(result.exit_status, 0);
    const std::string name = "leanhost_regions[" + std::to_string(values["pid"]) + "]: ";
    EXPECT_THAT(result.err, HasSubstr(name + "mapped 0x"));
    EXPECT_THAT(result.err, HasSubstr(name + "shared 0x"));
    EXPECT_THAT(result.err, HasSubstr("MiB, 2 users\n"));
    EXPECT_THAT(result.err, HasSubstr(name + "at exit: " + std::to_string(files) + " mapped"));
}

TEST_F(RegionsPreload, OtherModesAreSilentUnlessTheWordIsUnknown) {
    EXPECT_EQ(run({}, {preload}).err, "");
    EXPECT_EQ(run({}, {preload, "LEANHOST_REGIONS="}).err, "");
    EXPECT_EQ(run({}, {preload, "LEANHOST_REGIONS=private"}).err, "");
    EXPECT_THAT(run({}, {preload, "LEANHOST_REGIONS=yes"}).err,
                HasSubstr("LEANHOST_REGIONS=yes is none of on, off, log, private; taken as on"));
    EXPECT_GT(values["stats_maps"], 0);
}

TEST_F(RegionsPreload, AProgramThatHasTheLibraryLinkedInSharesAsWell) {
    run_well({"--rounds", "50", "--held", "-1", "--forks", "1"}, {"LD_PRELOAD"},
             LEANHOST_LINKED_LOADER);
    EXPECT_EQ(values["copied"], 0);
    EXPECT_GE(values["stats_shares"], 49 * files);
    EXPECT_LT(growth_kib(), 1024);
}

/// Report pages in a folder of their own.
class RegionsReport : public RegionsPreload {
protected:
    std::string variable() const { return "LEANHOST_REGIONS_REPORT=" + reports.path().string(); }
    std::vector<LeanhostRegionsPage> pages() const {
        std::vector<LeanhostRegionsPage> result;
        for (const auto& entry : fs::directory_iterator(reports.path())) {
            LeanhostRegionsPage page{};
            std::ifstream(entry.path(), std::ios::binary)
                .read(reinterpret_cast<char*>(&page), sizeof page);
            EXPECT_TRUE(
                entry.path().filename().string().starts_with(std::to_string(page.pid) + "-"));
            result.push_back(page);
        }
        std::sort(result.begin(), result.end(),
                  [](const auto& a, const auto& b) { return a.started_ns < b.started_ns; });
        return result;
    }

    const TempDir reports;
};

TEST_F(RegionsReport, HasThisProcesssCounters) {
    run_well({"--rounds", "5", "--held", "-1"}, {preload, variable()});
    const auto all = pages();
    ASSERT_EQ(all.size(), 1U);
    const LeanhostRegionsPage& page = all[0];
    EXPECT_EQ(page.magic, LEANHOST_REGIONS_MAGIC);
    EXPECT_EQ(std::memcmp(&page.magic, "lregions", 8), 0);
    EXPECT_EQ(page.version, static_cast<std::uint32_t>(LEANHOST_REGIONS_VERSION));
    EXPECT_EQ(page.mode, static_cast<std::uint32_t>(LEANHOST_REGIONS_ON));
    EXPECT_EQ(page.pid, values["pid"]);
    EXPECT_EQ(page.parent_pid, ::getpid());
    EXPECT_STREQ(page.program, std::string(LEANHOST_LEAN_LIKE_LOADER).substr(0, 199).c_str());
    EXPECT_EQ(static_cast<long>(page.stats.maps), files);
    EXPECT_EQ(static_cast<long>(page.stats.shares), 4 * files);
    EXPECT_EQ(static_cast<long>(page.stats.live_regions), files);
    EXPECT_EQ(static_cast<long>(page.stats.live_shared_bytes), values["stats_live_shared_bytes"]);
}

TEST_F(RegionsReport, EveryForkedChildHasItsOwnPage) {
    run_well({"--rounds", "8", "--forks", "3"}, {preload, variable()});
    const auto all = pages();
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all[0].pid, values["pid"]);
    for (std::size_t i = 1; i < all.size(); ++i) {
        EXPECT_EQ(all[i].magic, LEANHOST_REGIONS_MAGIC);
        EXPECT_EQ(all[i].parent_pid, all[0].pid);
        EXPECT_NE(all[i].pid, all[0].pid);
        // Where the parent's thread held every module at the fork, the child has only shares.
        EXPECT_GT(all[i].stats.maps + all[i].stats.shares, 0U) << "a child's own rounds";
        EXPECT_LT(all[i].stats.live_regions, 1000U);
        EXPECT_LT(all[i].stats.maps + all[i].stats.shares, all[0].stats.maps + all[0].stats.shares);
    }
    EXPECT_EQ(all[0].stats.live_regions, 0U);
}

TEST_F(RegionsReport, IsDoneWithoutWhereTheFolderIsNone) {
    run_well({}, {preload, "LEANHOST_REGIONS_REPORT=/no/such/folder"});
    EXPECT_GT(values["stats_maps"], 0);
    run_well({}, {preload, "LEANHOST_REGIONS_REPORT="});
    run_well({}, {preload, "LEANHOST_REGIONS_REPORT=/" + std::string(5000, 'x')});
}

// A process whose files must not grow: SIGXFSZ would end it.
TEST_F(RegionsReport, IsDoneWithoutWhereFilesMayNotGrow) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit nothing{0, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &nothing), 0);
    const ProgramRun result = run({"--forks", "1"}, {preload, variable()});
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(result.signal, 0);
    EXPECT_EQ(result.exit_status, 0);
    EXPECT_GT(values["stats_maps"], 0);
    EXPECT_TRUE(pages().empty());
}

// What a program that preloads it gets, seen from outside.
TEST(RegionsLibrary, NeedsOnlyLibc) {
    const ProgramRun dynamic = run_program({"readelf", "-dW", LEANHOST_REGIONS_LIBRARY}, {});
    ASSERT_EQ(dynamic.exit_status, 0);
    std::istringstream lines(dynamic.out);
    std::vector<std::string> needed;
    for (std::string line; std::getline(lines, line);) {
        if (line.find("(NEEDED)") != std::string::npos)
            needed.push_back(line.substr(line.find('[')));
    }
    EXPECT_THAT(needed, testing::ElementsAre("[libc.so.6]"));
}

TEST(RegionsLibrary, ExportsItsSixSymbolsAndNoOther) {
    const ProgramRun symbols =
        run_program({"nm", "-D", "--defined-only", LEANHOST_REGIONS_LIBRARY}, {});
    ASSERT_EQ(symbols.exit_status, 0);
    std::istringstream words(symbols.out);
    std::vector<std::string> names;
    for (std::string address, kind, name; words >> address >> kind >> name;)
        names.push_back(name);
    EXPECT_THAT(names, testing::UnorderedElementsAre("mmap", "mmap64", "munmap", "mremap",
                                                     "mprotect", "leanhost_regions_stats"));
}

} // namespace
} // namespace leanhost::regions::test
