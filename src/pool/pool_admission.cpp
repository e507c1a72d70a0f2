// Who gets a child: warm ones, spares, room for new ones, and the queue. All with the mutex held.
#include "base/failure.hpp"
#include "pool/pool_state.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost {
namespace {

constexpr std::size_t max_keys = 1024;
// A token is a flag that nobody rings a bell for.
constexpr std::chrono::milliseconds token_interval{5};
// A burial rings without the lock, so a waiter may just miss it.
constexpr std::chrono::milliseconds longest_nap{50};

std::string label_of(const ImportSet& imports) {
    std::string label;
    for (const Name& module : imports.modules) {
        label += (label.empty() ? "" : ", ") + module.to_string();
        if (label.size() > 256)
            return label + ", …";
    }
    return label;
}

} // namespace

WorkerPool::State::Granted WorkerPool::State::acquire(const LeaseRequest& request) {
    const Clock::time_point begun = Clock::now();
    const Clock::time_point give_up_at = begun + request.max_wait.value_or(options.max_wait);
    std::unique_lock lock(mutex);
    const std::shared_ptr<PoolKey> key = key_of(request);
    refuse_if_impossible(*key);
    if (queue.size() >= options.max_waiting)
        refuse("queue_full", fmt::format("{} requests wait already", queue.size()), *key);
    const auto ticket = queue.insert(queue.end(), {key});
    const auto leave = [&] {
        queue.erase(ticket);
        changed.notify_all(); // the next may be first now
    };
    while (true) {
        std::optional<Slot> slot;
        LeaseSource source = LeaseSource::warm;
        const bool is_first = ticket == queue.begin();
        if (!is_closed && is_first_of_its_key(ticket) && (slot = lend_idle(*key, is_first))) {
            source = (*slot)->is_unused ? LeaseSource::spare : LeaseSource::warm;
        } else if (!is_closed && is_first && (slot = admit(key, true))) {
            source = LeaseSource::started;
        }
        if (slot) {
            leave();
            (*slot)->is_leased = true;
            (*slot)->is_unused = false;
            return {*slot, source, begun};
        }
        if (is_closed || Clock::now() >= give_up_at || request.call.cancellation.is_cancelled()) {
            leave();
            if (is_closed)
                refuse("drained", "the pool admits nothing any more", *key);
            if (request.call.cancellation.is_cancelled())
                fail(ErrorCode::cancelled, "cancelled while waiting for a worker");
            refuse("queue_timeout",
                   fmt::format("no worker became free within {} ms",
                               request.max_wait.value_or(options.max_wait).count()),
                   *key);
        }
        const auto nap =
            request.call.cancellation.can_be_cancelled() ? token_interval : longest_nap;
        changed.wait_until(lock, std::min(give_up_at, Clock::now() + nap));
    }
}

std::shared_ptr<PoolKey> WorkerPool::State::key_of(const LeaseRequest& request) {
    const RuntimeOptions& runtime = request.runtime.value_or(options.worker.runtime);
    const auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& key) {
        return key->imports == request.imports && key->runtime == runtime;
    });
    if (found != keys.end()) {
        keys.splice(keys.begin(), keys, found);
    } else {
        auto key = std::make_shared<PoolKey>();
        key->runtime = runtime;
        key->imports = request.imports;
        key->label = label_of(request.imports);
        key->gate = std::make_shared<worker::StartGate>(options.worker, options.max_workers);
        keys.push_front(std::move(key));
        forget_old_keys();
    }
    keys.front()->last_asked = Clock::now();
    return keys.front();
}

// Those in use stay, however long ago they were asked for.
void WorkerPool::State::forget_old_keys() {
    for (auto key = keys.end(); keys.size() > max_keys && key != keys.begin();) {
        --key;
        if (key->use_count() != 1)
            continue;
        drop_template(**key);
        key = keys.erase(key);
    }
}

// Its children may need it for a while yet.
void WorkerPool::State::drop_template(PoolKey& key) {
    if (key.source == nullptr)
        return;
    charge_until_dead(key.source->shared_generation(), estimate_of(key));
    key.source = nullptr;
}

std::optional<WorkerPool::State::Slot> WorkerPool::State::find_idle(const PoolKey& key) {
    std::optional<Slot> best;
    for (auto slot = slots.begin(); slot != slots.end(); ++slot) {
        const bool is_ours = slot->key.get() == &key && is_at_rest(*slot);
        // The one used last: its pages are warm, and the others grow idle together.
        if (is_ours && (!best || (*best)->last_used < slot->last_used))
            best = slot;
    }
    return best;
}

// At work it may grow again to what its key came to, so that must fit, too. Who is not the first to
// wait ends nobody's child for it.
std::optional<WorkerPool::State::Slot> WorkerPool::State::lend_idle(const PoolKey& key,
                                                                    bool may_evict) {
    const std::optional<Slot> slot = find_idle(key);
    if (!slot)
        return std::nullopt;
    const std::uint64_t at_rest = charge_of(**slot);
    const std::uint64_t at_work = std::max(estimate_of(key), at_rest);
    if (!make_room(at_work - at_rest, may_evict, &**slot))
        return std::nullopt;
    (*slot)->estimate_bytes = at_work;
    return slot;
}

bool WorkerPool::State::is_first_of_its_key(Queue::const_iterator ticket) const {
    return std::find_if(queue.begin(), ticket,
                        [&](const Ticket& one) { return one.key == ticket->key; }) == ticket;
}

std::optional<WorkerPool::State::Slot> WorkerPool::State::admit(const std::shared_ptr<PoolKey>& key,
                                                                bool may_evict) {
    const std::uint64_t bytes = estimate_of(*key);
    if (!could_have_room(bytes, may_evict))
        return std::nullopt;
    if (slots.size() >= options.max_workers) {
        const auto idle = may_evict ? least_recently_used_idle() : std::nullopt;
        if (!idle)
            return std::nullopt;
        evict(*idle);
    }
    if (!make_room(bytes, may_evict))
        return std::nullopt;
    return add_slot(key);
}

// Whether `bytes` will fit into the budget when what is ending has ended, and all else that may be
// ended for it.
bool WorkerPool::State::could_have_room(std::uint64_t bytes,
                                        bool may_evict,
                                        const PoolSlot* kept) const {
    if (!options.max_total_bytes)
        return true;
    const std::uint64_t reserved = reserved_bytes();
    const std::uint64_t going = may_evict ? releasable_bytes(kept) : dying_bytes();
    // Samples come and children end meanwhile, so that more may be going than was reserved.
    return reserved - std::min(reserved, going) + bytes <= *options.max_total_bytes;
}

// Whether `bytes` fit into the budget now. Ends idle children but `kept`, and unused templates,
// until they will, when what is ending has ended; none if that would not do.
bool WorkerPool::State::make_room(std::uint64_t bytes, bool may_evict, const PoolSlot* kept) {
    if (!options.max_total_bytes)
        return true;
    forget_the_dead();
    while (reserved_bytes() + bytes > *options.max_total_bytes) {
        const bool will_fit = could_have_room(bytes, false);
        if (will_fit || !could_have_room(bytes, may_evict, kept))
            return false;
        if (const auto idle = least_recently_used_idle(kept))
            evict(*idle);
        else if (!drop_unused_template())
            return false;
    }
    return true;
}

std::optional<WorkerPool::State::Slot>
WorkerPool::State::least_recently_used_idle(const PoolSlot* kept) {
    std::optional<Slot> oldest;
    for (auto slot = slots.begin(); slot != slots.end(); ++slot) {
        if (is_at_rest(*slot) && &*slot != kept &&
            (!oldest || slot->last_used < (*oldest)->last_used))
            oldest = slot;
    }
    return oldest;
}

// The template of the key that was asked for least recently and has no child.
bool WorkerPool::State::drop_unused_template() {
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
        const bool is_used = std::any_of(slots.begin(), slots.end(),
                                         [&](const PoolSlot& slot) { return slot.key == *key; });
        if ((*key)->source == nullptr || is_used)
            continue;
        drop_template(**key);
        return true;
    }
    return false;
}

void WorkerPool::State::evict(Slot slot) {
    metrics.count_evicted();
    const auto generation = slot->worker->generation();
    log.write("evicted", slot->key->label, generation == nullptr ? 0 : generation->number(),
              "ended to make room for another key");
    retire_slot(slot, {.reason = RestartReason::requested});
}

void WorkerPool::State::retire_slot(Slot slot, const worker::RestartDecision& decision) {
    charge_until_dead(slot->worker->generation(), slot->estimate_bytes);
    slot->worker->end_generation(decision);
    slots.erase(slot);
    changed.notify_all();
}

void WorkerPool::State::charge_until_dead(std::shared_ptr<worker::Generation> generation,
                                          std::uint64_t bytes_if_unknown) {
    if (generation == nullptr || generation->has_ended())
        return;
    const std::uint64_t bytes = generation->snapshot().anonymous_bytes.value_or(bytes_if_unknown);
    dying.push_back({std::move(generation), bytes});
}

void WorkerPool::State::forget_the_dead() {
    std::erase_if(dying, [](const Charge& charge) { return charge.generation->has_ended(); });
}

std::uint64_t WorkerPool::State::estimate_of(const PoolKey& key) const {
    return key.last_peak_bytes != 0 ? key.last_peak_bytes : options.first_worker_bytes;
}

// A sample from before the lease says nothing of what was done in it: it may raise what its key is
// thought to need, not lower it.
void WorkerPool::State::learn_need(PoolSlot& slot, const worker::GenerationSnapshot& now) {
    const std::uint64_t peak = slot.is_need_known
                                   ? now.peak_anonymous_bytes
                                   : std::max(now.peak_anonymous_bytes, estimate_of(*slot.key));
    slot.key->last_peak_bytes =
        std::clamp(peak, std::uint64_t{1} << 20, options.max_total_bytes.value_or(UINT64_MAX));
    slot.estimate_bytes = estimate_of(*slot.key);
}

// Of children whose lease was over before they were sampled.
void WorkerPool::State::learn_needs_at_rest() {
    for (PoolSlot& slot : slots) {
        const auto generation = slot.worker->generation();
        if (!is_at_rest(slot) || slot.is_unused || slot.is_need_known || generation == nullptr ||
            generation->is_retired())
            continue;
        const worker::GenerationSnapshot now = generation->snapshot();
        slot.is_need_known = now.sampled_at >= slot.last_used;
        learn_need(slot, now);
    }
}

// A child at work may still grow to what its key came to before; one at rest does not grow. What it
// holds at rest is known from the first sample on that was taken then.
std::uint64_t WorkerPool::State::charge_of(const PoolSlot& slot) const {
    const auto generation = slot.worker->generation();
    const bool is_alive = generation != nullptr && !generation->has_ended();
    if (!is_alive)
        return is_at_rest(slot) ? 0 : slot.estimate_bytes;
    const worker::GenerationSnapshot now = generation->snapshot();
    const std::uint64_t bytes = now.anonymous_bytes.value_or(slot.estimate_bytes);
    const bool is_settled = is_at_rest(slot) && now.sampled_at >= slot.last_used;
    return is_settled ? bytes : std::max(slot.estimate_bytes, bytes);
}

std::uint64_t WorkerPool::State::template_charge_of(const PoolKey& key) const {
    if (key.source == nullptr)
        return 0;
    const worker::GenerationSnapshot now = key.source->generation().snapshot();
    const std::uint64_t bytes = now.anonymous_bytes.value_or(estimate_of(key));
    return now.sampled_at >= key.source_made_at ? bytes : std::max(estimate_of(key), bytes);
}

std::uint64_t WorkerPool::State::reserved_bytes() const {
    std::uint64_t sum = promised_bytes;
    for (const Charge& charge : dying)
        sum += charge.generation->has_ended() ? 0 : charge.bytes;
    for (const PoolSlot& slot : slots)
        sum += charge_of(slot);
    for (const auto& key : keys)
        sum += template_charge_of(*key);
    return sum;
}

// What was told to end. A template that its children still need was not.
std::uint64_t WorkerPool::State::dying_bytes() const {
    std::uint64_t sum = 0;
    for (const Charge& charge : dying) {
        if (charge.generation->is_retired() && !charge.generation->has_ended())
            sum += charge.bytes;
    }
    return sum;
}

// What may be ended for a lease, and what is ending already: children at rest but `kept`, and the
// templates of keys that have no other.
std::uint64_t WorkerPool::State::releasable_bytes(const PoolSlot* kept) const {
    const auto stays = [&](const PoolSlot& slot) { return !is_at_rest(slot) || &slot == kept; };
    std::uint64_t sum = dying_bytes();
    for (const PoolSlot& slot : slots)
        sum += stays(slot) ? 0 : charge_of(slot);
    for (const auto& key : keys) {
        const bool is_used = std::any_of(slots.begin(), slots.end(), [&](const PoolSlot& slot) {
            return slot.key == key && stays(slot);
        });
        sum += is_used ? 0 : template_charge_of(*key);
    }
    return sum;
}

WorkerPool::State::Slot WorkerPool::State::add_slot(const std::shared_ptr<PoolKey>& key) {
    const auto events = [this, label_key = key](const worker::WorkerEvent& event) {
        on_worker_event(*label_key, event);
    };
    const auto templates = [this, key](const CallOptions* call) { return template_for(key, call); };
    PoolSlot slot;
    slot.key = key;
    slot.worker = std::make_shared<worker::Worker>(
        *supervisor, options_for(*key), key->imports,
        worker::WorkerHooks{
            .template_source = templates,
            .on_event = events,
            .room_for_successor =
                [this, key](const auto& predecessor) { return promise_room(*key, predecessor); },
            .gate = key->gate});
    slot.estimate_bytes = estimate_of(*key);
    slot.last_used = Clock::now();
    slots.push_back(std::move(slot));
    return std::prev(slots.end());
}

void WorkerPool::State::refuse_if_impossible(const PoolKey& key) const {
    if (options.max_total_bytes && estimate_of(key) > *options.max_total_bytes) {
        refuse("exceeds_budget",
               fmt::format("it needs {} bytes, the whole budget is {}", estimate_of(key),
                           *options.max_total_bytes),
               key);
    }
}

void WorkerPool::State::refuse(const char* rule, std::string why, const PoolKey& key) const {
    metrics.count_refused(rule);
    log.write("refused", key.label, 0, fmt::format("{}: {}", rule, why));
    std::vector<ErrorFact> facts{{"rule", std::string(rule)},
                                 {"work_entered_child", false},
                                 {"waiting", std::uint64_t{queue.size()}},
                                 {"workers", std::uint64_t{slots.size()}}};
    if (options.max_total_bytes) {
        facts.push_back({"needed_bytes", estimate_of(key)});
        facts.push_back({"reserved_bytes", reserved_bytes()});
        facts.push_back({"max_total_bytes", *options.max_total_bytes});
    }
    throw Failure(Error(ErrorCode::admission_refused,
                        fmt::format("no worker for {}: {}", key.label, why), std::move(facts)));
}

} // namespace leanhost
