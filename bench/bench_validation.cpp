// Validating module files and building the index, apart from mapping them.

#include "library.hpp"
#include "module/constant_index.hpp"
#include "module/part_validator.hpp"

#include <benchmark/benchmark.h>

#include <cstring>

namespace leanhost::bench {
namespace {

const engine_native::LoadedClosure& closure() {
    static auto engine = mk_engine(RegionPolicy::shared);
    static const auto session = engine.open(bench_library().imports, {});
    return *session->loaded();
}

// Every part of every module, with the bitmaps of the parts before it.
void validate(benchmark::State& state) {
    std::uint64_t bytes = 0;
    for (auto _ : state) {
        for (const module::ClosureModule& m : closure().closure().modules()) {
            std::vector<std::unique_ptr<module::StartBitmap>> starts;
            std::vector<module::EarlierPart> earlier;
            for (const module::Region::Part& part : m.region->parts()) {
                starts.push_back(std::make_unique<module::StartBitmap>(
                    module::validate_part({part.bytes, &part.header}, earlier)));
                earlier.push_back(
                    {part.header.base_address, part.bytes.size(), starts.back().get()});
                bytes += part.bytes.size();
            }
        }
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(validate)->UseRealTime()->Unit(benchmark::kMillisecond);

// The contender: what reading every byte once costs.
void read_every_byte(benchmark::State& state) {
    std::uint64_t bytes = 0;
    for (auto _ : state) {
        std::uint64_t sum = 0;
        for (const module::ClosureModule& m : closure().closure().modules()) {
            for (const module::Region::Part& part : m.region->parts()) {
                for (std::size_t i = 0; i + 8 <= part.bytes.size(); i += 8) {
                    std::uint64_t word;
                    std::memcpy(&word, part.bytes.data() + i, 8);
                    sum += word;
                }
                bytes += part.bytes.size();
            }
        }
        benchmark::DoNotOptimize(sum);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(read_every_byte)->UseRealTime()->Unit(benchmark::kMillisecond);

void build_index(benchmark::State& state) {
    const module::ImportClosure& modules = closure().closure();
    Monitor monitor;
    std::uint64_t constants = 0;
    for (auto _ : state) {
        const module::ConstantIndex index(modules, static_cast<unsigned>(state.range(0)), monitor);
        constants += index.num_constants();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(constants));
}
BENCHMARK(build_index)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

} // namespace
} // namespace leanhost::bench
