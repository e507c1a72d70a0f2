#include "base/guard.hpp"
#include "pool/pool_state.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost {
namespace {

void require(bool holds, std::string_view option, std::string value, std::string_view accepted) {
    if (holds)
        return;
    throw Failure(Error(ErrorCode::invalid_argument,
                        fmt::format("pool option '{}': {}, expected {}", option, value, accepted))
                      .with("option", std::string(option))
                      .with("value", std::move(value))
                      .with("accepted", std::string(accepted)));
}

void check(const WorkerPoolOptions& options) {
    value_or_throw(validate(options.worker));
    require(options.max_workers >= 1 && options.max_workers <= 4096, "max_workers",
            std::to_string(options.max_workers), "1 to 4096");
    require(options.spares <= options.max_workers, "spares", std::to_string(options.spares),
            "at most max_workers");
    require(options.max_waiting >= 1, "max_waiting", "0", "at least 1");
    require(!options.max_total_bytes || *options.max_total_bytes >= std::uint64_t{1} << 20,
            "max_total_bytes", std::to_string(options.max_total_bytes.value_or(0)),
            "at least 1 MiB");
    const std::uint64_t least_cgroup_bytes =
        std::max(options.max_total_bytes.value_or(0), std::uint64_t{16} << 20);
    require(!options.max_cgroup_bytes || *options.max_cgroup_bytes >= least_cgroup_bytes,
            "max_cgroup_bytes", std::to_string(options.max_cgroup_bytes.value_or(0)),
            fmt::format("at least max_total_bytes and 16 MiB: {}", least_cgroup_bytes));
    require(options.max_wait.count() >= 0 && options.max_wait <= std::chrono::hours(24 * 7),
            "max_wait", fmt::format("{} ms", options.max_wait.count()), "0 to 7 days");
}

} // namespace

// What a lease holds: a slot of the pool, and the session in it.
struct WorkerLease::Loan {
    Loan(std::shared_ptr<WorkerPool::State> from, WorkerPool::State::Granted grant)
        : pool(std::move(from)), granted(grant) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() {
        session.reset();
        // Ignored on purpose: it can only fail for want of memory; the slot then stays leased.
        static_cast<void>(guarded("WorkerLease", [&] {
            if (is_prepared)
                pool->give_back(granted.slot);
        }));
    }

    worker::Worker& worker() const { return *granted.slot->worker; }

    const std::shared_ptr<WorkerPool::State> pool;
    WorkerPool::State::Granted granted;
    bool is_prepared = false;
    std::unique_ptr<worker::RemoteSession> session;
};

WorkerLease::WorkerLease(std::unique_ptr<Loan> loan) noexcept : loan_(std::move(loan)) {}
WorkerLease::WorkerLease(WorkerLease&&) noexcept = default;
WorkerLease& WorkerLease::operator=(WorkerLease&& other) noexcept = default;
WorkerLease::~WorkerLease() = default;

const Session& WorkerLease::operator*() const noexcept {
    return *loan_->session;
}
const Session* WorkerLease::operator->() const noexcept {
    return loan_->session.get();
}

LeaseSource WorkerLease::source() const noexcept {
    return loan_->granted.source;
}

std::uint64_t WorkerLease::generation() const {
    const auto generation = loan_->worker().generation();
    return generation == nullptr ? 0 : generation->number();
}

::pid_t WorkerLease::pid() const {
    const auto generation = loan_->worker().generation();
    return generation == nullptr || generation->has_ended() ? -1 : generation->pid();
}

void WorkerLease::set_request_timeout(std::chrono::milliseconds timeout) {
    loan_->session->set_timeout(timeout);
}

Expected<void> WorkerLease::ping() const {
    return guarded("WorkerLease::ping", [&] { loan_->session->ping(); });
}

Expected<std::string> WorkerLease::call_capability(std::string_view library,
                                                   std::string_view function,
                                                   std::string_view input,
                                                   const CallOptions& options) const {
    return guarded("WorkerLease::call_capability", [&] {
        return loan_->session->call_capability(library, function, input, options);
    });
}

Expected<RowSummary> WorkerLease::call_capability_rows(std::string_view library,
                                                       std::string_view function,
                                                       std::string_view input,
                                                       const RowSink& rows,
                                                       const CallOptions& options) const {
    return guarded("WorkerLease::call_capability_rows", [&] {
        return loan_->session->call_capability_rows(library, function, input, rows, options);
    });
}

Expected<ExportReport> WorkerLease::check_export(const std::filesystem::path& path,
                                                 const CheckOptions& check,
                                                 const CallOptions& options) const {
    return guarded("WorkerLease::check_export",
                   [&] { return loan_->session->check_export(path, check, options); });
}

Expected<ImportFacts> WorkerLease::import_again(const CallOptions& options) {
    return guarded("WorkerLease::import_again",
                   [&] { return loan_->worker().import_again(&options).facts; });
}

void WorkerLease::restart() {
    loan_->worker().request_restart();
}

WorkerPool::WorkerPool(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
WorkerPool::WorkerPool(WorkerPool&&) noexcept = default;

WorkerPool::~WorkerPool() {
    if (state_ != nullptr)
        static_cast<void>(guarded("~WorkerPool", [&] { state_->end_all(); }));
}

Expected<WorkerPool> WorkerPool::make(WorkerPoolOptions options) {
    return guarded("WorkerPool::make", [&] {
        check(options);
        return WorkerPool(std::make_shared<State>(std::move(options)));
    });
}

Expected<WorkerLease> WorkerPool::acquire(LeaseRequest request) {
    return guarded("WorkerPool::acquire", [&] {
        auto loan = std::make_unique<WorkerLease::Loan>(state_, state_->acquire(request));
        state_->prepare(loan->granted, request.call);
        loan->is_prepared = true;
        loan->session =
            std::make_unique<worker::RemoteSession>(loan->granted.slot->worker, &request.call);
        return WorkerLease(std::move(loan));
    });
}

bool WorkerPool::drain(std::chrono::milliseconds patience) {
    return state_->drain(patience);
}

PoolSnapshot WorkerPool::snapshot() const {
    return state_->snapshot();
}

std::string WorkerPool::metrics_text() const {
    return state_->metrics_text();
}

} // namespace leanhost
