#include "base/guard.hpp"
#include "engine_native/native_session.hpp"
#include "memory/budget.hpp"

#include <leanhost/session_pool.hpp>

#include <list>
#include <mutex>

namespace leanhost {
namespace {

using SessionPtr = std::shared_ptr<const Session>;
using std::chrono::milliseconds;

// False also when it cannot be told: the import that follows says why.
bool is_current(const Session& session, milliseconds max_age) {
    // The only engine there is; a second one makes this a method of Session.
    const auto& loaded = static_cast<const engine_native::NativeSession&>(session).loaded();
    const auto current = guarded("is_current", [&] { return loaded->is_current(max_age); });
    return current && *current;
}

} // namespace

std::string_view pool_miss_name(PoolMiss miss) noexcept {
    switch (miss) {
    case PoolMiss::none:
        return "none";
    case PoolMiss::empty_pool:
        return "empty_pool";
    case PoolMiss::reuse_disabled:
        return "reuse_disabled";
    case PoolMiss::no_matching_key:
        return "no_matching_key";
    case PoolMiss::files_changed:
        return "files_changed";
    }
    return "unknown";
}

struct PooledSession::PoolState {
    PoolState(Runtime r, SessionPoolOptions o) : runtime(std::move(r)), options(o) {}

    // A free session of the imports, most recently returned first; counts the hit or the reason of
    // the miss.
    SessionPtr take_free(const ImportSet& imports);
    SessionPtr take_candidate(const ImportSet& imports, bool was_stale);
    void count_miss(PoolMiss miss); // with the mutex held
    SessionPtr import(const ImportSet& imports, const CallOptions& call);
    void require_admitted();
    void give_back(SessionPtr session) noexcept;
    bool try_keep(SessionPtr& session) noexcept; // with the mutex held
    void drop_stale();

    const Runtime runtime;
    const SessionPoolOptions options;

    std::mutex mutex;
    bool is_closed = false;     // the pool is gone; guarded by mutex
    std::list<SessionPtr> free; // guarded by mutex; the most recently returned first
    PoolStats stats;            // guarded by mutex
    std::uint64_t admitted = 0; // imports begun that did not fail; guarded by mutex
};

// Looks at files outside the lock: others go on meanwhile, and a candidate taken out of the list is
// ours.
SessionPtr PooledSession::PoolState::take_free(const ImportSet& imports) {
    bool was_stale = false;
    while (SessionPtr candidate = take_candidate(imports, was_stale)) {
        if (is_current(*candidate, runtime.options().revalidate_after)) {
            const std::lock_guard lock(mutex);
            ++stats.reused;
            ++stats.acquired;
            ++stats.checked_out;
            return candidate;
        }
        was_stale = true;
        const std::lock_guard lock(mutex);
        ++stats.stale;
    }
    return nullptr;
}

// The most recently returned session of the imports; null, with the reason counted, when there is
// none.
SessionPtr PooledSession::PoolState::take_candidate(const ImportSet& imports, bool was_stale) {
    const std::lock_guard lock(mutex);
    for (auto it = free.begin(); it != free.end(); ++it) {
        if ((*it)->imports() != imports)
            continue;
        SessionPtr candidate = std::move(*it);
        free.erase(it);
        return candidate;
    }
    count_miss(options.capacity == 0 ? PoolMiss::reuse_disabled
               : was_stale           ? PoolMiss::files_changed
               : free.empty()        ? PoolMiss::empty_pool
                                     : PoolMiss::no_matching_key);
    return nullptr;
}

void PooledSession::PoolState::count_miss(PoolMiss miss) {
    stats.last_miss = miss;
    switch (miss) {
    case PoolMiss::empty_pool:
        ++stats.miss_empty_pool;
        break;
    case PoolMiss::reuse_disabled:
        ++stats.miss_reuse_disabled;
        break;
    case PoolMiss::no_matching_key:
        ++stats.miss_no_matching_key;
        break;
    case PoolMiss::files_changed:
        ++stats.miss_files_changed;
        break;
    case PoolMiss::none:
        break;
    }
}

// Before anything is opened, so that a refusal costs nothing.
void PooledSession::PoolState::require_admitted() {
    const auto& policy = options.memory_policy;
    memory::BudgetFacts facts;
    if (policy.max_anonymous_bytes)
        facts.anonymous_bytes = sample_this_process().gauge_bytes();
    const std::lock_guard lock(mutex);
    facts.fresh_imports = admitted;
    if (const auto refusal = memory::find_refusal(policy, facts)) {
        ++stats.refused;
        throw Failure(memory::to_error(*refusal).with("work_entered_engine", false));
    }
    ++admitted; // from here on, so that imports side by side respect the limit together
}

SessionPtr PooledSession::PoolState::import(const ImportSet& imports, const CallOptions& call) {
    require_admitted();
    Expected<SessionPtr> session = runtime.open_session(imports, call);
    const std::lock_guard lock(mutex);
    if (!session) {
        --admitted;
        throw Failure(std::move(session).error());
    }
    ++stats.imports;
    if ((*session)->import_facts().was_shared)
        ++stats.imports_shared;
    ++stats.acquired;
    ++stats.checked_out;
    return *std::move(session);
}

void PooledSession::PoolState::give_back(SessionPtr session) noexcept {
    std::list<SessionPtr> dropped; // outside the lock
    const std::lock_guard lock(mutex);
    --stats.checked_out;
    if (options.capacity == 0 || is_closed || !try_keep(session)) {
        ++stats.released_dropped;
        return; // the parameter goes after the lock does
    }
    ++stats.released_to_pool;
    if (free.size() > options.capacity) {
        dropped.splice(dropped.end(), free, std::prev(free.end()));
        ++stats.evicted;
    }
}

// A session that no list node can be had for is dropped instead.
bool PooledSession::PoolState::try_keep(SessionPtr& session) noexcept {
    try {
        free.push_front(std::move(session));
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

void PooledSession::PoolState::drop_stale() {
    std::list<SessionPtr> candidates; // looked at and dropped outside the lock
    {
        const std::lock_guard lock(mutex);
        candidates.swap(free);
    }
    std::list<SessionPtr> current;
    for (auto it = candidates.begin(); it != candidates.end();) {
        const auto here = it++;
        if (is_current(**here, milliseconds(0)))
            current.splice(current.end(), candidates, here);
    }
    const std::lock_guard lock(mutex);
    stats.stale += candidates.size();
    free.splice(free.end(), current); // behind those that were returned meanwhile
    while (free.size() > options.capacity) {
        candidates.splice(candidates.end(), free, std::prev(free.end()));
        ++stats.evicted;
    }
}

PooledSession& PooledSession::operator=(PooledSession&& other) noexcept {
    if (this != &other) {
        give_back();
        pool_ = std::move(other.pool_);
        session_ = std::move(other.session_);
    }
    return *this;
}

PooledSession::~PooledSession() {
    give_back();
}

void PooledSession::give_back() noexcept {
    if (session_ != nullptr)
        pool_->give_back(std::move(session_));
}

SessionPool::SessionPool(Runtime runtime, SessionPoolOptions options)
    : state_(std::make_shared<PooledSession::PoolState>(std::move(runtime), options)) {}

SessionPool::~SessionPool() {
    if (state_ == nullptr)
        return;
    std::list<SessionPtr> dropped; // outside the lock
    const std::lock_guard lock(state_->mutex);
    state_->is_closed = true;
    dropped.swap(state_->free);
}

Expected<PooledSession> SessionPool::acquire(const ImportSet& imports, const CallOptions& options) {
    return guarded("SessionPool::acquire", [&] {
        SessionPtr session = state_->take_free(imports);
        if (session == nullptr)
            session = state_->import(imports, options);
        return PooledSession(state_, std::move(session));
    });
}

void SessionPool::drain() {
    std::list<SessionPtr> dropped; // outside the lock
    const std::lock_guard lock(state_->mutex);
    dropped.swap(state_->free);
    ++state_->stats.drains;
    state_->stats.drained += dropped.size();
}

void SessionPool::revalidate() {
    state_->drop_stale();
}

PoolStats SessionPool::stats() const {
    const std::lock_guard lock(state_->mutex);
    PoolStats stats = state_->stats;
    stats.free = state_->free.size();
    return stats;
}

} // namespace leanhost
