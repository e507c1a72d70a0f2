#pragma once

#include "support/temp_dir.hpp"
#include "support_modules/module_maker.hpp"
#include "worker_faults/leftovers.hpp"

#include <leanhost/worker_pool.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leanhost::test {

using Clock = std::chrono::steady_clock;

/// A pool whose first child is a byzantine worker and whose later ones are real, over a library of
/// two modules. When a test ends, nothing of its pools may be left.
class FaultFixture : public testing::Test {
protected:
    FaultFixture() {
        write_module(folder.path(), "A", {}, {"A.one", "A.two"});
        write_module(folder.path(), "C", {}, {"C.one"});
        std::filesystem::create_symlink(LEANHOST_BYZANTINE_WORKER, executable());
    }
    void TearDown() override { before_.expect_none(); }

    /// In the folder of the test, so that every process of it can be told by its command line.
    std::filesystem::path executable() const { return folder.path() / "leanhost-worker"; }

    /// Short times throughout: what a test waits for comes at once or not at all.
    WorkerPoolOptions options(const std::string& fault, bool use_template = false) const {
        using std::chrono::milliseconds;
        WorkerPoolOptions pool;
        pool.max_workers = 1;
        pool.max_wait = milliseconds(5'000);
        pool.worker.executable = executable();
        pool.worker.environment = {
            "LEANHOST_TEST_FAULT=" + fault, "LEANHOST_TEST_FAULT_ONCE=" + fault_file().string(),
            std::string("LEANHOST_TEST_REAL_WORKER=") + LEANHOST_WORKER_PROGRAM};
        pool.worker.runtime.search_path = {folder.path()};
        pool.worker.use_template = use_template;
        pool.worker.start_timeout = milliseconds(5'000);
        pool.worker.request_timeout = milliseconds(200);
        pool.worker.shutdown_grace = milliseconds(150);
        pool.worker.restart_policy.cancel_grace = milliseconds(100);
        return pool;
    }

    /// Real workers from the start, with the hostile capability.
    WorkerPoolOptions real_options(bool use_template) const {
        WorkerPoolOptions with = options("", use_template);
        with.worker.executable = folder.path() / "real-worker";
        std::filesystem::create_symlink(LEANHOST_WORKER_PROGRAM, with.worker.executable);
        with.worker.capability_libraries = {LEANHOST_HOSTILE_CAPABILITY};
        with.worker.request_timeout = std::chrono::seconds(10);
        return with;
    }

    /// The next child commits the fault; with a template, the next request.
    void arm() const { folder.write(fault_file().filename(), ""); }
    bool is_armed() const { return std::filesystem::exists(fault_file()); }
    std::filesystem::path fault_file() const { return folder.path() / "fault"; }

    static WorkerPool make(WorkerPoolOptions with) {
        auto pool = WorkerPool::make(std::move(with));
        if (!pool)
            throw std::runtime_error(pool.error().message());
        return *std::move(pool);
    }

    static Expected<std::vector<std::string>> names_of(const Session& session,
                                                       std::uint64_t limit = 10) {
        return session.list_declarations(0, limit).map([](const std::vector<Name>& names) {
            std::vector<std::string> texts;
            for (const Name& name : names)
                texts.push_back(name.to_string());
            return texts;
        });
    }

    /// The next lease is served, at the first attempt.
    void expect_serves(WorkerPool& pool) const {
        const auto lease = pool.acquire({"A"});
        ASSERT_TRUE(lease) << "the pool does not serve: " << lease.error().message();
        const auto names = names_of(**lease);
        ASSERT_TRUE(names) << "the pool does not serve: " << names.error().message();
        EXPECT_THAT(*names, testing::AnyOf(real_names, honest_names));
    }

    /// The lease is served. A request that meets a dying child may fail with it, and nothing else.
    static void expect_goes_on(const WorkerLease& lease) {
        EXPECT_TRUE(comes_true(std::chrono::seconds(2), [&] {
            const auto names = names_of(*lease);
            if (!names && names.error().code() != ErrorCode::child_exited)
                ADD_FAILURE() << names.error().message();
            return names.has_value();
        })) << "the lease does not go on";
    }

    const std::vector<std::string> real_names{"A.one", "A.two"};
    const std::vector<std::string> honest_names{"Byzantine"}; ///< of a byzantine template's child
    TempDir folder;

private:
    const Leftovers before_{folder.path().string()};
};

} // namespace leanhost::test
