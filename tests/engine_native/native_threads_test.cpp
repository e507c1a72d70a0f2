#include "base/guard.hpp"
#include "engine_native/native_engine.hpp"
#include "support/temp_dir.hpp"
#include "support_modules/mapped_files.hpp"
#include "support_modules/module_maker.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <barrier>
#include <thread>

namespace leanhost::engine_native {
namespace {

using namespace std::chrono_literals;
using test::TempDir;
using test::write_module;

constexpr unsigned num_threads = 8;

template <class F>
void in_threads(F&& body) {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < num_threads; ++i)
        threads.emplace_back([&body, i] { body(i); });
}

std::uint64_t count_found(const Session& session, std::span<const Name> names) {
    const auto rows = session.query_declarations(names, {.universe_params = true, .type = true});
    if (!rows)
        return 0;
    return static_cast<std::uint64_t>(
        std::count_if(rows->begin(), rows->end(), [](const auto& row) { return row.has_value(); }));
}

NativeEngineOptions options(const TempDir& folder) {
    NativeEngineOptions result;
    result.search_path = {folder.path()};
    result.revalidate_after = 0ms;
    return result;
}

TEST(NativeEngineThreads, ImportsOfOneSetAtOnceLoadItOnce) {
    const TempDir folder;
    write_module(folder.path(), "B", {}, {"b"});
    write_module(folder.path(), "A", {"B"}, {"a"});
    for (int round = 0; round < 50; ++round) {
        NativeEngine engine(options(folder));
        std::barrier start(num_threads);
        std::atomic<unsigned> fresh = 0;
        std::vector<std::unique_ptr<NativeSession>> sessions(num_threads);
        in_threads([&](unsigned i) {
            start.arrive_and_wait();
            sessions[i] = engine.open({"A"}, {});
            if (!sessions[i]->import_facts().was_shared)
                ++fresh;
        });
        EXPECT_EQ(fresh, 1U);
        EXPECT_EQ(engine.registry_stats().acquired, 2U);
    }
}

TEST(NativeEngineThreads, WhoWaitsForAnothersImportCanBeCancelled) {
    const TempDir folder;
    write_module(folder.path(), "A", {}, {"a"});
    NativeEngine engine(options(folder));
    std::barrier inside(2);
    std::barrier finish(2);
    std::jthread importer([&] {
        bool is_first = true;
        const auto session = engine.open({"A"}, {.progress = [&](const Progress&) {
                                             if (std::exchange(is_first, false)) {
                                                 inside.arrive_and_wait();
                                                 finish.arrive_and_wait();
                                             }
                                             return SinkAnswer::proceed;
                                         }});
        EXPECT_FALSE(session->import_facts().was_shared);
    });
    inside.arrive_and_wait();
    CancellationSource source;
    source.cancel();
    const auto waiting =
        guarded("test", [&] { return engine.open({"A"}, {.cancellation = source.token()}); });
    finish.arrive_and_wait();
    ASSERT_FALSE(waiting);
    EXPECT_EQ(waiting.error().code(), ErrorCode::cancelled);
}

TEST(NativeEngineThreads, OneSessionIsReadByMany) {
    const TempDir folder;
    std::vector<Name> names;
    for (int i = 0; i < 200; ++i)
        names.push_back("x." + std::to_string(i));
    write_module(folder.path(), "A", {}, names);
    NativeEngine engine(options(folder));
    const auto session = engine.open({"A"}, {});
    in_threads([&](unsigned) {
        for (int i = 0; i < 10; ++i) {
            EXPECT_EQ(count_found(*session, names), names.size());
            EXPECT_EQ(session->list_declarations(0, 1000)->size(), names.size());
            EXPECT_TRUE(session->find_object(names[static_cast<std::size_t>(i)]));
        }
    });
}

// Far more import sets than sessions, so that the engine forgets those that are gone again and
// again.
TEST(NativeEngineThreads, SameAndDifferentClosuresComeAndGoWhileFilesAreReplaced) {
    const TempDir folder;
    constexpr unsigned num_modules = 40;
    const auto module = [](unsigned i) { return Name("M" + std::to_string(i)); };
    const auto constant = [](unsigned i) { return Name("c" + std::to_string(i)); };
    write_module(folder.path(), "Base", {}, {"base"});
    for (unsigned i = 0; i < num_modules; ++i)
        write_module(folder.path(), module(i), {"Base"}, {constant(i)});
    NativeEngine engine(options(folder));
    std::atomic<bool> is_over = false;
    std::jthread builder([&] {
        for (unsigned i = 0; !is_over; ++i) {
            write_module(folder.path(), module(i % num_modules), {"Base"},
                         {constant(i % num_modules)});
        }
    });
    std::atomic<unsigned> opened = 0;
    in_threads([&](unsigned thread) {
        const auto end = std::chrono::steady_clock::now() + 1s;
        for (unsigned i = thread; std::chrono::steady_clock::now() < end; i += 3) {
            const unsigned at = i % num_modules;
            const auto session = guarded("test", [&] { return engine.open({module(at)}, {}); });
            // A file that is replaced while it is looked at may be refused as changed: nothing else
            // may go wrong.
            if (!session) {
                EXPECT_EQ(session.error().code(), ErrorCode::file_changed)
                    << session.error().message();
                continue;
            }
            EXPECT_EQ(count_found(**session, std::vector<Name>{"base", constant(at)}), 2U);
            ++opened;
        }
    });
    is_over = true;
    builder.join();
    EXPECT_GT(opened, 0U);
    EXPECT_EQ(engine.registry_stats().regions, 0U);
    EXPECT_THAT(test::mapped_files(folder.path()), testing::IsEmpty());
}

} // namespace
} // namespace leanhost::engine_native
