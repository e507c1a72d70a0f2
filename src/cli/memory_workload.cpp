#include "cli/memory_workload.hpp"

#include "base/guard.hpp"
#include "cli/memory_json.hpp"
#include "memory/named_mapping.hpp"

#include <leanhost/capabilities.hpp>
#include <leanhost/memory_sample.hpp>
#include <leanhost/regions.h>

#include <dlfcn.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace leanhost::cli {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class EventWriter {
public:
    explicit EventWriter(int fd) : fd_(fd) {}

    void write(const ordered_json& event) const {
        const std::string line =
            event.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
        for (std::size_t done = 0; done < line.size();) {
            const ssize_t n = ::write(fd_, line.data() + done, line.size() - done);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                fail(ErrorCode::io, std::string("cannot report: ") + std::strerror(errno));
            done += static_cast<std::size_t>(n);
        }
    }

private:
    int fd_;
};

// The phases of the reproducer, in the order in which they run.
class Workload {
public:
    Workload(MemoryColumn column,
             const MemoryWorkload& options,
             std::optional<std::uint64_t> ceiling,
             int out_fd)
        : column_(column), options_(options), ceiling_(ceiling), out_(out_fd),
          imports_(options.modules, Profile::all, options.allow_missing) {}

    void run() {
        checkpoint("start");
        init_runtime();
        checkpoint("after_runtime_init");
        load_capability();
        fresh_imports();
        second_session();
        bounded_pool();
        introspection();
        drop_all();
    }

private:
    void init_runtime() {
        runtime_.emplace(value_or_throw(Runtime::init(
            {.search_path = options_.search_path,
             .region_policy = column_ == MemoryColumn::native ? RegionPolicy::shared
                                                              : RegionPolicy::lean_compatible,
             .max_import_threads = options_.max_threads})));
    }

    void load_capability() {
        if (options_.capability.empty())
            return;
        capability_.emplace(value_or_throw(Capabilities::load(*runtime_, options_.capability)));
        checkpoint("after_host_capabilities");
    }

    // Capacity 0: every session is dropped as soon as it is there.
    void fresh_imports() {
        SessionPool pool(*runtime_, {.capacity = 0});
        std::uint64_t done = 0;
        double total_ms = 0;
        bool stopped = false;
        while (done < options_.imports && !stopped) {
            const auto start = Clock::now();
            {
                const PooledSession session = value_or_throw(pool.acquire(imports_));
                if (done == 0) {
                    region_bytes_ = session->import_facts().region_bytes;
                    report_import(session->import_facts());
                }
            }
            const double ms = milliseconds_since(start);
            total_ms += ms;
            if (done == 0)
                first_import_ms_ = ms;
            ++done;
            const bool is_round = done == 1 || done % options_.checkpoint_every == 0;
            if (is_round || done == options_.imports) {
                checkpoint("fresh_import_drop_" + std::to_string(done));
            }
            stopped = done < options_.imports && !has_room_for(1 + later_imports());
        }
        if (stopped)
            checkpoint("fresh_import_drop_" + std::to_string(done));
        report_phase(
            "fresh_import_drop", pool.stats(),
            {{"rounds", done},
             {"wanted_rounds", options_.imports},
             {"first_ms", first_import_ms_},
             {"mean_later_ms", done > 1 ? (total_ms - first_import_ms_) / double(done - 1) : 0},
             {"stopped", stopped ? ordered_json("ceiling") : ordered_json()}});
    }

    // Whether `imports` more stay below the ceiling, by what the first one brought in. Only the
    // model has a ceiling: it keeps each of them, but for what is shared.
    bool has_room_for(std::uint64_t imports) const {
        if (!ceiling_)
            return true;
        const std::uint64_t kept_by_each =
            column_ == MemoryColumn::shared ? 0 : region_bytes_ + region_bytes_ / 10;
        const std::optional<std::uint64_t> now = gauge();
        return now && *now + imports * kept_by_each <= *ceiling_;
    }

    // The fresh imports leave room for those of the later phases.
    std::uint64_t later_imports() const { return options_.pool_capacity + 3; }

    bool skip_without_room(std::string_view phase, std::uint64_t imports) {
        if (has_room_for(imports))
            return false;
        out_.write({{"event", "skipped"}, {"name", phase}, {"reason", "ceiling"}});
        return true;
    }

    // What one more session over a loaded closure costs.
    void second_session() {
        if (skip_without_room("second_session", 2))
            return;
        const auto first = value_or_throw(runtime_->open_session(imports_));
        const auto before = gauge();
        constexpr int opens = 9;
        std::vector<std::shared_ptr<const Session>> held;
        std::vector<double> us;
        for (int i = 0; i < (column_ == MemoryColumn::native ? opens : 1); ++i) {
            const auto start = Clock::now();
            held.push_back(value_or_throw(runtime_->open_session(imports_)));
            us.push_back(milliseconds_since(start) * 1000);
        }
        const auto after = gauge();
        std::nth_element(us.begin(), us.begin() + static_cast<std::ptrdiff_t>(us.size() / 2),
                         us.end());
        ordered_json event{{"event", "second_session"},
                           {"sessions", us.size()},
                           {"median_us", us[us.size() / 2]},
                           {"was_shared", held.back()->import_facts().was_shared}};
        event["anonymous_bytes"] = optional_json(difference_per(before, after, us.size()));
        out_.write(event);
    }

    static std::optional<std::uint64_t> difference_per(std::optional<std::uint64_t> before,
                                                       std::optional<std::uint64_t> after,
                                                       std::size_t count) {
        if (!before || !after)
            return std::nullopt;
        return (*after - std::min(*before, *after)) / count;
    }

    void bounded_pool() {
        if (skip_without_room("bounded_pool", options_.pool_capacity))
            return;
        SessionPool pool(*runtime_, {.capacity = options_.pool_capacity});
        {
            std::vector<PooledSession> held;
            for (std::uint64_t i = 0; i < options_.pool_capacity; ++i) {
                held.push_back(value_or_throw(pool.acquire(imports_)));
            }
            checkpoint("bounded_pool_filled");
        }
        const auto start = Clock::now();
        for (std::uint64_t i = 0; i < options_.imports && options_.pool_capacity > 0; ++i) {
            const PooledSession session = value_or_throw(pool.acquire(imports_));
        }
        const double ms = milliseconds_since(start);
        checkpoint("bounded_pool_reused");
        report_phase("bounded_pool", pool.stats(),
                     {{"rounds", options_.imports},
                      {"us_per_acquire", ms * 1000 / double(options_.imports)}});
        pool.drain();
        checkpoint("bounded_pool_drained");
    }

    void introspection() {
        if (skip_without_room("introspection", 1))
            return;
        SessionPool pool(*runtime_, {.capacity = 1});
        {
            const PooledSession session = value_or_throw(pool.acquire(imports_));
            const std::vector<Name> names = sample_names(*session, options_.names_per_call);
            checkpoint("introspection_before");
            const auto start = Clock::now();
            std::uint64_t found = 0;
            for (std::uint64_t i = 0; i < options_.bulk_calls; ++i) {
                const auto rows =
                    value_or_throw(session->query_declarations(names, {.type = true}));
                found += static_cast<std::uint64_t>(std::count_if(
                    rows.begin(), rows.end(), [](const auto& r) { return r.has_value(); }));
            }
            const double ms = milliseconds_since(start);
            checkpoint("introspection_after");
            report_phase("introspection", pool.stats(),
                         {{"calls", options_.bulk_calls},
                          {"names_per_call", names.size()},
                          {"rows_found", found},
                          {"us_per_call",
                           ms * 1000 / double(std::max<std::uint64_t>(1, options_.bulk_calls))}});
            if (column_ == MemoryColumn::native)
                kernel_calls(*session, pool);
            checkpoint("mixed_before_drop", true);
        }
        report_phase("mixed_before_drop", pool.stats(), {});
    }

    // As many declarations checked, and as many terms reduced, from all over the environment: what
    // is lifted for one is of no use for the next.
    void kernel_calls(const Session& session, const SessionPool& pool) {
        const std::vector<Name> names = sample_names(session, options_.bulk_calls);
        if (names.empty())
            return;
        value_or_throw(session.kernel_check(names.front()));
        reduce(session, names.front());
        checkpoint("kernel_before");
        std::uint64_t accepted = 0;
        const auto start = Clock::now();
        for (const Name& name : names)
            accepted += value_or_throw(session.kernel_check(name)).kind == VerdictKind::accepted;
        const double check_ms = milliseconds_since(start);
        checkpoint("kernel_checked");
        std::uint64_t reduced = 0;
        const auto reducing = Clock::now();
        for (const Name& name : names)
            reduced += reduce(session, name);
        const double whnf_ms = milliseconds_since(reducing);
        checkpoint("kernel_reduced");
        report_phase("kernel", pool.stats(),
                     {{"calls", names.size()},
                      {"accepted", accepted},
                      {"reduced", reduced},
                      {"us_per_check", check_ms * 1000 / double(names.size())},
                      {"us_per_whnf", whnf_ms * 1000 / double(names.size())}});
    }

    // To weak head normal form: the value, or the type of what has none.
    static bool reduce(const Session& session, const Name& name) {
        DeclarationTerms terms = value_or_throw(session.declaration_terms(name));
        const TermIndex root = terms.value ? *terms.value : terms.type;
        return value_or_throw(session.whnf({std::move(terms.terms), root})).verdict.kind ==
               VerdictKind::accepted;
    }

    // Evenly spread over the environment, so that no page or module answers for all.
    static std::vector<Name> sample_names(const Session& session, std::uint64_t wanted) {
        const std::uint64_t count = std::min(wanted, session.import_facts().constants);
        std::vector<Name> names;
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t at = session.import_facts().constants * i / count;
            for (Name& name : value_or_throw(session.list_declarations(at, 1))) {
                names.push_back(std::move(name));
            }
        }
        return names;
    }

    void drop_all() {
        capability_.reset();
        checkpoint("after_drops", true);
        std::this_thread::sleep_for(std::chrono::milliseconds(options_.pause_ms));
        checkpoint("steady_state", true);
        runtime_.reset();
        if (column_ == MemoryColumn::shared)
            report_sharing();
        out_.write({{"event", "done"}});
    }

    // Asked for by name, so that the command itself links no sharing.
    void report_sharing() const {
        const auto ask = reinterpret_cast<LeanhostRegionsStats (*)()>(
            ::dlsym(RTLD_DEFAULT, "leanhost_regions_stats"));
        if (ask == nullptr)
            fail(ErrorCode::invalid_argument,
                 "this process does not run under libleanhost_regions");
        out_.write({{"event", "region_sharing"}, {"facts", to_json(ask())}});
    }

    static std::optional<std::uint64_t> gauge() { return sample_this_process().gauge_bytes(); }

    void checkpoint(const std::string& name, bool with_attribution = false) {
        if (name == last_checkpoint_)
            return;
        last_checkpoint_ = name;
        ordered_json event{{"event", "checkpoint"}, {"name", name}};
        event["sample"] = to_json(sample_this_process());
        if (runtime_)
            event["regions"] = to_json(runtime_->region_facts());
        if (with_attribution || name.ends_with("_1")) {
            event["attribution"] = to_json(attribute_this_process());
            event["tracked_bytes"] = tracked_bytes();
        }
        out_.write(event);
    }

    // What the owners say they hold, in the classes of the attribution, to be compared with what
    // was sampled.
    ordered_json tracked_bytes() const {
        const RegionFacts regions = runtime_ ? runtime_->region_facts() : RegionFacts{};
        return {{mapping_class_name(MappingClass::mapped_modules), regions.mapped_bytes},
                {mapping_class_name(MappingClass::relocated_copies),
                 memory::mapping_meter(MappingClass::relocated_copies).bytes()},
                {mapping_class_name(MappingClass::index),
                 memory::mapping_meter(MappingClass::index).bytes()}};
    }

    void report_phase(std::string_view name, const PoolStats& stats, ordered_json facts) {
        out_.write({{"event", "phase"},
                    {"name", name},
                    {"pool", to_json(stats)},
                    {"facts", std::move(facts)}});
    }

    void report_import(const ImportFacts& facts) {
        out_.write({{"event", "import"}, {"facts", to_json(facts)}});
    }

    const MemoryColumn column_;
    const MemoryWorkload& options_;
    const std::optional<std::uint64_t> ceiling_;
    EventWriter out_;
    const ImportSet imports_;
    std::optional<Runtime> runtime_;
    std::optional<Capabilities> capability_;
    double first_import_ms_ = 0;
    std::uint64_t region_bytes_ = 0; // of one import
    std::string last_checkpoint_;
};

} // namespace

std::string_view memory_column_name(MemoryColumn column) noexcept {
    switch (column) {
    case MemoryColumn::native:
        return "native";
    case MemoryColumn::model:
        return "model";
    case MemoryColumn::shared:
        return "shared";
    }
    return "unknown";
}

Expected<void> run_memory_column(MemoryColumn column,
                                 const MemoryWorkload& workload,
                                 std::optional<std::uint64_t> ceiling_bytes,
                                 int out_fd) {
    return guarded("memory column",
                   [&] { Workload(column, workload, ceiling_bytes, out_fd).run(); });
}

} // namespace leanhost::cli
