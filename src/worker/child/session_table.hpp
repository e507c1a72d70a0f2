#pragma once

#include <leanhost/capabilities.hpp>
#include <leanhost/session_pool.hpp>

#include <list>
#include <map>
#include <memory>
#include <mutex>

namespace leanhost::worker {

/// The sessions of a worker, by number, over one runtime. Thread-safe.
class SessionTable {
public:
    /// At most `max_sessions` stay open; the one used least recently goes first.
    SessionTable(Runtime runtime, std::size_t max_sessions);

    struct Opened {
        std::uint64_t session;
        bool was_live; ///< answered from what was open already, with unchanged files
        ImportFacts facts;
    };
    /// Throws Failure: those of SessionPool::acquire.
    Opened open(const ImportSet& imports, const CallOptions& options);

    /// Holds the session open while it is used. Throws Failure `not_found`.
    std::shared_ptr<const Session> find(std::uint64_t session);

    void drain();

    struct Facts {
        std::uint64_t imports = 0;
        std::uint64_t opens_shared = 0;
        std::uint64_t residue_bytes = 0;
        std::uint64_t sessions = 0;
    };
    Facts facts() const;

private:
    struct Entry {
        std::uint64_t number;
        std::shared_ptr<const PooledSession> session;
    };
    using Entries = std::list<Entry>;

    std::uint64_t give_back_same(const ImportSet& imports);
    Opened admit(PooledSession session, std::uint64_t number);

    std::mutex open_mutex_; // one import at a time: each uses all cores it may
    SessionPool pool_;
    const std::size_t max_sessions_;
    mutable std::mutex mutex_;
    // Everything below is guarded by mutex_.
    Entries entries_; // most recently used first
    std::uint64_t last_number_ = 0;
    std::uint64_t opens_shared_ = 0;
    std::uint64_t residue_bytes_ = 0;
};

} // namespace leanhost::worker
