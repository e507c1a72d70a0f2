// What an import costs: fresh (nothing is mapped), repeated (a live session has the closure),
// relocated (the base addresses are taken), and the model of Lean's loader, first and later.

#include "library.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>

namespace leanhost::bench {
namespace {

std::unique_ptr<engine_native::NativeSession> open(engine_native::NativeEngine& engine) {
    return engine.open(bench_library().imports, {});
}

// Every contender must answer alike before the clock starts.
void require_same_answers(const Session& a, const Session& b) {
    const auto names = distinct_names(a, 500);
    const auto rows_a = a.query_declarations(names, {.type = true});
    const auto rows_b = b.query_declarations(names, {.type = true});
    if (!rows_a || !rows_b)
        std::abort();
    for (std::size_t i = 0; i < names.size(); ++i) {
        if ((*rows_a)[i]->type != (*rows_b)[i]->type || (*rows_a)[i]->kind != (*rows_b)[i]->kind) {
            std::fprintf(stderr, "contenders disagree on %s\n", names[i].to_string().c_str());
            std::exit(1);
        }
    }
}

void set_rates(benchmark::State& state, const Session& session) {
    state.counters["modules"] = static_cast<double>(session.import_facts().modules);
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                            static_cast<std::int64_t>(session.import_facts().region_bytes));
}

void import_fresh(benchmark::State& state) {
    auto engine = mk_engine(RegionPolicy::shared, static_cast<unsigned>(state.range(0)));
    std::unique_ptr<engine_native::NativeSession> session;
    for (auto _ : state) {
        state.PauseTiming();
        session.reset(); // the drop is measured below
        state.ResumeTiming();
        session = open(engine);
    }
    set_rates(state, *session);
}
BENCHMARK(import_fresh)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

void drop_last_session(benchmark::State& state) {
    auto engine = mk_engine(RegionPolicy::shared);
    for (auto _ : state) {
        state.PauseTiming();
        auto session = open(engine);
        state.ResumeTiming();
        session.reset();
    }
}
BENCHMARK(drop_last_session)->UseRealTime()->Unit(benchmark::kMillisecond);

void import_repeated(benchmark::State& state) {
    auto engine = mk_engine(RegionPolicy::shared);
    const auto held = open(engine);
    for (auto _ : state)
        benchmark::DoNotOptimize(open(engine));
    state.counters["modules"] = static_cast<double>(held->import_facts().modules);
}
BENCHMARK(import_repeated)->UseRealTime()->Unit(benchmark::kMicrosecond);

// A second engine in the same process has a registry of its own and finds every base address taken.
void import_relocated(benchmark::State& state) {
    auto first = mk_engine(RegionPolicy::shared);
    const auto held = open(first);
    auto engine = mk_engine(RegionPolicy::shared);
    auto session = open(engine);
    require_same_answers(*held, *session);
    for (auto _ : state) {
        state.PauseTiming();
        session.reset();
        state.ResumeTiming();
        session = open(engine);
    }
    set_rates(state, *session);
}
BENCHMARK(import_relocated)->UseRealTime()->Unit(benchmark::kMillisecond);

// Keeps every import, so a few rounds only.
void import_model_of_lean(benchmark::State& state) {
    auto engine = mk_engine(RegionPolicy::lean_compatible);
    auto session = open(engine);
    for (auto _ : state)
        session = open(engine);
    set_rates(state, *session);
}
BENCHMARK(import_model_of_lean)->Iterations(3)->UseRealTime()->Unit(benchmark::kMillisecond);

} // namespace
} // namespace leanhost::bench
