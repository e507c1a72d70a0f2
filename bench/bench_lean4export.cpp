// Reading an export and making modules of it. LEANHOST_TEST_DATA names the folder with
// init-medium.ndjson; answers are compared before the clock starts.

#include "base/failure.hpp"
#include "module/lean4export/convert_export.hpp"
#include "module/lean4export/export_module.hpp"
#include "module/lean4export/export_reader.hpp"
#include "module/lean4export/export_table.hpp"
#include "module/lean4export/line_reader.hpp"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

namespace leanhost::bench {
namespace {

using namespace module::lean4export;
namespace fs = std::filesystem;

// The export, and the same with a blank behind each line's first brace, which the fast path
// declines.
class Exports {
public:
    explicit Exports(fs::path plain)
        : plain_(std::move(plain)), folder_(fs::temp_directory_path() / folder_name()) {
        fs::create_directories(folder_);
        std::ofstream out(spaced(), std::ios::binary);
        LineReader reader(open_byte_source(plain_), plain_);
        while (const auto line = reader.next())
            out << "{ " << line->substr(1) << '\n';
    }
    ~Exports() {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    Exports(const Exports&) = delete;
    Exports& operator=(const Exports&) = delete;

    const fs::path& plain() const noexcept { return plain_; }
    fs::path spaced() const { return folder_ / "spaced.ndjson"; }
    fs::path modules() const { return folder_ / "modules"; }

private:
    static std::string folder_name() {
        return "leanhost-bench-lean4export-" + std::to_string(::getpid());
    }
    fs::path plain_;
    fs::path folder_;
};

// Null with a message in `state` when the data is not there.
const Exports* exports(benchmark::State& state) {
    static const std::optional<fs::path> path = []() -> std::optional<fs::path> {
        const char* const root = std::getenv("LEANHOST_TEST_DATA");
        if (root == nullptr || !fs::exists(fs::path(root) / "init-medium.ndjson"))
            return std::nullopt;
        return fs::path(root) / "init-medium.ndjson";
    }();
    if (!path) {
        state.SkipWithError("LEANHOST_TEST_DATA names no folder with init-medium.ndjson");
        return nullptr;
    }
    static const Exports made(*path);
    return &made;
}

// Takes everything and keeps nothing: what reading alone costs.
class NoSink final : public ExportSink {
public:
    std::uint64_t calls = 0;

    void meta(const ExportMeta&) override { ++calls; }
    void name_str(Id, Id, std::string_view) override { ++calls; }
    void name_num(Id, Id, std::uint64_t) override { ++calls; }
    void level_succ(Id, Id) override { ++calls; }
    void level_max(Id, Id, Id) override { ++calls; }
    void level_imax(Id, Id, Id) override { ++calls; }
    void level_param(Id, Id) override { ++calls; }
    void bvar(Id, std::uint64_t) override { ++calls; }
    void sort(Id, Id) override { ++calls; }
    void constant_term(Id, Id, const std::vector<Id>&) override { ++calls; }
    void app(Id, Id, Id) override { ++calls; }
    void lam(Id, object::BinderInfo, Id, Id, Id) override { ++calls; }
    void forall_e(Id, object::BinderInfo, Id, Id, Id) override { ++calls; }
    void let_e(Id, Id, Id, Id, Id, bool) override { ++calls; }
    void proj(Id, Id, std::uint64_t, Id) override { ++calls; }
    void nat_literal(Id, std::string_view) override { ++calls; }
    void string_literal(Id, std::string_view) override { ++calls; }
    void mdata(Id, Id) override { ++calls; }
    void declaration(const ExportDeclaration&) override { ++calls; }
};

// Of the table that a file gives, to compare the two paths by.
struct Counts {
    std::size_t names, levels, terms, declarations;
    bool operator==(const Counts&) const = default;
};
Counts counts_of(const ExportTable& table) {
    return {table.names().size(), table.levels().size(), table.terms().size(),
            table.declarations().size()};
}

bool paths_agree(const Exports& files) {
    static const bool agree = [&] {
        Monitor monitor;
        ExportTable plain;
        ExportTable spaced;
        const ReadFacts by_fast = read_export(files.plain(), plain, monitor);
        const ReadFacts by_json = read_export(files.spaced(), spaced, monitor);
        return counts_of(plain) == counts_of(spaced) && by_json.fast_lines == 0 &&
               by_fast.fast_lines > by_fast.lines / 2;
    }();
    return agree;
}

// Bytes of the plain file in every case, so that rates are comparable.
void set_rate(benchmark::State& state, const Exports& files) {
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                            static_cast<std::int64_t>(fs::file_size(files.plain())));
}

void lines_only(benchmark::State& state) {
    const Exports* const files = exports(state);
    if (files == nullptr)
        return;
    for (auto _ : state) {
        LineReader reader(open_byte_source(files->plain()), files->plain());
        std::uint64_t bytes = 0;
        while (const auto line = reader.next())
            bytes += line->size();
        benchmark::DoNotOptimize(bytes);
    }
    set_rate(state, *files);
}

template <class Sink>
void read(benchmark::State& state, bool is_spaced) {
    const Exports* const files = exports(state);
    if (files == nullptr)
        return;
    if (!paths_agree(*files)) {
        state.SkipWithError("the two paths do not agree");
        return;
    }
    const fs::path path = is_spaced ? files->spaced() : files->plain();
    Monitor monitor;
    for (auto _ : state) {
        Sink sink;
        const ReadFacts facts = read_export(path, sink, monitor);
        benchmark::DoNotOptimize(facts.lines);
    }
    set_rate(state, *files);
}

void read_only(benchmark::State& state) {
    read<NoSink>(state, false);
}
void read_only_json_path(benchmark::State& state) {
    read<NoSink>(state, true);
}
void read_table(benchmark::State& state) {
    read<ExportTable>(state, false);
}
void read_table_json_path(benchmark::State& state) {
    read<ExportTable>(state, true);
}

const ExportTable& table_of(const Exports& files) {
    static const auto table = [&] {
        auto made = std::make_unique<ExportTable>();
        Monitor monitor;
        read_export(files.plain(), *made, monitor);
        return made;
    }();
    return *table;
}

// One module, in memory.
void make_module(benchmark::State& state) {
    const Exports* const files = exports(state);
    if (files == nullptr)
        return;
    const ExportTable& table = table_of(*files);
    for (auto _ : state) {
        ExportScratch scratch(table);
        const module::BuiltPart part =
            mk_export_module(table, table.declarations(), Name("Bench"), {}, scratch);
        benchmark::DoNotOptimize(part.bytes.size());
    }
    set_rate(state, *files);
}

// Modules of 500 constants, written and synced.
void convert(benchmark::State& state) {
    const Exports* const files = exports(state);
    if (files == nullptr)
        return;
    const ExportTable& table = table_of(*files);
    Monitor monitor;
    for (auto _ : state) {
        const ConvertReport report =
            convert_export(table, {files->modules(), Name("Bench"), 500}, monitor);
        benchmark::DoNotOptimize(report.objects);
    }
    set_rate(state, *files);
}

BENCHMARK(lines_only)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(read_only)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(read_only_json_path)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(read_table)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(read_table_json_path)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(make_module)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(convert)->UseRealTime()->Unit(benchmark::kMillisecond);

} // namespace
} // namespace leanhost::bench
