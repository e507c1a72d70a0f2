#pragma once

#include "worker/parent/generation.hpp"
#include "worker/parent/memory_cgroup.hpp"
#include "worker/parent/quarantine.hpp"

#include <leanhost/worker_options.hpp>

#include <set>

namespace leanhost::worker {

/// What a supervisor tells of its children, on the loop's thread. Must not wait.
using OnBurial = std::function<void(const ExitFacts&)>;

/// A child that has greeted, with what it said.
struct Greeted {
    std::shared_ptr<Generation> generation;
    std::string engine;
    bool can_fork = false;
};

/// The one owner of all children of a host program or pool: starts them, watches them on one event
/// loop, and buries them. When it goes, so do they: none is left, and none is a zombie.
///
/// Thread-safe.
class Supervisor {
public:
    using Clock = EventLoop::Clock;

    /// All children live in `cgroup`, if there is one; it goes when they have.
    explicit Supervisor(OnBurial on_burial = {}, std::unique_ptr<MemoryCgroup> cgroup = nullptr);
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;
    /// Kills what still lives and waits until it is buried.
    ~Supervisor();

    /// Starts a child and greets it. `is_template`: one that forks others.
    /// Throws Failure: not_found, resource_exhausted; deadline_exceeded (start_timeout);
    /// protocol_error; what the child answered.
    Greeted spawn(const WorkerOptions& options, bool is_template);

    /// Watches a child that a template has forked, and greets it. `set_up` is called before the
    /// child can end.
    Greeted
    adopt(const WorkerOptions& options,
          SpawnedProcess process,
          const std::function<void(std::uint64_t, const std::shared_ptr<Generation>&)>& set_up);

    /// @name Requests that kill
    /// @{
    std::optional<QuarantineRefusal> find_quarantined(std::uint64_t hash);
    void record_success(std::uint64_t hash);
    /// @}

    /// nullopt: there is none.
    std::optional<CgroupStatus> cgroup_status() const;

    std::size_t num_alive() const;
    /// All that are not buried yet.
    std::vector<std::shared_ptr<Generation>> alive() const;
    EventLoop& loop() noexcept { return loop_; }

private:
    std::shared_ptr<Generation>
    begin(const WorkerOptions& options, SpawnedProcess process, bool is_template_child);
    Greeted greet(const WorkerOptions& options, std::shared_ptr<Generation> generation);
    void on_end(const std::shared_ptr<Generation>& generation,
                const ExitFacts& facts,
                std::span<const RequestFingerprint> in_flight);

    const OnBurial on_burial_;
    const std::unique_ptr<MemoryCgroup> cgroup_;
    EventLoop loop_;
    mutable std::mutex mutex_;
    std::condition_variable buried_;
    // Guarded by mutex_.
    std::set<std::shared_ptr<Generation>> alive_;
    std::uint64_t last_number_ = 0;
    std::string outside_cgroup_; ///< why a child is, the last one that is; empty: none is
    Quarantine quarantine_;
};

/// RLIMIT_DATA for a worker that may hold `budget_bytes`: that, and what it reserves without using
/// it. The limit counts writable private address space: thread stacks and allocator arenas as well.
std::uint64_t data_limit_bytes(const WorkerOptions& options);

} // namespace leanhost::worker
