#pragma once

#include <atomic>
#include <memory>

namespace leanhost {

/// The reading side of a cancellation: polled by long operations, which then end with `cancelled`.
/// A default-made token is never cancelled. Copies are cheap and share the flag. Thread-safe.
class CancellationToken {
public:
    CancellationToken() = default;
    bool is_cancelled() const noexcept {
        return flag_ != nullptr && flag_->load(std::memory_order_relaxed);
    }
    /// False for a default-made token: nobody can cancel it.
    bool can_be_cancelled() const noexcept { return flag_ != nullptr; }

private:
    friend class CancellationSource;
    explicit CancellationToken(std::shared_ptr<const std::atomic<bool>> flag)
        : flag_(std::move(flag)) {}
    std::shared_ptr<const std::atomic<bool>> flag_;
};

/// The side that cancels. Tokens stay valid after their source is gone. Thread-safe.
class CancellationSource {
public:
    CancellationSource() : flag_(std::make_shared<std::atomic<bool>>(false)) {}
    CancellationToken token() const { return CancellationToken(flag_); }
    void cancel() noexcept { flag_->store(true, std::memory_order_relaxed); }

private:
    std::shared_ptr<std::atomic<bool>> flag_;
};

} // namespace leanhost
