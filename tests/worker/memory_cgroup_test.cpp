// Cgroups: how the place for one is found, and what is written there, over folders that stand for
// the kernel's; and real ones, where this machine lets us make them.
#include "base/failure.hpp"
#include "support/temp_dir.hpp"
#include "worker/parent/memory_cgroup.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>

namespace leanhost::worker {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::uint64_t limit = std::uint64_t{64} << 20;

std::string text_of(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

template <class F>
Error error_of(F&& body) {
    try {
        body();
    } catch (const Failure& failure) {
        return failure.error();
    }
    throw std::runtime_error("nothing failed");
}

// Folders that behave as cgroups do: files come with a new folder, and go with it.
class FakeCgroups : public testing::Test {
protected:
    /// `mounts` and `membership` as the kernel writes them; @ is the fake's folder.
    void describe(std::string mounts, const std::string& membership) {
        for (std::size_t at; (at = mounts.find('@')) != std::string::npos;)
            mounts.replace(at, 1, folder.path());
        folder.write("mountinfo", mounts);
        folder.write("membership", membership);
    }
    fs::path make_group(const std::string& name, const std::vector<std::string>& files) {
        fs::create_directories(folder.path() / name);
        for (const std::string& file : files)
            folder.write(name + "/" + file, "");
        return folder.path() / name;
    }
    CgroupSystem system(std::vector<std::string> files) const {
        CgroupSystem system{.mounts = folder.path() / "mountinfo",
                            .membership = folder.path() / "membership"};
        system.make_folder = [files = std::move(files)](const char* path) {
            if (::mkdir(path, 0755) != 0)
                return -1;
            for (const std::string& file : files)
                std::ofstream(fs::path(path) / file) << "";
            return 0;
        };
        system.remove_folder = [](const char* path) {
            return fs::remove_all(path) > 0 ? 0 : (errno = ENOENT, -1);
        };
        return system;
    }
    std::size_t children_of(const fs::path& group) const {
        std::size_t count = 0;
        for (const fs::directory_entry& entry : fs::directory_iterator(group))
            count += entry.is_directory() ? 1 : 0;
        return count;
    }

    const std::vector<std::string> v1_files{"cgroup.procs", "memory.limit_in_bytes",
                                            "memory.memsw.limit_in_bytes", "memory.usage_in_bytes",
                                            "memory.oom_control"};
    const std::vector<std::string> v2_files{"cgroup.procs", "memory.max", "memory.swap.max",
                                            "memory.current", "memory.events"};
    test::TempDir folder;
};

TEST_F(FakeCgroups, ThePlaceInVersion1IsThatOfTheMemoryController) {
    describe("30 23 0:26 / @/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
             "31 23 0:27 / @/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
             "32 23 0:28 / @/unified rw - cgroup2 none rw\n",
             "5:cpu,cpuacct:/other\n4:memory:/service/a:b\n0::/unified\n");
    EXPECT_EQ(find_own_cgroup(system({})),
              (CgroupPlace{folder.path() / "memory/service/a:b", false}));
}

TEST_F(FakeCgroups, ThePlaceInVersion2IsTheOneHierarchy) {
    describe("31 23 0:27 / @/all\\040here rw - cgroup2 cgroup2 rw,nsdelegate\n",
             "0::/user.slice/app\n");
    EXPECT_EQ(find_own_cgroup(system({})),
              (CgroupPlace{folder.path() / "all here/user.slice/app", true}));
}

TEST_F(FakeCgroups, AContainerSeesItsPartOfTheHierarchyOnly) {
    describe("31 23 0:27 /docker/7 @/memory rw - cgroup cgroup rw,memory\n",
             "4:memory:/docker/7/inner\n");
    EXPECT_EQ(find_own_cgroup(system({})).folder, folder.path() / "memory/inner");
    describe("31 23 0:27 /docker/7 @/memory rw - cgroup cgroup rw,memory\n",
             "4:memory:/elsewhere\n");
    EXPECT_EQ(error_of([&] { find_own_cgroup(system({})); }).code(), ErrorCode::not_found);
    describe("31 23 0:27 / @/memory rw - cgroup cgroup rw,memory\n", "4:memory:/../outside\n");
    EXPECT_EQ(error_of([&] { find_own_cgroup(system({})); }).code(), ErrorCode::not_found);
}

TEST_F(FakeCgroups, WithoutAMountThereIsNone) {
    describe("22 1 8:1 / / rw - ext4 /dev/sda rw\nno mount at all\n", "garbage\n::\n");
    EXPECT_EQ(error_of([&] { find_own_cgroup(system({})); }).code(), ErrorCode::not_found);
    EXPECT_EQ(error_of([&] { MemoryCgroup(limit, {}, system({})); }).code(), ErrorCode::not_found);
}

TEST_F(FakeCgroups, Version1BoundsMemoryAndSwapAndIsRemovedAtTheEnd) {
    describe("31 23 0:27 / @/memory rw - cgroup cgroup rw,memory\n", "4:memory:/own\n");
    const fs::path own = make_group("memory/own", {"cgroup.procs"});
    fs::path made;
    {
        const MemoryCgroup cgroup(limit, {}, system(v1_files));
        made = cgroup.folder();
        EXPECT_EQ(made.parent_path(), own);
        EXPECT_EQ(text_of(made / "memory.limit_in_bytes"), "67108864");
        EXPECT_EQ(text_of(made / "memory.memsw.limit_in_bytes"), "67108864");
        EXPECT_GE(cgroup.processes(), 0);
        std::ofstream(made / "memory.usage_in_bytes") << "4096\n";
        std::ofstream(made / "memory.oom_control") << "oom_kill_disable 0\nunder_oom 0\noom_kill 3";
        const CgroupStatus status = cgroup.status();
        EXPECT_TRUE(status.holds) << status.why_not;
        EXPECT_EQ(status.path, made.string());
        EXPECT_EQ(status.limit_bytes, limit);
        EXPECT_EQ(status.used_bytes, 4096U);
        EXPECT_EQ(status.kills, 3U);
    }
    EXPECT_FALSE(fs::exists(made));
}

TEST_F(FakeCgroups, Version2HandsTheControllerDownFirst) {
    describe("", "");
    const fs::path group = make_group("g", {"cgroup.procs", "cgroup.subtree_control"});
    folder.write("g/cgroup.controllers", "cpu memory pids\n");
    const MemoryCgroup cgroup(limit, group, system(v2_files));
    EXPECT_EQ(text_of(group / "cgroup.subtree_control"), "+memory");
    EXPECT_EQ(text_of(cgroup.folder() / "memory.max"), "67108864");
    EXPECT_EQ(text_of(cgroup.folder() / "memory.swap.max"), "0");
    EXPECT_TRUE(cgroup.status().holds);
}

TEST_F(FakeCgroups, Version2WithoutTheControllerIsRefusedByName) {
    describe("", "");
    const fs::path group = make_group("g", {"cgroup.procs", "cgroup.subtree_control"});
    folder.write("g/cgroup.controllers", "hugetlb\n");
    const Error error = error_of([&] { MemoryCgroup(limit, group, system(v2_files)); });
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.message(), HasSubstr("no memory controller"));
    EXPECT_EQ(children_of(group), 0U);
}

TEST_F(FakeCgroups, WhatCannotBeBoundedIsNotLeftBehind) {
    describe("", "");
    const fs::path group = make_group("g", {"cgroup.procs"});
    const Error error = error_of([&] { MemoryCgroup(limit, group, system({"cgroup.procs"})); });
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_THAT(error.message(), HasSubstr("memory.limit_in_bytes"));
    EXPECT_THAT(error_of([&] { MemoryCgroup(limit, group, system({})); }).message(),
                HasSubstr("cgroup.procs"));
    EXPECT_EQ(children_of(group), 0U);
}

TEST_F(FakeCgroups, AFolderThatIsNoCgroupIsRefused) {
    describe("", "");
    const fs::path group = make_group("g", {});
    const Error error = error_of([&] { MemoryCgroup(limit, group, system(v1_files)); });
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.message(), HasSubstr("is no cgroup"));
    EXPECT_EQ(children_of(group), 0U);
}

TEST_F(FakeCgroups, ALimitThatSomebodyLiftedDoesNotHold) {
    describe("", "");
    const fs::path group = make_group("g", {"cgroup.procs"});
    const MemoryCgroup cgroup(limit, group, system(v1_files));
    std::ofstream(cgroup.folder() / "memory.limit_in_bytes") << "9223372036854771712";
    EXPECT_FALSE(cgroup.status().holds);
    EXPECT_THAT(cgroup.status().why_not, HasSubstr("9223372036854771712"));
    fs::remove(cgroup.folder() / "memory.limit_in_bytes");
    EXPECT_FALSE(cgroup.status().holds);
}

TEST_F(FakeCgroups, WhatAKilledProgramLeftIsRemovedAndWhatLivesIsNot) {
    describe("", "");
    const fs::path group = make_group("g", {"cgroup.procs"});
    make_group("g/leanhost-1-1", v1_files);
    make_group("g/another", v1_files);
    const MemoryCgroup first(limit, group, system(v1_files));
    EXPECT_FALSE(fs::exists(group / "leanhost-1-1"));
    EXPECT_TRUE(fs::exists(group / "another"));
    const MemoryCgroup second(limit, group, system(v1_files));
    EXPECT_TRUE(fs::exists(first.folder())) << "it is locked by its owner";
    EXPECT_NE(first.folder(), second.folder());
}

TEST(RealCgroup, IsMadeBoundedAndRemoved) {
    std::optional<MemoryCgroup> cgroup;
    try {
        cgroup.emplace(limit, fs::path());
    } catch (const Failure& failure) {
        GTEST_SKIP() << "no cgroup can be made here: " << failure.error().message();
    }
    const CgroupStatus status = cgroup->status();
    EXPECT_TRUE(status.holds) << status.why_not;
    EXPECT_EQ(status.kills.value_or(0), 0U);
    const fs::path made = cgroup->folder();
    EXPECT_TRUE(fs::exists(made / "cgroup.procs"));
    cgroup.reset();
    EXPECT_FALSE(fs::exists(made));
    EXPECT_TRUE(probe_memory_cgroup().holds);
}

} // namespace
} // namespace leanhost::worker
