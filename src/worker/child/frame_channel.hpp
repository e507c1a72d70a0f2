#pragma once

#include "worker/protocol/frame.hpp"

#include <atomic>
#include <chrono>
#include <mutex>

namespace leanhost::worker {

/// The worker's end of its socket. One thread reads; any thread writes, a frame at a time.
class FrameChannel {
public:
    explicit FrameChannel(UniqueFd socket);

    int descriptor() const noexcept { return socket_.get(); }

    /// Closes this end, in a forked child that has one of its own.
    void close() noexcept { socket_.reset(); }

    /// What this side takes, and what the other side does.
    void set_limits(std::uint32_t incoming_bytes, std::uint32_t outgoing_bytes) noexcept;
    std::uint32_t max_outgoing_bytes() const noexcept { return max_outgoing_bytes_; }

    /// The next frame's payload if it has arrived whole; valid until the next call.
    /// Throws Failure `protocol_error`.
    std::optional<std::string_view> next_frame() { return frames_.next(); }
    /// Receives what is there without waiting. False when the other side has closed.
    /// Throws Failure `io`, `protocol_error`.
    bool receive_some();
    /// The next of the descriptors that came with frames. Throws Failure `protocol_error` when
    /// there is none.
    UniqueFd take_descriptor();

    /// Writes `message` whole. Waits while the other side reads nothing, at most
    /// `longest_write`. Throws Failure `io` when it is gone or reads no more; `invalid_argument`
    /// when the message is longer than it takes.
    void write(const google::protobuf::MessageLite& message, std::span<const int> descriptors = {});
    static constexpr std::chrono::minutes longest_write{5};

private:
    void write_all(std::string_view bytes, std::span<const int> descriptors);

    UniqueFd socket_;
    FrameBuffer frames_{default_max_frame_bytes};
    std::deque<UniqueFd> descriptors_;
    std::atomic<std::uint32_t> max_outgoing_bytes_{default_max_frame_bytes};
    std::mutex write_mutex_;
    std::string outgoing_;   // guarded by write_mutex_
    bool is_broken_ = false; // a frame was cut: nothing can follow it; guarded by write_mutex_
};

} // namespace leanhost::worker
