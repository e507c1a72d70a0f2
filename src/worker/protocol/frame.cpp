#include "worker/protocol/frame.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>
#include <google/protobuf/message_lite.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace leanhost::worker {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are little-endian");

// A buffer that a great frame has grown is given back when it is empty.
constexpr std::size_t usual_buffer_bytes = std::size_t{256} << 10;
constexpr std::size_t least_free_bytes = std::size_t{64} << 10;

void append_u32(std::string& out, std::uint32_t value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out.append(bytes, sizeof value);
}

std::uint32_t u32_at(const char* bytes) noexcept {
    std::uint32_t value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

} // namespace

void append_frame(const google::protobuf::MessageLite& message,
                  std::uint32_t max_frame_bytes,
                  std::string& out) {
    const std::size_t payload_bytes = message.ByteSizeLong();
    if (payload_bytes > max_frame_bytes) {
        fail(ErrorCode::invalid_argument,
             fmt::format("a message of {} bytes; the other side takes frames of at most {}",
                         payload_bytes, max_frame_bytes));
    }
    const std::size_t start = out.size();
    out.reserve(start + frame_header_bytes + payload_bytes);
    append_u32(out, frame_magic);
    append_u32(out, static_cast<std::uint32_t>(payload_bytes));
    out.resize(start + frame_header_bytes + payload_bytes);
    message.SerializeWithCachedSizesToArray(
        reinterpret_cast<std::uint8_t*>(out.data() + start + frame_header_bytes));
}

std::span<char> FrameBuffer::free_space() {
    if (begin_ == end_) {
        begin_ = end_ = 0;
        if (bytes_.size() > usual_buffer_bytes)
            std::vector<char>().swap(bytes_);
    }
    if (bytes_.size() - end_ < least_free_bytes && begin_ > 0) {
        std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (bytes_.size() - end_ < least_free_bytes)
        bytes_.resize(std::max(2 * bytes_.size(), end_ + least_free_bytes));
    return {bytes_.data() + end_, bytes_.size() - end_};
}

std::optional<std::string_view> FrameBuffer::next() {
    const std::size_t held = end_ - begin_;
    if (held < frame_header_bytes)
        return std::nullopt;
    const char* const header = bytes_.data() + begin_;
    if (const std::uint32_t magic = u32_at(header); magic != frame_magic) {
        fail(ErrorCode::protocol_error,
             fmt::format("bytes that begin no frame: {:#010x}, expected {:#010x}", magic,
                         frame_magic));
    }
    const std::size_t payload_bytes = u32_at(header + sizeof(std::uint32_t));
    if (payload_bytes > max_frame_bytes_) {
        fail(ErrorCode::protocol_error, fmt::format("a frame of {} bytes; at most {} are taken",
                                                    payload_bytes, max_frame_bytes_));
    }
    if (held < frame_header_bytes + payload_bytes)
        return std::nullopt;
    begin_ += frame_header_bytes + payload_bytes;
    return std::string_view(header + frame_header_bytes, payload_bytes);
}

std::ptrdiff_t
receive(int socket, std::span<char> space, std::deque<UniqueFd>& descriptors, int flags) {
    ::iovec part{.iov_base = space.data(), .iov_len = space.size()};
    alignas(::cmsghdr) char control[CMSG_SPACE(max_descriptors_a_message * sizeof(int))];
    ::msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ::ssize_t received = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (received < 0)
        return received;
    for (::cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
         head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int descriptor;
            std::memcpy(&descriptor, CMSG_DATA(head) + i * sizeof(int), sizeof descriptor);
            descriptors.emplace_back(descriptor);
        }
    }
    if (descriptors.size() > max_waiting_descriptors || (message.msg_flags & MSG_CTRUNC) != 0)
        fail(ErrorCode::protocol_error, "descriptors that no message asked for");
    return received;
}

std::ptrdiff_t send_some(int socket,
                         std::string_view bytes,
                         std::span<const int> descriptors,
                         int flags) noexcept {
    if (descriptors.empty())
        return ::send(socket, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL);
    if (descriptors.size() > max_descriptors_a_message) {
        errno = EINVAL;
        return -1;
    }
    ::iovec part{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
    alignas(::cmsghdr) char control[CMSG_SPACE(max_descriptors_a_message * sizeof(int))] = {};
    ::msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    ::cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
    return ::sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

} // namespace leanhost::worker
