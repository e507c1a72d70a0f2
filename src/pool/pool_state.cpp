// A pool's life: its children's starts and ends, its upkeep, what it tells.
#include "pool/pool_state.hpp"

#include "base/guard.hpp"
#include "pool/living_children.hpp"

#include <algorithm>
#include <utility>

namespace leanhost {
namespace {

using std::chrono::milliseconds;

// With a budget: a child that takes 1 GiB/s is found within 100 MiB.
constexpr milliseconds budget_interval{50};
constexpr milliseconds usual_interval{250};
// Keys that nobody has asked for in this time get no spares.
constexpr std::chrono::minutes spare_memory{10};

WorkerPoolOptions with_budget_as_ceiling(WorkerPoolOptions options) {
    RestartPolicy& policy = options.worker.restart_policy;
    if (options.max_total_bytes && !policy.hard_anonymous_bytes) {
        policy.hard_anonymous_bytes = options.max_total_bytes;
        policy.sample_interval = std::min(policy.sample_interval, budget_interval);
    }
    if (options.worker.executable.empty())
        options.worker.executable = worker::find_worker_executable();
    return options;
}

} // namespace

std::string_view lease_source_name(LeaseSource source) noexcept {
    switch (source) {
    case LeaseSource::warm:
        return "warm";
    case LeaseSource::spare:
        return "spare";
    case LeaseSource::forked:
        return "forked";
    case LeaseSource::started:
        return "started";
    }
    return "unknown";
}

WorkerPool::State::State(WorkerPoolOptions given)
    : options(with_budget_as_ceiling(std::move(given))), log(options.log_path),
      supervisor(std::make_unique<worker::Supervisor>(
          [this](const ExitFacts& facts) { on_burial(facts); }, make_cgroup())),
      upkeep([this] { run_upkeep(); }) {}

WorkerPool::State::~State() {
    {
        const std::lock_guard lock(mutex);
        is_closed = is_ending = true;
    }
    changed.notify_all();
    ended.notify_all();
    upkeep.join();
    // Workers ask their children to end; the supervisor kills what has not, and buries all.
    slots.clear();
    keys.clear();
    dying.clear();
    supervisor.reset();
}

// A backstop that cannot be had here stops nothing.
std::unique_ptr<worker::MemoryCgroup> WorkerPool::State::make_cgroup() {
    if (!options.max_cgroup_bytes)
        return nullptr;
    auto made = guarded("pool cgroup", [&] {
        return std::make_unique<worker::MemoryCgroup>(*options.max_cgroup_bytes,
                                                      options.cgroup_parent);
    });
    if (made)
        return *std::move(made);
    why_no_cgroup = made.error().message();
    log.write("no_cgroup", "", 0, why_no_cgroup);
    return nullptr;
}

WorkerOptions WorkerPool::State::options_for(const PoolKey& key) const {
    WorkerOptions worker = options.worker;
    worker.runtime = key.runtime;
    return worker;
}

class WorkerPool::State::Promise {
public:
    Promise(State& pool, std::shared_ptr<worker::Generation> predecessor)
        : pool_(pool), predecessor_(std::move(predecessor)) {}
    Promise(const Promise&) = delete;
    Promise& operator=(const Promise&) = delete;
    ~Promise() {
        if (!is_kept_)
            return;
        const std::lock_guard lock(pool_.mutex);
        const std::uint64_t bytes = bytes_;
        end();
        // Ignored on purpose: for want of memory the predecessor's last moments are not charged.
        static_cast<void>(guarded("pool", [&] {
            if (predecessor_ != nullptr && predecessor_->is_retired())
                pool_.charge_until_dead(std::move(predecessor_), bytes);
        }));
    }
    /// With the mutex held, as `end`.
    void keep(std::uint64_t bytes) noexcept {
        is_kept_ = true;
        bytes_ = bytes;
        pool_.promised_bytes += bytes;
    }
    /// Before it goes, where something else is charged from then on.
    void end() noexcept {
        pool_.promised_bytes -= std::exchange(bytes_, 0);
        is_kept_ = false;
        pool_.changed.notify_all();
    }

private:
    State& pool_;
    std::shared_ptr<worker::Generation> predecessor_;
    std::uint64_t bytes_ = 0;
    bool is_kept_ = false;
};

// Null when the engine cannot be forked, or when the budget has no room for a template.
std::shared_ptr<worker::TemplateWorker>
WorkerPool::State::template_for(const std::shared_ptr<PoolKey>& key, const CallOptions* call) {
    const std::lock_guard making(key->template_mutex);
    {
        const std::lock_guard lock(mutex);
        if (key->cannot_fork || is_closed)
            return nullptr;
        if (key->source != nullptr && key->source->is_usable())
            return key->source;
        drop_template(*key);
    }
    // Until it is charged as the key's own.
    const std::shared_ptr<Promise> room = promise_room(*key);
    if (room == nullptr)
        return nullptr;
    std::shared_ptr<worker::TemplateWorker> source;
    try {
        source = std::make_shared<worker::TemplateWorker>(*supervisor, options_for(*key),
                                                          key->imports, call);
    } catch (const Failure& failure) {
        if (failure.error().code() != ErrorCode::unsupported)
            throw;
    }
    const std::lock_guard lock(mutex);
    room->end(); // at once with the charge: never both, never neither
    key->cannot_fork = source == nullptr;
    key->source = source;
    key->source_made_at = Clock::now();
    return source;
}

// Outside the mutex: sees to a live child whose files are unchanged. What fails frees the slot.
void WorkerPool::State::prepare(Granted& granted, const CallOptions& call) {
    PoolSlot& slot = *granted.slot;
    try {
        slot.worker->ensure(&call);
        if (granted.source == LeaseSource::started) {
            if (slot.worker->counters().forked != 0)
                granted.source = LeaseSource::forked;
            slot.last_validated = Clock::now();
        } else if (Clock::now() - slot.last_validated > slot.key->runtime.revalidate_after) {
            if (!slot.worker->revalidate(&call)) {
                const std::lock_guard lock(mutex);
                drop_template(*slot.key); // it has imported what is no longer there
            }
            slot.last_validated = Clock::now();
        }
        metrics.count_acquired(
            granted.source,
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - granted.asked_at));
        const std::lock_guard lock(mutex);
        if (is_over)
            refuse("drained", "the pool has ended all children", *slot.key);
        slot.lent_at = Clock::now();
        if (const auto generation = slot.worker->generation())
            confinement = generation->confinement();
    } catch (...) {
        const std::lock_guard lock(mutex);
        retire_slot(granted.slot, {.reason = RestartReason::requested});
        throw;
    }
}

void WorkerPool::State::give_back(Slot slot) {
    const std::lock_guard lock(mutex);
    slot->is_leased = false;
    slot->last_used = Clock::now();
    const auto generation = slot->worker->generation();
    if (generation != nullptr) {
        const worker::GenerationSnapshot now = generation->snapshot();
        // A child that was ended says what it was ended for, not what its key needs: one request
        // that grew beyond the budget must not shut its key out.
        if (!generation->is_retired()) {
            slot->is_need_known = now.sampled_at >= slot->lent_at;
            learn_need(*slot, now);
        }
        // What nobody waits for any more still runs in it.
        if (now.in_flight > 0)
            return retire_slot(slot, {.reason = RestartReason::requested});
        if (const auto decision = slot->worker->find_decision())
            return retire_slot(slot, *decision);
    }
    if (is_closed)
        return retire_slot(slot, {.reason = RestartReason::requested});
    changed.notify_all();
}

void WorkerPool::State::on_burial(const ExitFacts& facts) {
    metrics.count_end(facts);
    log.write("ended", "", facts.generation, facts.to_string());
    changed.notify_all();
}

void WorkerPool::State::on_worker_event(const PoolKey& key, const worker::WorkerEvent& event) {
    using Kind = worker::WorkerEvent::Kind;
    switch (event.kind) {
    case Kind::answered:
        return metrics.count_request(event.duration);
    case Kind::started:
        metrics.count_start(event.duration, event.text.starts_with("forked"));
        return log.write("started", key.label, event.generation, event.text);
    case Kind::restarting:
        return log.write("restarting", key.label, event.generation, event.text);
    case Kind::refused:
        metrics.count_refused("worker");
        return log.write("refused", key.label, event.generation, event.text);
    }
}

void WorkerPool::State::run_upkeep() {
    const milliseconds interval = options.max_total_bytes ? budget_interval : usual_interval;
    std::unique_lock lock(mutex);
    while (!is_ending) {
        ended.wait_for(lock, interval, [&] { return is_ending; });
        if (is_ending)
            return;
        forget_the_dead();
        learn_needs_at_rest();
        guard_budget();
        cycle_idle();
        lock.unlock();
        const auto done = guarded("pool upkeep", [&] { make_spares(); });
        // Ignored on purpose: a spare that cannot be made is told to the lease that needs it.
        static_cast<void>(done);
        lock.lock();
    }
}

// When children have grown beyond the budget all the same: those that were told to end and have not
// are killed first, idle ones go next, then the greatest one at work is killed, until what is left
// fits.
void WorkerPool::State::guard_budget() {
    if (!options.max_total_bytes)
        return;
    const std::uint64_t limit = *options.max_total_bytes;
    LivingChildren children(*supervisor);
    const auto was_retired = [](const worker::Generation& one) { return one.is_retired(); };
    while (children.total_bytes() > limit && children.kill_greatest(limit, was_retired)) {
    }
    while (children.total_bytes() > limit) {
        const auto idle = least_recently_used_idle();
        if (!idle)
            break;
        const auto generation = (*idle)->worker->generation();
        evict(*idle);
        children.leave_out(generation.get());
    }
    const auto is_no_template = [this](const worker::Generation& one) { return !is_template(one); };
    while (children.total_bytes() > limit && children.kill_greatest(limit, is_no_template)) {
    }
}

bool WorkerPool::State::is_template(const worker::Generation& generation) const {
    return std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
        return key->source != nullptr && &key->source->generation() == &generation;
    });
}

void WorkerPool::State::cycle_idle() {
    for (auto slot = slots.begin(); slot != slots.end();) {
        const auto next = std::next(slot);
        if (is_at_rest(*slot)) {
            if (const auto decision = slot->worker->find_decision())
                retire_slot(slot, *decision);
        }
        slot = next;
    }
}

// Looked at and taken at once: two that are being started must not see the same room.
std::shared_ptr<WorkerPool::State::Promise>
WorkerPool::State::promise_room(const PoolKey& key,
                                std::shared_ptr<worker::Generation> predecessor) {
    auto promise = std::make_shared<Promise>(*this, std::move(predecessor));
    const std::lock_guard lock(mutex);
    const std::uint64_t bytes = estimate_of(key);
    if (options.max_total_bytes && reserved_bytes() + bytes > *options.max_total_bytes)
        return nullptr;
    promise->keep(bytes);
    return promise;
}

void WorkerPool::State::make_spares() {
    if (options.spares == 0)
        return;
    std::vector<Slot> starting;
    {
        const std::lock_guard lock(mutex);
        for (const auto& key : keys) {
            if (is_closed || Clock::now() - key->last_asked > spare_memory)
                break;
            const auto idle = static_cast<std::size_t>(
                std::count_if(slots.begin(), slots.end(), [&](const PoolSlot& slot) {
                    return slot.key == key && !slot.is_leased;
                }));
            if (idle >= options.spares || !queue.empty())
                continue;
            if (const auto slot = admit(key, false)) {
                (*slot)->is_starting = true;
                starting.push_back(*slot);
            }
        }
    }
    for (const Slot slot : starting) {
        const auto started = guarded("spare", [&] { slot->worker->ensure(); });
        const std::lock_guard lock(mutex);
        slot->is_starting = false;
        slot->last_used = slot->last_validated = Clock::now();
        if (!started || is_closed)
            retire_slot(slot, {.reason = RestartReason::requested});
        changed.notify_all();
    }
}

bool WorkerPool::State::drain(milliseconds patience) {
    const Clock::time_point until = Clock::now() + patience;
    std::unique_lock lock(mutex);
    is_closed = true;
    changed.notify_all();
    const auto is_back = [&] {
        return std::none_of(slots.begin(), slots.end(), [](const PoolSlot& slot) {
            return slot.is_leased || slot.is_starting;
        });
    };
    const bool all_back = changed.wait_until(lock, until, is_back);
    lock.unlock();
    end_all();
    return all_back;
}

// Idle children are asked to end, those on loan are ended.
void WorkerPool::State::end_all() {
    const std::lock_guard lock(mutex);
    is_closed = is_over = true;
    for (auto slot = slots.begin(); slot != slots.end();) {
        const auto next = std::next(slot);
        if (is_at_rest(*slot))
            retire_slot(slot, {.reason = RestartReason::requested});
        else if (const auto generation = slot->worker->generation())
            generation->kill(RestartReason::requested, "the pool has ended");
        slot = next;
    }
    for (const auto& key : keys)
        drop_template(*key);
}

PoolSnapshot WorkerPool::State::snapshot() const {
    PoolSnapshot snapshot;
    metrics.fill(snapshot);
    if (options.max_cgroup_bytes)
        snapshot.cgroup =
            supervisor->cgroup_status().value_or(CgroupStatus{.why_not = why_no_cgroup});
    const std::lock_guard lock(mutex);
    snapshot.max_workers = options.max_workers;
    snapshot.max_total_bytes = options.max_total_bytes;
    snapshot.workers = slots.size();
    snapshot.waiting = queue.size();
    snapshot.keys = keys.size();
    snapshot.reserved_bytes = reserved_bytes();
    snapshot.confinement = confinement;
    for (const PoolSlot& slot : slots) {
        (slot.is_leased ? snapshot.leased : snapshot.idle) += slot.is_starting ? 0 : 1;
        WorkerSnapshot child{.imports = slot.key->label, .is_leased = slot.is_leased};
        child.reserved_bytes = charge_of(slot);
        if (const auto generation = slot.worker->generation()) {
            const worker::GenerationSnapshot now = generation->snapshot();
            child.generation = generation->number();
            child.requests = now.requests;
            child.anonymous_bytes = now.anonymous_bytes;
            child.age = now.age;
            child.idle_for = now.idle_for;
        }
        snapshot.anonymous_bytes += child.anonymous_bytes.value_or(0);
        snapshot.samples_unavailable += child.anonymous_bytes ? 0 : 1;
        snapshot.children.push_back(std::move(child));
    }
    for (const auto& key : keys) {
        if (key->source == nullptr)
            continue;
        ++snapshot.templates;
        snapshot.anonymous_bytes +=
            key->source->generation().snapshot().anonymous_bytes.value_or(0);
    }
    return snapshot;
}

std::string WorkerPool::State::metrics_text() const {
    return metrics.text(snapshot());
}

} // namespace leanhost
