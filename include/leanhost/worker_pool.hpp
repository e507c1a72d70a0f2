#pragma once

#include <leanhost/capabilities.hpp>
#include <leanhost/worker_options.hpp>

#include <map>

namespace leanhost {

/// A pool's bounds. A worker's own are in `worker`.
struct WorkerPoolOptions {
    WorkerOptions worker = {};
    std::size_t max_workers = 4; ///< children that serve; templates are beside them
    /// Budget over the anonymous memory of all children, templates included. Reserved before a
    /// child starts or is lent: what its key's last child came to at most, else
    /// `first_worker_bytes`. No lease takes the sum of reservations over it; only a child that
    /// outgrows its own does (docs/workers.md).
    std::optional<std::uint64_t> max_total_bytes = std::nullopt;
    std::uint64_t first_worker_bytes = std::uint64_t{256} << 20;
    /// Backstop beneath the budget, of the kernel: the limit, in bytes, of a cgroup that all
    /// children live in. At least max_total_bytes, as it counts page cache as well: of the mapped
    /// modules, too, which the kernel takes back and reads again before it kills a child for want
    /// of memory. Where no cgroup can be made there is none, and PoolSnapshot::cgroup says why.
    std::optional<std::uint64_t> max_cgroup_bytes = std::nullopt;
    /// The cgroup's folder in which the pool's own is made. Empty: the one that holds this program.
    std::filesystem::path cgroup_parent = {};
    std::chrono::milliseconds max_wait{30'000}; ///< for a lease, unless the request says otherwise
    std::size_t max_waiting = 1024;             ///< requests for leases; more are refused at once
    /// Idle children kept ready for each key that was asked for of late, where budget and
    /// max_workers leave room.
    std::size_t spares = 0;
    /// One JSON object a line for every start, restart and refusal; rotated at 16 MiB, three kept.
    std::filesystem::path log_path = {};
};

/// What is asked for.
struct LeaseRequest {
    ImportSet imports;
    /// Another engine or search path than the pool's own.
    std::optional<RuntimeOptions> runtime = std::nullopt;
    std::optional<std::chrono::milliseconds> max_wait = std::nullopt;
    CallOptions call = {}; ///< progress of the import; cancellation of waiting and import
};

/// How a lease was come by.
enum class LeaseSource : std::uint8_t {
    warm,    ///< a child that had served this key
    spare,   ///< a child made ready beforehand
    forked,  ///< a child forked from this key's template
    started, ///< a child that was started, and imported
};
std::string_view lease_source_name(LeaseSource source) noexcept;

/// One child of a pool at one moment.
struct WorkerSnapshot {
    std::string imports; ///< module names, with commas
    std::uint64_t generation = 0;
    bool is_leased = false;
    std::uint64_t requests = 0;
    std::optional<std::uint64_t> anonymous_bytes = std::nullopt;
    std::uint64_t reserved_bytes = 0;
    std::chrono::milliseconds age{0};
    std::chrono::milliseconds idle_for{0};
};

/// A pool at one moment, and what it has counted since it was made. Field names are stable.
struct PoolSnapshot {
    std::size_t max_workers = 0;
    std::size_t workers = 0; ///< leased, idle and starting
    std::size_t leased = 0;
    std::size_t idle = 0;
    std::size_t templates = 0;
    std::size_t waiting = 0;
    std::size_t keys = 0; ///< that it remembers; at most 1,024 beside those in use
    std::optional<std::uint64_t> max_total_bytes = std::nullopt;
    std::uint64_t reserved_bytes = 0;
    std::uint64_t anonymous_bytes = 0; ///< of the samples there are
    std::size_t samples_unavailable = 0;

    std::uint64_t acquired = 0;
    std::map<std::string, std::uint64_t> acquired_by_source; ///< warm, spare, forked, started
    std::uint64_t refused = 0;
    std::map<std::string, std::uint64_t> refused_by_rule; ///< queue_timeout, queue_full, …
    std::uint64_t evicted = 0;                            ///< idle children ended to make room
    std::uint64_t requests = 0;
    std::uint64_t generations = 0;
    std::uint64_t generations_forked = 0;
    std::map<std::string, std::uint64_t> ended_by_reason; ///< child_exited: by itself
    std::string last_exit;
    std::optional<Confinement> confinement = std::nullopt; ///< of the last child
    std::optional<CgroupStatus> cgroup = std::nullopt;     ///< nullopt: none was asked for
    std::vector<WorkerSnapshot> children;
};

/// A worker on loan: a session in a process of its own. Goes back when dropped. Move-only; its
/// session may be used from several threads at once.
///
/// A child that ends, or is replaced, while it is leased is followed by another with the same
/// imports; the request that was running fails with what happened, and is not run again.
class WorkerLease {
public:
    WorkerLease(WorkerLease&&) noexcept;
    WorkerLease& operator=(WorkerLease&& other) noexcept;
    ~WorkerLease();

    const Session& operator*() const noexcept;
    const Session* operator->() const noexcept;

    LeaseSource source() const noexcept;
    std::uint64_t generation() const;
    ::pid_t pid() const; ///< of the live child, -1 without one; for looking at it

    /// Of requests from now on.
    void set_request_timeout(std::chrono::milliseconds timeout);
    /// An empty request, there and back. Errors: as of any request.
    Expected<void> ping() const;
    /// Runs a function of a capability library in the worker; as Capabilities::call and call_rows.
    Expected<std::string> call_capability(std::string_view library,
                                          std::string_view function,
                                          std::string_view input,
                                          const CallOptions& options = {}) const;
    Expected<RowSummary> call_capability_rows(std::string_view library,
                                              std::string_view function,
                                              std::string_view input,
                                              const RowSink& rows,
                                              const CallOptions& options = {}) const;
    /// As Runtime::check_export, in the worker, which opens the file. A lease for it may be one of
    /// no imports.
    Expected<ExportReport> check_export(const std::filesystem::path& path,
                                        const CheckOptions& check = {},
                                        const CallOptions& options = {}) const;
    /// Drops what the child has imported and imports it again, in the same child if its policy
    /// allows another import: for measuring what imports leave behind.
    Expected<ImportFacts> import_again(const CallOptions& options = {});
    /// The next request is served by a fresh child.
    void restart();

private:
    friend class WorkerPool;
    struct Loan;
    explicit WorkerLease(std::unique_ptr<Loan> loan) noexcept;
    std::unique_ptr<Loan> loan_;
};

/// Keeps worker processes ready and inside one memory budget; lends them out by what they import.
///
/// A lease is answered by a warm child of the key, else by a spare, else by a new one if worker
/// count and budget admit it: idle children of other keys are ended for it, least recently used
/// first. Otherwise it waits, first come first served, until `max_wait`, and is then refused before
/// any work entered a child. Children over a limit of their policy are finished, not interrupted,
/// and end when they come back; over a hard limit, or the budget while others wait for nothing,
/// they are killed. Thread-safe.
class WorkerPool {
public:
    /// Errors: invalid_argument (an option out of range), not_found (no worker program),
    /// resource_exhausted, io (log_path).
    static Expected<WorkerPool> make(WorkerPoolOptions options = {});
    WorkerPool(WorkerPool&&) noexcept;
    WorkerPool& operator=(WorkerPool&&) = delete;
    /// Ends all children; leases that are still out stay valid until their next request.
    ~WorkerPool();

    /// Errors: admission_refused (facts: rule, work_entered_child = false, and the numbers);
    /// cancelled; restart_limit; those of the import in the worker; child_exited.
    Expected<WorkerLease> acquire(LeaseRequest request);
    Expected<WorkerLease> acquire(const ImportSet& imports) {
        return acquire(LeaseRequest{.imports = imports});
    }

    /// Admits no lease from now on, waits until those that are out have come back, at most until
    /// `patience` has passed, and ends all children. True when all had come back.
    bool drain(std::chrono::milliseconds patience);

    PoolSnapshot snapshot() const;
    /// Everything that snapshot tells, and histograms of wait, start and request times, in
    /// Prometheus' text format.
    std::string metrics_text() const;

private:
    struct State;
    friend struct WorkerLease::Loan;
    explicit WorkerPool(std::shared_ptr<State> state) noexcept;
    std::shared_ptr<State> state_;
};

} // namespace leanhost
