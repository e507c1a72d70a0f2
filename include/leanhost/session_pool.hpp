#pragma once

#include <leanhost/memory_policy.hpp>
#include <leanhost/runtime.hpp>

namespace leanhost {

struct SessionPoolOptions {
    std::size_t capacity = 4; ///< free sessions kept; 0 disables reuse
    MemoryPolicy memory_policy{};
};

/// Why the last acquire that could not reuse a free session could not.
enum class PoolMiss : std::uint8_t {
    none,            ///< none missed yet
    empty_pool,      ///< nothing was free
    reuse_disabled,  ///< capacity 0
    no_matching_key, ///< only sessions of other import sets were free
    files_changed,   ///< one was free, but its files have been rebuilt
};
std::string_view pool_miss_name(PoolMiss miss) noexcept;

/// Counted since the pool was made. `acquired` = `imports` + `reused`.
struct PoolStats {
    std::uint64_t imports = 0;          ///< sessions opened
    std::uint64_t imports_shared = 0;   ///< of those, over a closure that was loaded already
    std::uint64_t reused = 0;           ///< acquires answered by a free session
    std::uint64_t acquired = 0;         ///< acquires that delivered
    std::uint64_t released_to_pool = 0; ///< returned sessions that were kept
    std::uint64_t released_dropped = 0; ///< returned sessions that were not
    std::uint64_t evicted = 0; ///< free sessions dropped to make room, least recently used first
    std::uint64_t drains = 0;
    std::uint64_t drained = 0; ///< free sessions dropped by drains
    std::uint64_t stale = 0;   ///< free sessions dropped because their files had changed
    std::uint64_t refused = 0; ///< imports that the memory policy refused
    std::uint64_t miss_empty_pool = 0;
    std::uint64_t miss_reuse_disabled = 0;
    std::uint64_t miss_no_matching_key = 0;
    std::uint64_t miss_files_changed = 0;
    PoolMiss last_miss = PoolMiss::none;
    std::size_t free = 0;        ///< now
    std::size_t checked_out = 0; ///< now
};

class SessionPool;

/// A session on loan from a pool; goes back when dropped, also after the pool is gone (then it is
/// dropped). Move-only.
class PooledSession {
public:
    PooledSession(PooledSession&&) noexcept = default;
    PooledSession& operator=(PooledSession&& other) noexcept;
    ~PooledSession();

    const Session& operator*() const noexcept { return *session_; }
    const Session* operator->() const noexcept { return session_.get(); }

private:
    friend class SessionPool;
    struct PoolState;
    PooledSession(std::shared_ptr<PoolState> pool, std::shared_ptr<const Session> session) noexcept
        : pool_(std::move(pool)), session_(std::move(session)) {}
    void give_back() noexcept;

    std::shared_ptr<PoolState> pool_;
    std::shared_ptr<const Session> session_;
};

/// Keeps imported environments for reuse, by import set (modules in order, profile, allow_missing).
///
/// The runtime fixes engine and search path; the files' identity is looked at again when that was
/// longer ago than the runtime's `revalidate_after`. At most `capacity` free sessions are kept; how
/// many are checked out is not limited. Thread-safe; sessions may be returned from any thread.
class SessionPool {
public:
    explicit SessionPool(Runtime runtime, SessionPoolOptions options = {});
    SessionPool(SessionPool&&) noexcept = default;
    SessionPool& operator=(SessionPool&&) = delete;
    ~SessionPool();

    /// A free session of these imports, or a fresh import if the memory policy admits one.
    /// Cost of a hit: under a microsecond, but once a `revalidate_after` one system call a file.
    /// Errors: import_refused (facts: rule, limit, current); those of Runtime::open_session.
    Expected<PooledSession> acquire(const ImportSet& imports, const CallOptions& options = {});

    /// Drops every free session; checked-out ones stay valid and are kept again when they return.
    void drain();

    /// Looks at the files of all free sessions now and drops those whose files have changed.
    void revalidate();

    PoolStats stats() const;

private:
    std::shared_ptr<PooledSession::PoolState> state_;
};

} // namespace leanhost
