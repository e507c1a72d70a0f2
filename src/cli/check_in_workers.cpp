#include "cli/check_in_workers.hpp"

#include "base/failure.hpp"
#include "cli/check_report_text.hpp"
#include "cli/pool_sweep.hpp"

namespace leanhost::cli {
namespace {

/// One job: an export, or a module.
struct Checked {
    std::filesystem::path file; ///< of an export
    Name module;
    std::vector<std::filesystem::path> search_path; ///< of a module

    std::string label() const { return file.empty() ? module.to_string() : file.string(); }
};

std::vector<Checked> all_checked(const CheckRequest& request) {
    std::vector<Checked> all;
    for (const auto& file : exports_to_check(request)) {
        if (file == "-")
            fail(ErrorCode::invalid_argument,
                 "standard input cannot be checked in a worker; leave --workers out, or name a "
                 "file");
        all.push_back({std::filesystem::absolute(file), {}, {}});
    }
    for (const CheckedModules& group : modules_to_check(request)) {
        for (const Name& module : group.modules)
            all.push_back({{}, module, group.search_path});
    }
    return all;
}

WorkerPoolOptions pool_options(const CheckRequest& request) {
    constexpr auto without_end = std::chrono::hours(24 * 7);
    WorkerPoolOptions pool;
    pool.max_workers = request.workers;
    pool.max_wait = without_end;
    pool.worker.request_timeout = without_end;
    pool.worker.use_template = false; // a child without imports is born as fast
    if (request.max_total_mib != 0)
        pool.max_total_bytes = request.max_total_mib << 20U;
    // What the kernel's own limit does not see, a process's beginnings above all.
    constexpr std::uint64_t beside_bytes = std::uint64_t{128} << 20;
    if (request.options.max_memory_bytes != 0)
        pool.worker.restart_policy.hard_anonymous_bytes =
            request.options.max_memory_bytes + beside_bytes;
    return pool;
}

LeaseRequest lease_request(const Checked& checked, const WorkerPoolOptions& pool) {
    LeaseRequest request;
    if (!checked.file.empty())
        return request; // an export imports nothing
    request.imports = ImportSet({checked.module}, Profile::all, true);
    request.runtime = pool.worker.runtime;
    request.runtime->search_path = checked.search_path;
    return request;
}

} // namespace

int check_in_workers(const CheckRequest& request) {
    if (request.with_axioms)
        fail(ErrorCode::invalid_argument,
             "--axioms tells of each declaration as it is checked here; leave --workers out");
    const std::vector<Checked> all = all_checked(request);
    const WorkerPoolOptions options = pool_options(request);
    WorkerPool workers = value_or_throw(WorkerPool::make(options));
    CheckStatus status;
    std::mutex mutex; // of status
    const auto job = [&](WorkerPool& pool, std::size_t i, std::string& text) {
        const Checked& checked = all[i];
        const WorkerLease lease = value_or_throw(pool.acquire(lease_request(checked, options)));
        const auto tell = [&](const auto& report) {
            text = report_text(checked.label(), report, request.as_json);
            const std::lock_guard lock(mutex);
            status.add(report);
        };
        if (!checked.file.empty())
            return tell(value_or_throw(lease.check_export(checked.file, request.options)));
        const std::span<const Name> modules(&checked.module, request.with_closure ? 0 : 1);
        tell(value_or_throw(lease->check_modules(modules, request.options)));
    };
    std::vector<std::string> labels;
    for (const Checked& checked : all)
        labels.push_back(checked.label());
    PoolSweep sweep(workers, std::chrono::milliseconds(request.drain_wait_ms), "checks",
                    std::move(labels));
    const int failed = sweep.run(request.workers, job);
    return failed != 0 ? failed : status.value();
}

} // namespace leanhost::cli
