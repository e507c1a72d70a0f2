// What kernel operations on a pooled session leave behind in this process, by its anonymous bytes:
// a program of its own.
#include "memory/live.hpp"
#include "memory/meter.hpp"
#include "module/fixture/fixture_library.hpp"
#include "support/temp_dir.hpp"

#include <leanhost/memory_sample.hpp>
#include <leanhost/session_pool.hpp>

#include <gmock/gmock.h>
#include <malloc.h>

namespace leanhost {
namespace {

using memory::test::growth;
using memory::test::mebibyte;

constexpr std::size_t calls = 512;
constexpr std::uint64_t most_idle_bytes = std::uint64_t{256} << 10;

std::optional<std::uint64_t> anonymous() {
    return sample_this_process().gauge_bytes();
}

std::uint64_t metered_kernel_bytes() {
    std::uint64_t bytes = 0;
    for (const memory::MeterReading& reading : memory::meter_readings()) {
        if (reading.name == "kernel_terms")
            bytes += reading.bytes;
    }
    return bytes;
}

class KernelMemory : public testing::Test {
protected:
    static void SetUpTestSuite() {
        // The fixture's writer frees great blocks, after which malloc would keep as much for
        // itself; a program that only reads modules has it as it is by default.
        ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
        folder_ = std::make_unique<test::TempDir>();
        module::fixture::FixtureOptions options;
        options.modules = 24;
        options.constants = 4000;
        options.directory = folder_->path();
        ASSERT_TRUE(module::fixture::write_fixture(options));
        auto runtime = Runtime::init({.search_path = {folder_->path()}});
        ASSERT_TRUE(runtime);
        pool_ = std::make_unique<SessionPool>(*std::move(runtime));
        const auto session = acquire();
        names_ = *session->list_declarations(0, UINT64_MAX);
        ASSERT_GT(names_.size(), 2 * calls);
    }
    static void TearDownTestSuite() {
        pool_.reset();
        folder_.reset();
    }

    static PooledSession acquire() {
        auto session = pool_->acquire(ImportSet{Name(module::fixture::root_module)});
        if (!session)
            throw std::runtime_error(session.error().message());
        return *std::move(session);
    }

    static void check(const Session& session, const Name& name) {
        const auto verdict = session.kernel_check(name);
        ASSERT_TRUE(verdict) << verdict.error().message();
        EXPECT_NE(verdict->kind, VerdictKind::rejected) << name.to_string() << verdict->message;
    }

    // The normal form of what `name` stands for: its value where it has one, else itself.
    static void reduce(const Session& session, const Name& name) {
        const auto terms = session.declaration_terms(name);
        ASSERT_TRUE(terms) << terms.error().message();
        const auto answer =
            session.whnf({terms->terms, terms->value ? *terms->value : terms->type});
        ASSERT_TRUE(answer) << answer.error().message();
        EXPECT_NE(answer->verdict.kind, VerdictKind::rejected)
            << name.to_string() << ": " << answer->verdict.message;
    }

    static void expect_flat(std::optional<std::uint64_t> before) {
        const double grown = growth(before, anonymous());
        EXPECT_LT(grown, static_cast<double>(mebibyte));
        EXPECT_LE(metered_kernel_bytes(), most_idle_bytes);
        RecordProperty("growth_bytes", std::to_string(grown));
        RecordProperty("kernel_bytes", std::to_string(metered_kernel_bytes()));
    }

    static inline std::unique_ptr<test::TempDir> folder_;
    static inline std::unique_ptr<SessionPool> pool_;
    static inline std::vector<Name> names_;
};

TEST_F(KernelMemory, ManyCallsOnAPooledSessionLeaveNothing) {
    LEANHOST_NEEDS_TRUE_SIZES();
    const Name name = "Fixture.Bool.and_assoc";
    check(*acquire(), name);
    reduce(*acquire(), name);
    const auto before = anonymous();
    for (std::size_t i = 0; i < calls; ++i)
        check(*acquire(), name);
    for (std::size_t i = 0; i < calls; ++i)
        reduce(*acquire(), name);
    expect_flat(before);
}

TEST_F(KernelMemory, WhatWasLiftedForManyConstantsDoesNotStay) {
    LEANHOST_NEEDS_TRUE_SIZES();
    check(*acquire(), names_.front());
    reduce(*acquire(), names_.front());
    const auto before = anonymous();
    // From all over the library, so that nothing that is kept is of use for the next.
    const std::size_t step = names_.size() / calls;
    for (std::size_t i = 0; i < calls; ++i)
        check(*acquire(), names_[(i * step * 7) % names_.size()]);
    for (std::size_t i = 0; i < calls; ++i)
        reduce(*acquire(), names_[(i * step * 5 + 1) % names_.size()]);
    expect_flat(before);
}

TEST_F(KernelMemory, NothingStaysWhenTheClosureGoes) {
    check(*acquire(), "Fixture.Bool.and_assoc");
    EXPECT_GT(metered_kernel_bytes(), 0U);
    pool_->drain();
    EXPECT_EQ(metered_kernel_bytes(), 0U);
}

// What is too much is given back at once, whatever it was.
TEST_F(KernelMemory, CancelledAndDeclinedCallsLeaveNothing) {
    LEANHOST_NEEDS_TRUE_SIZES();
    check(*acquire(), names_.front());
    const auto before = anonymous();
    const KernelOptions few{.max_heartbeats = 50};
    CancellationSource source;
    source.cancel();
    CallOptions cancelled;
    cancelled.cancellation = source.token();
    std::size_t declined = 0;
    for (std::size_t i = 0; i < calls; ++i) {
        const auto verdict = acquire()->kernel_check(names_[i], few);
        declined += verdict && verdict->kind == VerdictKind::declined ? 1 : 0;
        const auto none = acquire()->kernel_check(names_[i], {}, cancelled);
        EXPECT_TRUE(none || none.error().code() == ErrorCode::cancelled);
    }
    EXPECT_GT(declined, 0U);
    expect_flat(before);
}

} // namespace
} // namespace leanhost
