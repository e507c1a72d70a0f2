#include "worker/child/frame_channel.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace leanhost::worker {
namespace {

constexpr std::size_t kept_write_buffer_bytes = std::size_t{256} << 10;

[[noreturn]] void fail_io(const char* what, int error) {
    fail(ErrorCode::io,
         fmt::format("worker socket: {}: {}", what, std::generic_category().message(error)));
}

} // namespace

FrameChannel::FrameChannel(UniqueFd socket) : socket_(std::move(socket)) {}

void FrameChannel::set_limits(std::uint32_t incoming_bytes, std::uint32_t outgoing_bytes) noexcept {
    frames_.set_max_frame_bytes(incoming_bytes);
    max_outgoing_bytes_ = outgoing_bytes;
}

bool FrameChannel::receive_some() {
    const std::span<char> space = frames_.free_space();
    const std::ptrdiff_t received = receive(socket_.get(), space, descriptors_, MSG_DONTWAIT);
    if (received > 0) {
        frames_.add(static_cast<std::size_t>(received));
        return true;
    }
    if (received == 0 || errno == ECONNRESET)
        return false;
    if (errno != EAGAIN && errno != EINTR)
        fail_io("receive", errno);
    return true;
}

UniqueFd FrameChannel::take_descriptor() {
    if (descriptors_.empty())
        fail(ErrorCode::protocol_error,
             "a descriptor that should have come with the frame is missing");
    UniqueFd first = std::move(descriptors_.front());
    descriptors_.pop_front();
    return first;
}

void FrameChannel::write(const google::protobuf::MessageLite& message,
                         std::span<const int> descriptors) {
    const std::lock_guard lock(write_mutex_);
    outgoing_.clear();
    append_frame(message, max_outgoing_bytes_, outgoing_);
    if (is_broken_)
        fail(ErrorCode::io, "worker socket: an earlier write failed");
    is_broken_ = true;
    write_all(outgoing_, descriptors);
    is_broken_ = false;
    if (outgoing_.capacity() > kept_write_buffer_bytes)
        std::string().swap(outgoing_);
}

void FrameChannel::write_all(std::string_view bytes, std::span<const int> descriptors) {
    while (!bytes.empty()) {
        const std::ptrdiff_t sent = send_some(socket_.get(), bytes, descriptors, MSG_DONTWAIT);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
            descriptors = {};
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            fail_io("send", errno);
        ::pollfd writable{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
        constexpr int longest_ms =
            static_cast<int>(std::chrono::milliseconds(longest_write).count());
        const int ready = ::poll(&writable, 1, longest_ms);
        if (ready == 0)
            fail(ErrorCode::io, "worker socket: the parent has read nothing for minutes");
        if (ready < 0 && errno != EINTR)
            fail_io("poll", errno);
    }
}

} // namespace leanhost::worker
