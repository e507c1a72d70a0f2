#pragma once

#include "base/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class MessageLite;
}

/// What both sides of the worker's socket share: frames, their limits, and what is in them.
/// Format: docs/protocol.md.
namespace leanhost::worker {

inline constexpr std::uint32_t protocol_version = 1;

/// A frame is this magic, the payload's size (both little-endian), and the payload: one message.
inline constexpr std::uint32_t frame_magic = 0x3146'484CU; // "LHF1"
inline constexpr std::size_t frame_header_bytes = 8;

/// What a side accepts unless it says otherwise in its greeting. The greeting itself is never
/// longer than the smallest.
inline constexpr std::uint32_t default_max_frame_bytes = 4U << 20;
inline constexpr std::uint32_t smallest_max_frame_bytes = 64U << 10;
inline constexpr std::uint32_t largest_max_frame_bytes = 256U << 20;

/// Appends `message` as one frame to `out`. Throws Failure `invalid_argument` when the payload is
/// longer than `max_frame_bytes`; `out` is unchanged then.
void append_frame(const google::protobuf::MessageLite& message,
                  std::uint32_t max_frame_bytes,
                  std::string& out);

/// Cuts the bytes that arrive on a socket into frames. Holds what has arrived of one frame, and
/// what was received beyond it; gives the memory of a great frame back afterwards.
/// Not thread-safe.
class FrameBuffer {
public:
    explicit FrameBuffer(std::uint32_t max_frame_bytes) : max_frame_bytes_(max_frame_bytes) {}

    void set_max_frame_bytes(std::uint32_t bytes) noexcept { max_frame_bytes_ = bytes; }

    /// Where the next bytes are to be received; at least 64 KiB. Valid until the next call.
    std::span<char> free_space();
    /// `bytes` have been received there.
    void add(std::size_t bytes) noexcept { end_ += bytes; }

    /// The payload of the next whole frame, valid until the next call of any method; nullopt when
    /// more has to arrive. Throws Failure `protocol_error` at bytes that are no frame, and at a
    /// frame longer than the limit, before its payload is received.
    std::optional<std::string_view> next();

    /// Whether a part of a frame is waiting for its rest.
    bool has_partial_frame() const noexcept { return begin_ != end_; }

private:
    std::vector<char> bytes_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint32_t max_frame_bytes_;
};

/// As many come with one frame; more cannot be sent, and are not received.
inline constexpr std::size_t max_descriptors_a_message = 16;

/// Receives what is there, and descriptors that came with it, which are appended to `descriptors`.
/// Returns the bytes received; 0 when the other side has closed; -1 with errno set.
/// More than `max_waiting_descriptors` unclaimed ones are a protocol_error (Failure).
std::ptrdiff_t
receive(int socket, std::span<char> space, std::deque<UniqueFd>& descriptors, int flags);
inline constexpr std::size_t max_waiting_descriptors = 64;

/// Sends `bytes` as far as the socket takes them, `descriptors` with the first of them. Returns the
/// bytes sent, or -1 with errno set (EINVAL: too many descriptors). Never raises SIGPIPE.
std::ptrdiff_t
send_some(int socket, std::string_view bytes, std::span<const int> descriptors, int flags) noexcept;

} // namespace leanhost::worker
