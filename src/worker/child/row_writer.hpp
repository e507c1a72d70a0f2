#pragma once

#include "worker/child/frame_channel.hpp"
#include "worker/protocol/row_checksum.hpp"
#include "worker/protocol/worker_messages.pb.h"

#include <leanhost/cancellation.hpp>

#include <chrono>
#include <condition_variable>

namespace leanhost::worker {

/// Streams the rows of one request in batches, as far as the receiver has given credit.
///
/// A batch goes when it holds `flush_bytes`, or when its first row has waited for `flush_after`:
/// rows of a slow producer are seen soon, those of a fast one share a frame. `add` waits while
/// there is no credit. One thread adds; any thread gives credit or flushes what is old.
class RowWriter {
public:
    // Measured with bench_worker (docs/protocol.md): less costs processor time, more gains nothing.
    static constexpr std::size_t flush_bytes = std::size_t{32} << 10;
    static constexpr std::chrono::milliseconds flush_after{5};

    RowWriter(FrameChannel& channel,
              std::uint64_t request_id,
              std::uint64_t initial_credit_bytes,
              CancellationToken token)
        : channel_(channel), request_id_(request_id), credit_bytes_(initial_credit_bytes),
          token_(std::move(token)) {}

    /// Throws Failure `cancelled` while it waits, `resource_exhausted` for a row that no frame can
    /// hold, `io` when the receiver is gone.
    void add(std::string_view row);
    /// Sends what is left. As `add`.
    void flush();
    /// Drops what is left, for a request that failed: nothing may follow its last message.
    void discard();
    /// For the thread that watches the clock: sends what has waited too long, if credit allows, and
    /// says when it would next have to. Never waits for credit.
    std::optional<std::chrono::steady_clock::time_point>
    flush_if_old(std::chrono::steady_clock::time_point now);

    void give_credit(std::uint64_t bytes);
    /// The receiver is gone, or wants no more: whoever waits for credit ends.
    void wake() { credit_given_.notify_all(); }

    /// Count and checksum, for the summary. After `flush`.
    void fill(wire::Summary& summary) const;

private:
    void wait_for_credit(std::unique_lock<std::mutex>& lock);
    void send_batch();

    FrameChannel& channel_;
    const std::uint64_t request_id_;
    std::mutex mutex_;
    std::condition_variable credit_given_;
    std::uint64_t credit_bytes_; // guarded by mutex_, as everything below
    CancellationToken token_;
    wire::FromWorker batch_;
    std::size_t batch_bytes_ = 0;
    std::chrono::steady_clock::time_point first_row_at_{};
    std::uint64_t rows_ = 0;
    std::uint64_t row_bytes_ = 0;
    RowChecksum checksum_;
};

} // namespace leanhost::worker
