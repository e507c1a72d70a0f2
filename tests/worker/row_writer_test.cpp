#include "base/failure.hpp"
#include "worker/child/row_writer.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace leanhost::worker {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t request_id = 42;
constexpr std::uint64_t much_credit = std::uint64_t{1} << 40;
constexpr std::uint64_t row_overhead_bytes = 8; // docs/protocol.md, "Credit"
constexpr std::uint32_t narrow_frame_bytes = smallest_max_frame_bytes;
// Long enough for a thread that could go on to do so.
constexpr auto a_while = 50ms;

// The checksum as docs/protocol.md words it, written without looking at the source.
std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
    constexpr std::uint64_t m = 0xc6a4a7935bd1e995;
    b *= m;
    b ^= b >> 47;
    b ^= m;
    return (a ^ b) * m;
}
std::uint64_t hash_of_row(const std::string& row) {
    constexpr std::uint64_t m = 0xc6a4a7935bd1e995;
    std::uint64_t h = 11 ^ (row.size() * m);
    const auto little_endian = [&](std::size_t from, std::size_t to) {
        std::uint64_t word = 0;
        for (std::size_t i = to; i > from; --i)
            word = word * 256 + static_cast<unsigned char>(row[i - 1]);
        return word;
    };
    std::size_t at = 0;
    for (; at + 8 <= row.size(); at += 8) {
        std::uint64_t word = little_endian(at, at + 8) * m;
        word ^= word >> 47;
        h = (h ^ (word * m)) * m;
    }
    if (at < row.size())
        h = (h ^ little_endian(at, row.size())) * m;
    h ^= h >> 47;
    h *= m;
    return h ^ (h >> 47);
}
std::uint64_t checksum_of(const std::vector<std::string>& rows) {
    std::uint64_t checksum = 7;
    for (const std::string& row : rows)
        checksum = mixed(checksum, hash_of_row(row));
    return checksum;
}

// The receiver of rows, as the parent is one.
class Reader {
public:
    Reader(UniqueFd socket, std::uint32_t max_frame_bytes)
        : socket_(std::move(socket)), frames_(max_frame_bytes) {}

    // What arrives until nothing has come for `patience`, or the other side has closed.
    void read_for(std::chrono::milliseconds patience) {
        while (read_some(patience)) {
        }
    }
    void read_what_is_there() { read_for(0ms); }
    void read_to_end() { read_for(60s); }
    void close() { socket_.reset(); }

    std::vector<std::string> rows;
    std::vector<std::size_t> batches; ///< rows in each
    std::uint64_t credit_used = 0;    ///< as the document counts it
    std::function<void(std::uint64_t)> on_credit_used = [](std::uint64_t) {};

private:
    bool read_some(std::chrono::milliseconds patience) {
        ::pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&readable, 1, static_cast<int>(patience.count())) <= 0)
            return false;
        const std::span<char> space = frames_.free_space();
        const std::ptrdiff_t count = receive(socket_.get(), space, descriptors_, MSG_DONTWAIT);
        if (count <= 0)
            return false;
        frames_.add(static_cast<std::size_t>(count));
        while (const auto frame = frames_.next())
            take(*frame);
        return true;
    }
    void take(std::string_view frame) {
        wire::FromWorker message;
        ASSERT_TRUE(message.ParseFromString(std::string(frame)));
        ASSERT_EQ(message.request_id(), request_id);
        ASSERT_TRUE(message.has_rows());
        const wire::RowBatch& batch = message.rows();
        EXPECT_EQ(batch.first_row(), rows.size()) << "a batch is lost, or came twice";
        batches.push_back(static_cast<std::size_t>(batch.sizes_size()));
        std::size_t at = 0;
        for (const std::uint32_t size : batch.sizes()) {
            rows.push_back(batch.rows().substr(at, size));
            at += size;
        }
        EXPECT_EQ(at, batch.rows().size());
        const std::uint64_t cost = at + row_overhead_bytes * batches.back();
        credit_used += cost;
        on_credit_used(cost);
    }

    UniqueFd socket_;
    FrameBuffer frames_;
    std::deque<UniqueFd> descriptors_;
};

class RowWriterTest : public testing::Test {
protected:
    RowWriterTest() {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        channel_.emplace(UniqueFd(ends[0]));
        channel_->set_limits(default_max_frame_bytes, narrow_frame_bytes);
        reader_.emplace(UniqueFd(ends[1]), narrow_frame_bytes);
    }

    RowWriter& writer_with_credit(std::uint64_t bytes) {
        return writer_.emplace(*channel_, request_id, bytes, cancellation_.token());
    }
    RowWriter& writer() { return writer_with_credit(much_credit); }

    static std::future<std::optional<ErrorCode>> in_thread(const std::function<void()>& body) {
        return std::async(std::launch::async, [body]() -> std::optional<ErrorCode> {
            try {
                body();
            } catch (const Failure& failure) {
                return failure.error().code();
            }
            return std::nullopt;
        });
    }
    static bool is_waiting(const std::future<std::optional<ErrorCode>>& work) {
        return work.wait_for(a_while) == std::future_status::timeout;
    }

    void expect_summary_matches() {
        wire::Summary summary;
        writer_->fill(summary);
        std::uint64_t row_bytes = 0;
        for (const std::string& row : reader_->rows)
            row_bytes += row.size();
        EXPECT_EQ(summary.rows(), reader_->rows.size());
        EXPECT_EQ(summary.row_bytes(), row_bytes);
        EXPECT_EQ(summary.checksum(), checksum_of(reader_->rows));
    }

    std::optional<FrameChannel> channel_;
    std::optional<Reader> reader_;
    CancellationSource cancellation_;
    std::optional<RowWriter> writer_;
};

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

TEST(ProtocolDocument, ItsNumbersOfRowsAreThoseOfTheSource) {
    std::ifstream file(std::filesystem::path(LEANHOST_SOURCE_DIR) / "docs/protocol.md");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto row = [](const char* name, auto number, const char* unit) {
        return fmt::format("| `{}` | {}{} |", name, number, unit);
    };
    EXPECT_THAT(text, HasSubstr(row("RowWriter::flush_bytes", RowWriter::flush_bytes, "")));
    EXPECT_THAT(text,
                HasSubstr(row("RowWriter::flush_after", RowWriter::flush_after.count(), " ms")));
    EXPECT_THAT(text, HasSubstr(row("FrameChannel::longest_write",
                                    FrameChannel::longest_write.count(), " min")));
}

// The row that makes a batch full, when none has been added since the last one went.
std::string row_that_fills_a_batch() {
    return std::string(RowWriter::flush_bytes - row_overhead_bytes, 'f');
}

TEST_F(RowWriterTest, RowsWaitUntilTheyAreABatchAndThenGoTogether) {
    RowWriter& rows = writer();
    const std::string row(1000, 'x');
    const std::size_t rows_a_batch =
        1 + (RowWriter::flush_bytes - 1) / (row.size() + row_overhead_bytes);
    for (std::size_t i = 1; i < rows_a_batch; ++i)
        rows.add(row);
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->rows, IsEmpty());
    rows.add(row);
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->batches, ElementsAre(rows_a_batch));
}

TEST_F(RowWriterTest, EmptyRowsFillABatchAsWell) {
    RowWriter& rows = writer();
    constexpr std::size_t rows_a_batch = RowWriter::flush_bytes / row_overhead_bytes;
    for (std::size_t i = 0; i < rows_a_batch; ++i)
        rows.add({});
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->batches, ElementsAre(rows_a_batch));
    expect_summary_matches();
}

TEST_F(RowWriterTest, FlushSendsWhatIsLeftAndNothingTwice) {
    RowWriter& rows = writer();
    rows.add("a");
    rows.add("");
    rows.add("bc");
    rows.flush();
    rows.flush();
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->rows, ElementsAre("a", "", "bc"));
    EXPECT_THAT(reader_->batches, ElementsAre(3));
    expect_summary_matches();
}

TEST_F(RowWriterTest, WithoutRowsNothingIsSentAndTheSummaryIsThatOfNone) {
    writer().flush();
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->batches, IsEmpty());
    expect_summary_matches();
}

TEST_F(RowWriterTest, RowsThatHaveWaitedLongEnoughAreSent) {
    RowWriter& rows = writer();
    EXPECT_FALSE(rows.flush_if_old(Clock::now())) << "no row waits";
    const Clock::time_point before = Clock::now();
    rows.add("a");
    const Clock::time_point after = Clock::now();
    const auto due = rows.flush_if_old(before);
    ASSERT_TRUE(due);
    EXPECT_GE(*due, before + RowWriter::flush_after);
    EXPECT_LE(*due, after + RowWriter::flush_after);
    rows.add("b"); // what counts is the first row's age
    EXPECT_EQ(rows.flush_if_old(*due - 1ns), due);
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->rows, IsEmpty());
    EXPECT_FALSE(rows.flush_if_old(*due));
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->rows, ElementsAre("a", "b"));
    expect_summary_matches();
}

TEST_F(RowWriterTest, OldRowsWaitForCreditWithoutHoldingUpTheClock) {
    RowWriter& rows = writer_with_credit(0);
    rows.add("a");
    EXPECT_FALSE(rows.flush_if_old(Clock::now() + 1h));
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->rows, IsEmpty());
    rows.give_credit(1);
    EXPECT_FALSE(rows.flush_if_old(Clock::now() + 1h));
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->rows, ElementsAre("a"));
}

TEST_F(RowWriterTest, WithoutCreditARowWaitsUntilSomeIsGiven) {
    RowWriter& rows = writer_with_credit(0);
    auto work = in_thread([&] { rows.add(row_that_fills_a_batch()); });
    EXPECT_TRUE(is_waiting(work));
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->batches, IsEmpty());
    rows.give_credit(1);
    EXPECT_EQ(work.get(), std::nullopt);
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->batches, ElementsAre(1));
}

TEST_F(RowWriterTest, FlushWaitsForCreditAsWell) {
    RowWriter& rows = writer_with_credit(0);
    rows.add("a");
    auto work = in_thread([&] { rows.flush(); });
    EXPECT_TRUE(is_waiting(work));
    rows.give_credit(1);
    EXPECT_EQ(work.get(), std::nullopt);
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->rows, ElementsAre("a"));
}

// The last batch may be greater than what is left; with nothing left none goes.
TEST_F(RowWriterTest, SendsNoMoreThanItsCreditAndTheRestOfOneBatch) {
    constexpr std::uint64_t credit = 100'000;
    RowWriter& rows = writer_with_credit(credit);
    auto work = in_thread([&] {
        for (int i = 0; i < 1000; ++i)
            rows.add(std::string(1000, 'x'));
        rows.flush();
    });
    while (reader_->credit_used < credit)
        reader_->read_for(a_while);
    EXPECT_TRUE(is_waiting(work));
    reader_->read_what_is_there();
    EXPECT_LT(reader_->credit_used, credit + 2 * RowWriter::flush_bytes);
    rows.give_credit(much_credit);
    while (reader_->rows.size() < 1000)
        reader_->read_for(a_while);
    EXPECT_EQ(work.get(), std::nullopt);
    EXPECT_THAT(reader_->rows, SizeIs(1000));
    expect_summary_matches();
}

TEST_F(RowWriterTest, CreditBeyondAllNumbersIsTheGreatest) {
    RowWriter& rows = writer_with_credit(UINT64_MAX - 1);
    rows.give_credit(UINT64_MAX);
    rows.add("a");
    rows.flush();
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->rows, ElementsAre("a"));
}

TEST_F(RowWriterTest, CancellationWakesARowThatWaitsForCredit) {
    RowWriter& rows = writer_with_credit(0);
    auto work = in_thread([&] { rows.add(row_that_fills_a_batch()); });
    EXPECT_TRUE(is_waiting(work));
    cancellation_.cancel();
    rows.wake();
    EXPECT_EQ(work.get(), ErrorCode::cancelled);
}

TEST_F(RowWriterTest, CancellationIsSeenWithoutBeingWoken) {
    RowWriter& rows = writer_with_credit(0);
    rows.add("a");
    auto work = in_thread([&] { rows.flush(); });
    EXPECT_TRUE(is_waiting(work));
    cancellation_.cancel();
    EXPECT_EQ(work.get(), ErrorCode::cancelled);
}

TEST_F(RowWriterTest, WakingWithoutCancellationGoesOnWaiting) {
    RowWriter& rows = writer_with_credit(0);
    rows.add("a");
    auto work = in_thread([&] { rows.flush(); });
    rows.wake();
    EXPECT_TRUE(is_waiting(work));
    rows.give_credit(1);
    EXPECT_EQ(work.get(), std::nullopt);
}

TEST_F(RowWriterTest, LongestRowFitsIntoAFrameAndALongerOneIsRefused) {
    constexpr std::size_t longest = narrow_frame_bytes - 256;
    RowWriter& rows = writer();
    rows.add("before");
    const Error error = error_of([&] { rows.add(std::string(longest + 1, 'x')); });
    EXPECT_EQ(error.code(), ErrorCode::resource_exhausted);
    EXPECT_THAT(error.message(), HasSubstr("frames of at most 65536"));
    rows.add(std::string(longest, 'x'));
    rows.flush();
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->rows, ElementsAre("before", SizeIs(longest)));
    expect_summary_matches();
}

// The reader refuses a frame beyond the limit.
TEST_F(RowWriterTest, RandomRowsArriveAsTheyWereInFramesOfTheLimit) {
    RowWriter& rows = writer();
    std::vector<std::string> sent;
    std::mt19937 random(1);
    for (int i = 0; i < 2000; ++i) {
        const std::size_t longest = i % 50 == 0 ? narrow_frame_bytes - 256 : 100;
        sent.emplace_back(random() % (longest + 1), static_cast<char>(random() % 256));
    }
    auto work = in_thread([&] {
        for (const std::string& row : sent)
            rows.add(row);
        rows.flush();
        channel_.reset();
    });
    reader_->read_to_end();
    EXPECT_EQ(work.get(), std::nullopt);
    EXPECT_EQ(reader_->rows, sent);
    expect_summary_matches();
}

// As in a worker: one thread adds, another takes the credit that comes and watches the clock. The
// receiver reads whatever they do: a writer that waits for the socket lets nobody give it credit.
TEST_F(RowWriterTest, AddingCreditAndClockTogetherLoseNothing) {
    constexpr std::uint64_t window = 64 << 10;
    constexpr std::size_t num_rows = 20'000;
    RowWriter& rows = writer_with_credit(window);
    std::atomic<std::uint64_t> credit_used = 0;
    reader_->on_credit_used = [&](std::uint64_t bytes) { credit_used += bytes; };
    std::atomic<bool> is_done = false;
    auto clock = in_thread([&] {
        while (!is_done) {
            rows.give_credit(credit_used.exchange(0));
            rows.flush_if_old(Clock::now() + 1h); // whatever waits is old
            std::this_thread::sleep_for(100us);
        }
        channel_.reset();
    });
    auto work = in_thread([&] {
        for (std::size_t i = 0; i < num_rows; ++i)
            rows.add(std::string(i % 300, 'x'));
        rows.flush();
    });
    const auto reading = in_thread([&] { reader_->read_to_end(); });
    EXPECT_EQ(work.get(), std::nullopt);
    is_done = true;
    EXPECT_EQ(clock.get(), std::nullopt);
    reading.wait();
    EXPECT_THAT(reader_->rows, SizeIs(num_rows));
    expect_summary_matches();
}

// A row that the clock's thread sent behind its request's failure belonged to no open request, and
// the parent ended the worker for it.
TEST_F(RowWriterTest, AfterDiscardNothingFollows) {
    RowWriter& rows = writer();
    rows.add("a");
    rows.flush();
    rows.add("b");
    rows.discard();
    EXPECT_FALSE(rows.flush_if_old(Clock::now() + 1h));
    rows.flush();
    reader_->read_what_is_there();
    EXPECT_THAT(reader_->rows, ElementsAre("a"));
}

TEST_F(RowWriterTest, ReceiverThatIsGoneIsAnError) {
    RowWriter& rows = writer();
    rows.add("a");
    reader_->close();
    EXPECT_EQ(error_of([&] { rows.flush(); }).code(), ErrorCode::io);
    EXPECT_EQ(error_of([&] { rows.add(row_that_fills_a_batch()); }).code(), ErrorCode::io);
    EXPECT_EQ(error_of([&] { rows.flush_if_old(Clock::now() + 1h); }).code(), ErrorCode::io);
}

} // namespace
} // namespace leanhost::worker
