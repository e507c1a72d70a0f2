#include "base/failure.hpp"
#include "worker/protocol/frame.hpp"
#include "worker/protocol/row_checksum.hpp"
#include "worker/protocol/wire_values.hpp"
#include "worker/protocol/worker_messages.pb.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

namespace leanhost::worker {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

constexpr std::size_t kib = 1024;

template <class Body>
Error error_of(Body&& body) {
    try {
        body();
    } catch (const Failure& failure) {
        return failure.error();
    }
    ADD_FAILURE() << "nothing was refused";
    return {ErrorCode::internal, "nothing was refused"};
}

wire::ToWorker ping_of(std::string payload) {
    wire::ToWorker message;
    message.set_request_id(1);
    message.mutable_ping()->set_payload(std::move(payload));
    return message;
}

std::string frame_of(const google::protobuf::MessageLite& message) {
    std::string frame;
    append_frame(message, largest_max_frame_bytes, frame);
    return frame;
}

// A frame whose payload need not be a message.
std::string raw_frame(std::string_view payload, std::uint32_t magic = frame_magic) {
    const auto size = static_cast<std::uint32_t>(payload.size());
    std::string frame(frame_header_bytes, '\0');
    std::memcpy(frame.data(), &magic, sizeof magic);
    std::memcpy(frame.data() + sizeof magic, &size, sizeof size);
    return frame.append(payload);
}

std::string header_that_announces(std::uint32_t payload_bytes) {
    std::string header = raw_frame({});
    std::memcpy(header.data() + sizeof frame_magic, &payload_bytes, sizeof payload_bytes);
    return header;
}

// As if it had been received.
void put(FrameBuffer& frames, std::string_view bytes) {
    while (!bytes.empty()) {
        const std::span<char> space = frames.free_space();
        const std::size_t count = std::min(space.size(), bytes.size());
        std::memcpy(space.data(), bytes.data(), count);
        frames.add(count);
        bytes.remove_prefix(count);
    }
}

std::vector<std::string> take_all(FrameBuffer& frames) {
    std::vector<std::string> payloads;
    while (const auto payload = frames.next())
        payloads.emplace_back(*payload);
    return payloads;
}

TEST(AppendFrame, WritesMagicSizeAndPayloadInLittleEndian) {
    const wire::ToWorker message = ping_of("hello");
    const std::string payload = message.SerializeAsString();
    const std::string frame = frame_of(message);
    EXPECT_EQ(frame.substr(0, 4), "LHF1");
    EXPECT_EQ(frame.substr(4, 4), std::string({static_cast<char>(payload.size()), 0, 0, 0}));
    EXPECT_EQ(frame.substr(frame_header_bytes), payload);
}

TEST(AppendFrame, StandsBehindWhatIsThereAlready) {
    std::string out = "before";
    append_frame(ping_of("a"), smallest_max_frame_bytes, out);
    EXPECT_EQ(out, "before" + frame_of(ping_of("a")));
}

TEST(AppendFrame, MessageOfExactlyTheLimitFitsAndOneByteMoreIsRefused) {
    const wire::ToWorker message = ping_of(std::string(1000, 'x'));
    const auto size = static_cast<std::uint32_t>(message.ByteSizeLong());
    std::string out = "before";
    const Error error = error_of([&] { append_frame(message, size - 1, out); });
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.message(), HasSubstr(fmt::format("frames of at most {}", size - 1)));
    EXPECT_EQ(out, "before") << "a refused message must leave nothing behind";
    append_frame(message, size, out);
    EXPECT_EQ(out.size(), 6 + frame_header_bytes + size);
}

TEST(FrameBuffer, HasNoFrameAtTheStart) {
    FrameBuffer frames(default_max_frame_bytes);
    EXPECT_FALSE(frames.next());
    EXPECT_FALSE(frames.has_partial_frame());
}

TEST(FrameBuffer, GivesTheSameFramesWhereverTheBytesAreSplit) {
    const std::string stream = raw_frame("first") + raw_frame("") + raw_frame("third one");
    for (std::size_t split = 0; split <= stream.size(); ++split) {
        FrameBuffer frames(default_max_frame_bytes);
        put(frames, std::string_view(stream).substr(0, split));
        std::vector<std::string> payloads = take_all(frames);
        put(frames, std::string_view(stream).substr(split));
        for (std::string& payload : take_all(frames))
            payloads.push_back(std::move(payload));
        EXPECT_THAT(payloads, ElementsAre("first", "", "third one")) << "split at " << split;
        EXPECT_FALSE(frames.has_partial_frame());
    }
}

TEST(FrameBuffer, GivesAFrameWithItsLastByteAndNotBefore) {
    const std::string stream = raw_frame("payload");
    FrameBuffer frames(default_max_frame_bytes);
    for (std::size_t i = 0; i + 1 < stream.size(); ++i) {
        put(frames, std::string_view(stream).substr(i, 1));
        EXPECT_FALSE(frames.next()) << "after byte " << i;
        EXPECT_TRUE(frames.has_partial_frame());
    }
    put(frames, std::string_view(stream).substr(stream.size() - 1));
    EXPECT_THAT(take_all(frames), ElementsAre("payload"));
}

TEST(FrameBuffer, GivesManyFramesOfOneRead) {
    constexpr int count = 2000;
    std::string stream;
    std::vector<std::string> expected;
    for (int i = 0; i < count; ++i) {
        expected.push_back(fmt::format("payload {}", i));
        stream += raw_frame(expected.back());
    }
    FrameBuffer frames(default_max_frame_bytes);
    ASSERT_GE(frames.free_space().size(), stream.size()) << "one read";
    put(frames, stream);
    EXPECT_THAT(take_all(frames), ElementsAreArray(expected));
}

TEST(FrameBuffer, RandomFramesInRandomChunksComeOutAsTheyWentIn) {
    constexpr std::size_t longest_payload = 300 * kib;
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        std::string stream;
        std::vector<std::string> expected;
        for (int i = 0; i < 20; ++i) {
            const std::size_t size = random() % (i % 4 == 0 ? longest_payload : 200);
            expected.emplace_back(size, static_cast<char>('a' + i));
            stream += raw_frame(expected.back());
        }
        FrameBuffer frames(longest_payload);
        std::vector<std::string> payloads;
        for (std::string_view left = stream; !left.empty();) {
            const std::size_t count = std::min<std::size_t>(1 + random() % (70 * kib), left.size());
            put(frames, left.substr(0, count));
            left.remove_prefix(count);
            for (std::string& payload : take_all(frames))
                payloads.push_back(std::move(payload));
        }
        EXPECT_EQ(payloads, expected) << "seed " << seed;
    }
}

TEST(FrameBuffer, EachWrongByteOfTheMagicIsRefused) {
    for (unsigned byte = 0; byte < sizeof frame_magic; ++byte) {
        FrameBuffer frames(default_max_frame_bytes);
        put(frames, raw_frame("x", frame_magic ^ (1U << (8 * byte))));
        const Error error = error_of([&] { frames.next(); });
        EXPECT_EQ(error.code(), ErrorCode::protocol_error);
        EXPECT_THAT(error.message(), HasSubstr("bytes that begin no frame"));
    }
}

TEST(FrameBuffer, BytesThatFollowAFrameAndBeginNoneAreRefusedAfterIt) {
    FrameBuffer frames(default_max_frame_bytes);
    put(frames, raw_frame("good") + "HTTP/1.1");
    EXPECT_EQ(frames.next(), "good");
    EXPECT_THAT(error_of([&] { frames.next(); }).message(), HasSubstr("expected 0x3146484c"));
}

TEST(FrameBuffer, FrameOfExactlyTheLimitIsTaken) {
    FrameBuffer frames(100);
    put(frames, raw_frame(std::string(100, 'x')));
    EXPECT_THAT(take_all(frames), ElementsAre(std::string(100, 'x')));
}

TEST(FrameBuffer, FrameBeyondTheLimitIsRefusedBeforeItsPayloadArrives) {
    for (const std::uint32_t size : {101U, 1U << 31U, UINT32_MAX}) {
        FrameBuffer frames(100);
        put(frames, header_that_announces(size));
        const Error error = error_of([&] { frames.next(); });
        EXPECT_EQ(error.code(), ErrorCode::protocol_error);
        EXPECT_EQ(error.message(), fmt::format("a frame of {} bytes; at most 100 are taken", size));
    }
}

TEST(FrameBuffer, TheLimitThatWasNegotiatedHoldsFromThenOn) {
    const std::string frame = raw_frame(std::string(smallest_max_frame_bytes + 1, 'x'));
    FrameBuffer narrow(smallest_max_frame_bytes);
    put(narrow, std::string_view(frame).substr(0, frame_header_bytes));
    EXPECT_EQ(error_of([&] { narrow.next(); }).code(), ErrorCode::protocol_error);

    FrameBuffer widened(smallest_max_frame_bytes);
    widened.set_max_frame_bytes(smallest_max_frame_bytes + 1);
    put(widened, frame);
    EXPECT_TRUE(widened.next());

    widened.set_max_frame_bytes(smallest_max_frame_bytes);
    put(widened, frame);
    EXPECT_EQ(error_of([&] { widened.next(); }).code(), ErrorCode::protocol_error);
}

TEST(FrameBuffer, AnnouncedSizeReservesNothing) {
    FrameBuffer frames(largest_max_frame_bytes);
    put(frames, header_that_announces(largest_max_frame_bytes));
    EXPECT_FALSE(frames.next());
    EXPECT_LE(frames.free_space().size(), 256 * kib);
}

TEST(FrameBuffer, MemoryOfAGreatFrameIsGivenBack) {
    FrameBuffer frames(default_max_frame_bytes);
    const std::string great = raw_frame(std::string(default_max_frame_bytes, 'x'));
    put(frames, great);
    ASSERT_TRUE(frames.next());
    EXPECT_LE(frames.free_space().size(), 256 * kib);
    put(frames, great + raw_frame("after"));
    EXPECT_THAT(take_all(frames), ElementsAre(testing::SizeIs(default_max_frame_bytes), "after"));
}

TEST(FrameBuffer, HasAlwaysRoomForTheNextRead) {
    FrameBuffer frames(default_max_frame_bytes);
    put(frames, header_that_announces(default_max_frame_bytes));
    for (std::size_t put_bytes = 0; put_bytes < default_max_frame_bytes;) {
        const std::size_t space = frames.free_space().size();
        ASSERT_GE(space, 64 * kib);
        const std::size_t count = std::min(space, default_max_frame_bytes - put_bytes);
        frames.add(count);
        put_bytes += count;
    }
    EXPECT_EQ(frames.next().value_or("").size(), default_max_frame_bytes);
}

// Two connected sockets, and what one of them has received.
class FrameSocket : public testing::Test {
protected:
    FrameSocket() {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        sender_ = UniqueFd(ends[0]);
        receiver_ = UniqueFd(ends[1]);
    }

    std::ptrdiff_t send(std::string_view bytes, std::span<const int> descriptors = {}) {
        return send_some(sender_.get(), bytes, descriptors, MSG_DONTWAIT);
    }
    std::ptrdiff_t receive_into(std::string& bytes) {
        std::array<char, 4096> space;
        const std::ptrdiff_t count = receive(receiver_.get(), space, descriptors_, MSG_DONTWAIT);
        if (count > 0)
            bytes.append(space.data(), static_cast<std::size_t>(count));
        return count;
    }
    // Past send_some, which refuses more than a message may carry.
    void send_descriptors_raw(std::span<const int> descriptors) {
        std::vector<char> control(CMSG_SPACE(descriptors.size_bytes()));
        char byte = 'x';
        ::iovec part{.iov_base = &byte, .iov_len = 1};
        ::msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        ::cmsghdr* const head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
        ASSERT_EQ(::sendmsg(sender_.get(), &message, 0), 1);
    }

    UniqueFd sender_;
    UniqueFd receiver_;
    std::deque<UniqueFd> descriptors_;
};

UniqueFd some_file() {
    return UniqueFd(::memfd_create("frame_test", MFD_CLOEXEC));
}

::ino_t inode_of(int descriptor) {
    struct ::stat facts {};
    EXPECT_EQ(::fstat(descriptor, &facts), 0);
    return facts.st_ino;
}

std::size_t num_open_descriptors() {
    const std::filesystem::directory_iterator folder("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

TEST_F(FrameSocket, DescriptorsComeWithTheBytesInTheOrderOfTheirSending) {
    std::vector<UniqueFd> files;
    std::vector<::ino_t> sent;
    for (std::size_t message = 0; message < 2; ++message) {
        std::vector<int> descriptors;
        for (std::size_t i = 0; i < 3; ++i) {
            files.push_back(some_file());
            descriptors.push_back(files.back().get());
            sent.push_back(inode_of(files.back().get()));
        }
        ASSERT_EQ(send("bytes", descriptors), 5);
    }
    std::string bytes;
    while (bytes.size() < 10)
        ASSERT_GT(receive_into(bytes), 0);
    std::vector<::ino_t> received;
    for (const UniqueFd& descriptor : descriptors_) {
        received.push_back(inode_of(descriptor.get()));
        EXPECT_NE(::fcntl(descriptor.get(), F_GETFD) & FD_CLOEXEC, 0) << "a child would inherit it";
    }
    EXPECT_EQ(received, sent);
}

TEST_F(FrameSocket, AsManyDescriptorsAsAMessageCarriesArriveAndOneMoreIsNotSent) {
    const UniqueFd file = some_file();
    std::vector<int> descriptors(max_descriptors_a_message, file.get());
    ASSERT_EQ(send("x", descriptors), 1);
    std::string bytes;
    EXPECT_EQ(receive_into(bytes), 1);
    EXPECT_EQ(descriptors_.size(), max_descriptors_a_message);
    descriptors.push_back(file.get());
    EXPECT_EQ(send("x", descriptors), -1);
    EXPECT_EQ(errno, EINVAL);
}

TEST_F(FrameSocket, MessageWithMoreDescriptorsThanAllowedIsRefusedAndNoneLeaks) {
    const UniqueFd file = some_file();
    send_descriptors_raw(std::vector<int>(max_descriptors_a_message + 1, file.get()));
    const std::size_t before = num_open_descriptors();
    std::string bytes;
    const Error error = error_of([&] { receive_into(bytes); });
    EXPECT_EQ(error.code(), ErrorCode::protocol_error);
    EXPECT_THAT(error.message(), HasSubstr("descriptors that no message asked for"));
    descriptors_.clear();
    EXPECT_EQ(num_open_descriptors(), before);
}

TEST_F(FrameSocket, DescriptorsThatNobodyClaimsAreRefusedBeyondTheirBound) {
    const UniqueFd file = some_file();
    const std::vector<int> sixteen(16, file.get());
    std::string bytes;
    for (std::size_t sent = 0; sent < max_waiting_descriptors; sent += sixteen.size()) {
        ASSERT_EQ(send("x", sixteen), 1);
        ASSERT_EQ(receive_into(bytes), 1);
    }
    ASSERT_EQ(descriptors_.size(), max_waiting_descriptors);
    ASSERT_EQ(send("x", std::span(sixteen).first(1)), 1);
    EXPECT_EQ(error_of([&] { receive_into(bytes); }).code(), ErrorCode::protocol_error);
}

TEST_F(FrameSocket, NothingToReceiveIsNoEndAndAClosedSideIs) {
    std::string bytes;
    EXPECT_EQ(receive_into(bytes), -1);
    EXPECT_EQ(errno, EAGAIN);
    ASSERT_EQ(send("last"), 4);
    sender_.reset();
    EXPECT_EQ(receive_into(bytes), 4);
    EXPECT_EQ(receive_into(bytes), 0);
    EXPECT_EQ(bytes, "last");
}

TEST_F(FrameSocket, SendingToAClosedSideFailsWithoutASignal) {
    const UniqueFd file = some_file();
    const int descriptor = file.get();
    receiver_.reset();
    EXPECT_EQ(send("x"), -1);
    EXPECT_EQ(errno, EPIPE);
    EXPECT_EQ(send("x", {&descriptor, 1}), -1);
    EXPECT_EQ(errno, EPIPE);
}

TEST_F(FrameSocket, FrameThatTheSocketTakesInPiecesArrivesWholeWithItsDescriptorOnce) {
    const UniqueFd file = some_file();
    const int descriptor = file.get();
    const std::string frame = raw_frame(std::string(1000 * kib, 'x'));
    FrameBuffer frames(default_max_frame_bytes);
    std::size_t sent = 0;
    int num_pieces = 0;
    while (sent < frame.size()) {
        const auto with = sent == 0 ? std::span(&descriptor, 1) : std::span<const int>();
        const std::ptrdiff_t count = send(std::string_view(frame).substr(sent), with);
        ASSERT_GT(count, 0);
        sent += static_cast<std::size_t>(count);
        ++num_pieces;
        while (true) {
            const std::ptrdiff_t received =
                receive(receiver_.get(), frames.free_space(), descriptors_, MSG_DONTWAIT);
            if (received <= 0)
                break;
            frames.add(static_cast<std::size_t>(received));
        }
    }
    EXPECT_GT(num_pieces, 1) << "the socket took it whole: a longer frame is needed";
    EXPECT_EQ(frames.next().value_or("").size(), 1000 * kib);
    EXPECT_EQ(descriptors_.size(), 1U);
}

// docs/protocol.md, so that it cannot drift.
std::string document() {
    std::ifstream file(std::filesystem::path(LEANHOST_SOURCE_DIR) / "docs/protocol.md");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The bytes of the document's nth block of hexadecimal numbers; text behind `#` is a comment.
std::string bytes_of_block(std::size_t n) {
    const std::string text = document();
    std::size_t at = 0;
    for (std::size_t i = 0; i <= n; ++i) {
        at = text.find("```hex\n", at);
        if (at == std::string::npos)
            return {};
        at += std::strlen("```hex\n");
    }
    std::istringstream lines(text.substr(at, text.find("```", at) - at));
    std::string bytes;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        for (std::string word; words >> word;) {
            unsigned value = 256;
            std::from_chars(word.data(), word.data() + word.size(), value, 16);
            EXPECT_LT(value, 256U) << word;
            bytes += static_cast<char>(value);
        }
    }
    return bytes;
}

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes)
        text += fmt::format("{:02x} ", static_cast<unsigned char>(byte));
    return text;
}

wire::ToWorker hello_of_the_document() {
    wire::ToWorker message;
    message.set_request_id(1);
    message.set_initial_credit_bytes(1U << 20U);
    wire::Hello& hello = *message.mutable_hello();
    hello.set_protocol_version(protocol_version);
    hello.set_max_frame_bytes(default_max_frame_bytes);
    RuntimeOptions options;
    options.search_path.emplace_back("/lib/lean");
    *hello.mutable_runtime() = to_wire(options);
    hello.set_max_sessions(4);
    hello.set_max_running_requests(4);
    return message;
}

wire::FromWorker answer_of_the_document() {
    wire::FromWorker message;
    message.set_request_id(1);
    wire::Summary& summary = *message.mutable_summary();
    summary.set_checksum(RowChecksum().value());
    wire::HelloAnswer& hello = *summary.mutable_hello();
    hello.set_protocol_version(protocol_version);
    hello.set_max_frame_bytes(default_max_frame_bytes);
    hello.set_engine("native");
    hello.set_leanhost_version("0.1.0");
    return message;
}

TEST(ProtocolDocument, ItsDumpOfAGreetingIsWhatIsSent) {
    EXPECT_EQ(hex(frame_of(hello_of_the_document())), hex(bytes_of_block(0)));
    EXPECT_EQ(hex(frame_of(answer_of_the_document())), hex(bytes_of_block(1)));
}

TEST(ProtocolDocument, ItsDumpOfAGreetingIsReadBack) {
    FrameBuffer frames(default_max_frame_bytes);
    put(frames, bytes_of_block(0));
    wire::ToWorker message;
    ASSERT_TRUE(message.ParseFromString(std::string(frames.next().value_or(""))));
    const RuntimeOptions options = runtime_options_from(message.hello().runtime());
    EXPECT_THAT(options.search_path, ElementsAre("/lib/lean"));
    EXPECT_EQ(message.hello().max_frame_bytes(), default_max_frame_bytes);
}

TEST(ProtocolDocument, ItsNumbersAreThoseOfTheSource) {
    const std::pair<const char*, std::uint64_t> numbers[] = {
        {"protocol_version", protocol_version},
        {"frame_header_bytes", frame_header_bytes},
        {"default_max_frame_bytes", default_max_frame_bytes},
        {"smallest_max_frame_bytes", smallest_max_frame_bytes},
        {"largest_max_frame_bytes", largest_max_frame_bytes},
        {"max_descriptors_a_message", max_descriptors_a_message},
        {"max_waiting_descriptors", max_waiting_descriptors},
        {"max_names_a_message", max_names_a_message},
        {"max_name_components", max_name_components},
        {"Error::max_message_bytes", Error::max_message_bytes}};
    const std::string text = document();
    for (const auto& [name, value] : numbers)
        EXPECT_THAT(text, HasSubstr(fmt::format("| `{}` | {} |", name, value)));
}

// Each line `rows → checksum` of the document's example, computed anew.
TEST(ProtocolDocument, ItsChecksumsAreThoseOfTheSource) {
    const std::vector<std::vector<std::string_view>> examples = {
        {}, {""}, {"a"}, {"a", "bc"}, {"ab", "c"}, {"twelve bytes"}};
    const std::string text = document();
    for (const auto& rows : examples) {
        RowChecksum checksum;
        std::string line;
        for (const std::string_view row : rows) {
            checksum.add(row);
            line += fmt::format("{}\"{}\"", line.empty() ? "" : ", ", row);
        }
        line = fmt::format("| {} | `0x{:016x}` |", line.empty() ? "none" : line, checksum.value());
        EXPECT_THAT(text, HasSubstr(line));
    }
}

} // namespace
} // namespace leanhost::worker
