// Looking constants up: bulk queries over distinct names, with and without types, and a pool hit.

#include "library.hpp"

#include <leanhost/session_pool.hpp>

#include <absl/container/flat_hash_map.h>
#include <benchmark/benchmark.h>

#include <cstdlib>

namespace leanhost::bench {
namespace {

struct Held {
    engine_native::NativeEngine engine = mk_engine(RegionPolicy::shared);
    std::unique_ptr<engine_native::NativeSession> session =
        engine.open(bench_library().imports, {});
    std::vector<Name> names = distinct_names(*session, 10'000);
};

Held& held() {
    static Held held;
    return held;
}

void set_rate(benchmark::State& state, std::size_t names) {
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * names));
    state.counters["ns_per_name"] = benchmark::Counter(
        static_cast<double>(names),
        benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void query_bulk(benchmark::State& state) {
    const std::vector<Name>& names = held().names;
    for (auto _ : state) {
        const auto rows =
            held().session->query_declarations(names, {.universe_params = state.range(0) != 0});
        if (!rows || !(*rows)[0])
            std::abort();
        benchmark::DoNotOptimize(rows->size());
    }
    set_rate(state, names.size());
}
BENCHMARK(query_bulk)->ArgName("universe_params")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

void query_bulk_with_types(benchmark::State& state) {
    const std::vector<Name>& names = held().names;
    for (auto _ : state) {
        const auto rows = held().session->query_declarations(names, {.type = true});
        if (!rows)
            std::abort();
        benchmark::DoNotOptimize(rows->size());
    }
    set_rate(state, names.size());
}
BENCHMARK(query_bulk_with_types)->Unit(benchmark::kMillisecond);

// A contender with every name in memory: a hash map from names to positions, which costs their
// bytes again.
void query_hash_map(benchmark::State& state) {
    const std::vector<Name>& names = held().names;
    absl::flat_hash_map<Name, std::size_t, std::hash<Name>> map;
    for (std::size_t i = 0; i < names.size(); ++i)
        map.emplace(names[i], i);
    for (auto _ : state) {
        for (const Name& name : names)
            benchmark::DoNotOptimize(map.find(name));
    }
    set_rate(state, names.size());
}
BENCHMARK(query_hash_map)->Unit(benchmark::kMicrosecond);

void parse_name(benchmark::State& state) {
    std::vector<std::string> texts;
    for (const Name& name : held().names)
        texts.push_back(name.to_string());
    for (auto _ : state) {
        for (const std::string& text : texts)
            benchmark::DoNotOptimize(Name(text).hash());
    }
    set_rate(state, texts.size());
}
BENCHMARK(parse_name)->Unit(benchmark::kMicrosecond);

// What the first question for dependencies costs, and the first for axioms behind it: once for each
// closure.
void build_references(benchmark::State& state) {
    const auto& loaded = *held().session->loaded();
    Monitor monitor;
    for (auto _ : state) {
        const module::ReferenceGraph graph(loaded.closure(), loaded.index(),
                                           static_cast<unsigned>(state.range(0)), monitor);
        state.counters["MiB"] = static_cast<double>(graph.size_bytes()) / (1024 * 1024);
    }
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(loaded.facts().region_bytes));
}
BENCHMARK(build_references)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void build_axiom_sets(benchmark::State& state) {
    const auto& loaded = *held().session->loaded();
    Monitor monitor;
    const module::ReferenceGraph& graph = loaded.references(monitor);
    for (auto _ : state)
        benchmark::DoNotOptimize(module::AxiomSets(loaded.closure(), graph, monitor).size_bytes());
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(graph.num_constants()));
}
BENCHMARK(build_axiom_sets)->Unit(benchmark::kMillisecond);

void query_axioms(benchmark::State& state) {
    const std::vector<Name>& names = held().names;
    for (auto _ : state) {
        const auto answers = held().session->axioms(names);
        if (!answers || !(*answers)[0])
            std::abort();
        benchmark::DoNotOptimize(answers->size());
    }
    set_rate(state, names.size());
}
BENCHMARK(query_axioms)->Unit(benchmark::kMillisecond);

void query_dependencies(benchmark::State& state) {
    const std::vector<Name>& names = held().names;
    for (auto _ : state) {
        const auto answers = held().session->dependencies(names);
        if (!answers)
            std::abort();
        benchmark::DoNotOptimize(answers->size());
    }
    set_rate(state, names.size());
}
BENCHMARK(query_dependencies)->Unit(benchmark::kMillisecond);

void pool_hit(benchmark::State& state) {
    auto runtime = Runtime::init({.search_path = {bench_library().root},
                                  .revalidate_after = std::chrono::milliseconds(state.range(0))});
    if (!runtime)
        std::abort();
    SessionPool pool(*runtime, {.capacity = 4});
    if (!pool.acquire(bench_library().imports))
        std::abort();
    for (auto _ : state) {
        auto session = pool.acquire(bench_library().imports);
        benchmark::DoNotOptimize(session);
    }
    if (pool.stats().imports != 1)
        std::abort(); // all others were hits
}
BENCHMARK(pool_hit)->ArgName("revalidate_after_ms")->Arg(3'600'000)->Arg(0);

} // namespace
} // namespace leanhost::bench
