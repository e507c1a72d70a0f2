#include "worker/child/session_table.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::worker {

SessionTable::SessionTable(Runtime runtime, std::size_t max_sessions)
    : pool_(std::move(runtime), {.capacity = 1}),
      max_sessions_(std::max<std::size_t>(1, max_sessions)) {}

SessionTable::Opened SessionTable::open(const ImportSet& imports, const CallOptions& options) {
    const std::lock_guard opening(open_mutex_);
    // Given back to the pool and asked for again: the pool looks whether its files are unchanged.
    const std::uint64_t same = give_back_same(imports);
    const std::uint64_t reused_before = pool_.stats().reused;
    PooledSession session = value_or_throw(pool_.acquire(imports, options));
    const bool was_reused = pool_.stats().reused != reused_before;
    Opened opened = admit(std::move(session), was_reused ? same : 0);
    opened.was_live = was_reused || opened.facts.was_shared;
    const std::lock_guard lock(mutex_);
    if (opened.was_live)
        ++opens_shared_;
    else
        residue_bytes_ += opened.facts.relocated_bytes;
    return opened;
}

// The number of a session of the same imports that nobody uses now, which goes back to the pool; 0
// when there is none. One in use stays, and another is opened over the same closure.
std::uint64_t SessionTable::give_back_same(const ImportSet& imports) {
    const std::lock_guard lock(mutex_);
    const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.session.use_count() == 1 && (*entry.session)->imports() == imports;
    });
    if (same == entries_.end())
        return 0;
    const std::uint64_t number = same->number;
    entries_.erase(same);
    return number;
}

SessionTable::Opened SessionTable::admit(PooledSession session, std::uint64_t number) {
    const ImportFacts facts = session->import_facts();
    const std::lock_guard lock(mutex_);
    if (number == 0)
        number = ++last_number_;
    entries_.push_front({number, std::make_shared<const PooledSession>(std::move(session))});
    while (entries_.size() > max_sessions_)
        entries_.pop_back();
    // What was pushed out waits in the pool; this table is what keeps sessions, so it goes.
    pool_.drain();
    return {.session = number, .was_live = false, .facts = facts};
}

std::shared_ptr<const Session> SessionTable::find(std::uint64_t session) {
    const std::lock_guard lock(mutex_);
    const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& one) { return one.number == session; });
    if (entry == entries_.end()) {
        fail(ErrorCode::not_found,
             fmt::format("session {} is not open in this worker; open it again", session));
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return {entry->session, &**entry->session};
}

void SessionTable::drain() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
    pool_.drain();
}

SessionTable::Facts SessionTable::facts() const {
    const std::lock_guard lock(mutex_);
    return {.imports = pool_.stats().imports - pool_.stats().imports_shared,
            .opens_shared = opens_shared_,
            .residue_bytes = residue_bytes_,
            .sessions = entries_.size()};
}

} // namespace leanhost::worker
