#pragma once

#include "pool/pool_log.hpp"
#include "pool/pool_metrics.hpp"
#include "worker/parent/remote_session.hpp"

#include <leanhost/worker_pool.hpp>

#include <list>

namespace leanhost {

/// What a pool keeps of one key: how much its children need, and their template.
struct PoolKey {
    RuntimeOptions runtime;
    ImportSet imports;
    std::string label;                       ///< module names, with commas
    std::shared_ptr<worker::StartGate> gate; ///< of all its children
    std::uint64_t last_peak_bytes = 0;
    std::chrono::steady_clock::time_point last_asked{};
    std::mutex template_mutex; ///< held while a template is made; taken before the pool's mutex
    // Guarded by the pool's mutex.
    std::shared_ptr<worker::TemplateWorker> source;
    std::chrono::steady_clock::time_point source_made_at{};
    bool cannot_fork = false;
};

/// A place for a child.
struct PoolSlot {
    std::shared_ptr<PoolKey> key;
    std::shared_ptr<worker::Worker> worker;
    std::uint64_t estimate_bytes = 0;
    bool is_leased = false;
    bool is_starting = false; ///< a spare that is being made; leased ones start on their lease
    bool is_unused = true;    ///< no lease has had it yet
    /// What it came to is known to its key, from a sample of its last lease or of its rest since.
    bool is_need_known = false;
    std::chrono::steady_clock::time_point lent_at{};   ///< and ready
    std::chrono::steady_clock::time_point last_used{}; ///< at rest since then, unless it is leased
    std::chrono::steady_clock::time_point last_validated{};
};

/// The pool itself; WorkerPool and its leases share it.
///
/// One mutex guards slots, keys, queue and the charges of children that are ending. Starts,
/// imports and requests run outside it. Locks are taken in this order: a key's template_mutex, the
/// pool's, a worker's, a generation's; counters and log are leaves.
struct WorkerPool::State : std::enable_shared_from_this<WorkerPool::State> {
    using Clock = std::chrono::steady_clock;
    using Slots = std::list<PoolSlot>;
    using Slot = Slots::iterator;

    explicit State(WorkerPoolOptions options);
    ~State();

    // Leases.
    struct Granted {
        Slot slot;
        LeaseSource source; ///< of a new slot: `started` until it has started
        Clock::time_point asked_at;
    };
    Granted acquire(const LeaseRequest& request);
    void prepare(Granted& granted, const CallOptions& call);
    void give_back(Slot slot);
    bool drain(std::chrono::milliseconds patience);
    PoolSnapshot snapshot() const;
    std::string metrics_text() const;

    // Upkeep.
    void keep_up();
    void end_all();

private:
    struct Ticket {
        std::shared_ptr<PoolKey> key;
    };
    struct Charge {
        std::shared_ptr<worker::Generation> generation;
        std::uint64_t bytes;
    };
    using Queue = std::list<Ticket>;

    // With mutex held.
    std::shared_ptr<PoolKey> key_of(const LeaseRequest& request);
    void forget_old_keys();
    std::optional<Slot> find_idle(const PoolKey& key);
    bool is_first_of_its_key(Queue::const_iterator ticket) const;
    std::optional<Slot> admit(const std::shared_ptr<PoolKey>& key, bool may_evict);
    std::optional<Slot> lend_idle(const PoolKey& key, bool may_evict);
    bool could_have_room(std::uint64_t bytes, bool may_evict, const PoolSlot* kept = nullptr) const;
    bool make_room(std::uint64_t bytes, bool may_evict, const PoolSlot* kept = nullptr);
    std::optional<Slot> least_recently_used_idle(const PoolSlot* kept = nullptr);
    bool is_at_rest(const PoolSlot& slot) const noexcept {
        return !slot.is_leased && !slot.is_starting;
    }
    bool drop_unused_template();
    void drop_template(PoolKey& key);
    void evict(Slot slot);
    void retire_slot(Slot slot, const worker::RestartDecision& decision);
    void charge_until_dead(std::shared_ptr<worker::Generation> generation,
                           std::uint64_t bytes_if_unknown);
    std::uint64_t estimate_of(const PoolKey& key) const;
    void learn_need(PoolSlot& slot, const worker::GenerationSnapshot& now);
    void learn_needs_at_rest();
    std::uint64_t charge_of(const PoolSlot& slot) const;
    std::uint64_t template_charge_of(const PoolKey& key) const;
    std::uint64_t reserved_bytes() const;
    std::uint64_t dying_bytes() const;
    std::uint64_t releasable_bytes(const PoolSlot* kept) const;
    void forget_the_dead();
    void guard_budget();
    bool is_template(const worker::Generation& generation) const;
    void cycle_idle();
    Slot add_slot(const std::shared_ptr<PoolKey>& key);
    void refuse_if_impossible(const PoolKey& key) const;

    // Without.
    [[noreturn]] void refuse(const char* rule, std::string why, const PoolKey& key) const;
    std::shared_ptr<worker::TemplateWorker> template_for(const std::shared_ptr<PoolKey>& key,
                                                         const CallOptions* call);
    WorkerOptions options_for(const PoolKey& key) const;
    void on_burial(const ExitFacts& facts);
    void on_worker_event(const PoolKey& key, const worker::WorkerEvent& event);
    /// Room in the budget for another child of a key, until it goes. Then a child that was replaced
    /// meanwhile stays charged until it has ended.
    class Promise;
    std::shared_ptr<Promise> promise_room(const PoolKey& key,
                                          std::shared_ptr<worker::Generation> predecessor = {});
    void make_spares();
    void run_upkeep();

    std::unique_ptr<worker::MemoryCgroup> make_cgroup();

    const WorkerPoolOptions options;
    mutable PoolLog log;
    std::string why_no_cgroup; ///< constant after construction; empty when there is one
    mutable PoolMetrics metrics;
    mutable std::mutex mutex;
    mutable std::condition_variable changed; ///< for who waits for a lease, or for a drain
    std::condition_variable ended;           ///< for the upkeep
    // Guarded by mutex.
    Slots slots;
    std::list<std::shared_ptr<PoolKey>> keys; // most recently asked for first
    Queue queue;
    std::vector<Charge> dying;
    std::uint64_t promised_bytes = 0; ///< to what is being started beside a slot's child
    bool is_closed = false;
    bool is_over = false; ///< all children were ended: what starts late is ended as well
    bool is_ending = false;
    std::optional<Confinement> confinement;
    // The supervisor goes before what its handlers use, the thread before all.
    std::unique_ptr<worker::Supervisor> supervisor;
    std::thread upkeep;
};

} // namespace leanhost
