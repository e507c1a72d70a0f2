// The caller's side of a generation: a request's life as the thread sees that waits for it.
#include "base/failure.hpp"
#include "worker/parent/generation.hpp"
#include "worker/protocol/busy_wait.hpp"
#include "worker/protocol/row_checksum.hpp"
#include "worker/protocol/wire_values.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace leanhost::worker {
namespace {

using Clock = EventLoop::Clock;

// What may be on its way without the caller having taken it. Measured with bench_worker: half of it
// costs a tenth of the rate, twice gains nothing.
constexpr std::uint64_t credit_window_bytes = std::uint64_t{1} << 20;
// A token is a flag that nobody rings a bell for.
constexpr std::chrono::milliseconds token_interval{5};
constexpr std::chrono::milliseconds longest_look{50};
constexpr std::chrono::milliseconds longest_wait{1000};

// Of all pools in this program, since they share its processors.
std::atomic<unsigned> calls_under_way{0};

class CallUnderWay {
public:
    CallUnderWay() noexcept { ++calls_under_way; }
    CallUnderWay(const CallUnderWay&) = delete;
    CallUnderWay& operator=(const CallUnderWay&) = delete;
    ~CallUnderWay() { --calls_under_way; }
};

// Takes a request's rows apart, and compares what came with what the summary says.
class RowReceiver {
public:
    explicit RowReceiver(const WireRowSink& sink) : sink_(sink) {}

    void take(const wire::RowBatch& batch) {
        if (batch.first_row() != rows_)
            bad(fmt::format("rows from {} on, expected {}", batch.first_row(), rows_));
        std::string_view left(batch.rows());
        for (const std::uint32_t size : batch.sizes()) {
            if (size > left.size())
                bad("a batch whose rows are longer than it");
            const std::string_view row = left.substr(0, size);
            left.remove_prefix(size);
            checksum_.add(row);
            ++rows_;
            row_bytes_ += size;
            if (!sink_)
                bad("rows that were not asked for");
            if (sink_(row) == SinkAnswer::stop)
                fail(ErrorCode::cancelled, "stopped by the row sink");
        }
        if (!left.empty())
            bad("a batch with bytes that are no row");
    }

    void compare(const wire::Summary& summary) const {
        if (summary.rows() != rows_ || summary.row_bytes() != row_bytes_ ||
            summary.checksum() != checksum_.value()) {
            bad(fmt::format("{} rows of {} bytes arrived; the summary says {} of {}, or another "
                            "checksum",
                            rows_, row_bytes_, summary.rows(), summary.row_bytes()));
        }
    }

private:
    [[noreturn]] static void bad(const std::string& what) { fail(ErrorCode::protocol_error, what); }

    const WireRowSink& sink_;
    RowChecksum checksum_;
    std::uint64_t rows_ = 0;
    std::uint64_t row_bytes_ = 0;
};

void report(const CallOptions* options, const wire::Progress& progress) {
    if (options == nullptr || !options->progress)
        return;
    SinkAnswer answer = SinkAnswer::proceed;
    try {
        answer = options->progress(
            {.phase = progress.phase(), .current = progress.current(), .total = progress.total()});
    } catch (const Failure&) {
        throw;
    } catch (const std::exception& error) {
        fail(ErrorCode::sink_failed, fmt::format("progress sink: {}", error.what()));
    }
    if (answer == SinkAnswer::stop)
        fail(ErrorCode::cancelled, "cancelled by the progress sink");
}

} // namespace

// Before its request is sent, so that the answer cannot be read by the loop: nobody would wake us.
bool Generation::become_leader() {
    {
        const std::lock_guard reading(read_mutex_);
        if (has_leader_)
            return false;
        has_leader_ = true;
    }
    set_watched();
    return true;
}

void Generation::stop_leading() {
    {
        const std::lock_guard reading(read_mutex_);
        has_leader_ = false;
    }
    set_watched();
}

// For an answer that comes at once, before the caller sleeps.
void Generation::look_busily(const PendingRequest& request) {
    const std::chrono::microseconds limit = busy_wait_.for_answer(calls_under_way);
    if (limit == std::chrono::microseconds::zero())
        return;
    if (await_input_busily(socket_number_, limit))
        receive_all(Reader::leader);
    busy_wait_.note_answer(request.has_news());
}

// Reads the socket for all requests until there is news for `request` or `until` has come.
void Generation::lead(const PendingRequest& request, Clock::time_point until) {
    while (!request.has_news() && Clock::now() < until) {
        // The descriptor may be closed meanwhile, so we look up at times; `receive_all` knows.
        ::pollfd readable{.fd = socket_number_, .events = POLLIN, .revents = 0};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        if (::poll(&readable, 1, static_cast<int>(std::min(left, longest_look).count())) > 0 &&
            !receive_all(Reader::leader))
            return; // a closed socket is readable for ever; the burial brings the news
    }
}

// Leads while it lives, if nobody else does.
class Generation::Leadership {
public:
    explicit Leadership(Generation& generation)
        : generation_(generation), is_ours_(generation.become_leader()) {}
    Leadership(const Leadership&) = delete;
    Leadership& operator=(const Leadership&) = delete;
    ~Leadership() { end(); }

    void look_busily(const PendingRequest& request) {
        if (!is_ours_)
            return;
        generation_.look_busily(request);
        if (request.has_news())
            end();
    }

    // Once rows or progress come, a sink may take its time: then the loop reads, for all.
    void wait_for_news(const PendingRequest& request, Clock::time_point until) {
        if (!is_ours_)
            return;
        generation_.lead(request, until);
        if (request.has_news())
            end();
    }

private:
    void end() {
        if (std::exchange(is_ours_, false))
            generation_.stop_leading();
    }
    Generation& generation_;
    bool is_ours_;
};

// A caller's wait for the end of its request: rows and progress go to its sinks meanwhile, its
// deadline and its token are heeded. After a failure of its own it waits for the child's end of the
// request all the same, so that the next request meets a child that is done with this one.
class Generation::Wait {
public:
    Wait(Generation& generation, Call& call, RequestPtr request)
        : generation_(generation), call_(call), request_(std::move(request)), receiver_(call.rows),
          token_(call.options == nullptr ? CancellationToken() : call.options->cancellation) {}

    wire::Summary run(Leadership& leadership) {
        while (!request_->has_ended()) {
            const Clock::time_point now = Clock::now();
            end_at_deadline(now);
            cancel_if_asked();
            const Clock::time_point until = next_look(now);
            leadership.wait_for_news(*request_, until);
            const auto event = request_->wait_for_event(until);
            if (event && !own_error_)
                take(*event);
        }
        if (own_error_)
            throw Failure(*std::move(own_error_));
        if (std::optional<Error> error = request_->error())
            throw Failure(*std::move(error));
        return compared(request_->take_summary());
    }

private:
    // The one failure that does not wait: the child is given its grace by the loop.
    void end_at_deadline(Clock::time_point now) {
        if (!call_.timeout || now < request_->sent_at() + *call_.timeout)
            return;
        request_->abandon();
        generation_.cancel(*request_, CancelCause::deadline);
        fail(ErrorCode::deadline_exceeded,
             fmt::format("the request was not answered within {} ms", call_.timeout->count()));
    }

    void cancel_if_asked() {
        if (own_error_ || !token_.is_cancelled())
            return;
        own_error_ = Error(ErrorCode::cancelled, "cancelled");
        generation_.cancel(*request_, CancelCause::caller);
    }

    Clock::time_point next_look(Clock::time_point now) const {
        const Clock::time_point look =
            now + (token_.can_be_cancelled() ? token_interval : longest_wait);
        return call_.timeout ? std::min(request_->sent_at() + *call_.timeout, look) : look;
    }

    void take(const wire::FromWorker& event) {
        try {
            if (event.has_progress())
                return report(call_.options, event.progress());
            receiver_.take(event.rows());
            give_credit_for(event.rows());
        } catch (const Failure& failure) {
            own_error_ = failure.error();
            if (own_error_->code() == ErrorCode::protocol_error)
                generation_.kill(RestartReason::protocol_error, own_error_->message());
            else
                generation_.cancel(*request_, CancelCause::caller);
        }
    }

    // Half a window at a time: fewer messages, and the child does not run dry.
    void give_credit_for(const wire::RowBatch& rows) {
        credit_to_give_ += credit_of(rows);
        if (credit_to_give_ >= credit_window_bytes / 2)
            generation_.send_credit(*request_, std::exchange(credit_to_give_, 0));
    }

    wire::Summary compared(wire::Summary summary) {
        try {
            receiver_.compare(summary);
        } catch (const Failure& failure) {
            generation_.kill(RestartReason::protocol_error, failure.error().message());
            throw;
        }
        return summary;
    }

    Generation& generation_;
    const Call& call_;
    const RequestPtr request_;
    RowReceiver receiver_;
    const CancellationToken token_;
    std::optional<Error> own_error_; // of a sink of the caller's, or its cancellation
    std::uint64_t credit_to_give_ = 0;
};

wire::Summary Generation::call(Call call) {
    const CallUnderWay counted;
    Leadership leadership(*this);
    const RequestPtr request = send_request(call);
    try {
        if (is_immediate(call.message))
            leadership.look_busily(*request);
        return Wait(*this, call, request).run(leadership);
    } catch (const Failure& failure) {
        throw Failure(with_call_facts(failure.error(), *request));
    }
}

std::pair<wire::Summary, UniqueFd> Generation::call_for_descriptor(Call call) {
    Leadership leadership(*this);
    const RequestPtr request = send_request(call);
    wire::Summary summary = Wait(*this, call, request).run(leadership);
    const std::lock_guard lock(mutex_);
    const auto found = answered_descriptors_.find(request->id());
    if (found == answered_descriptors_.end())
        fail(ErrorCode::protocol_error, "an answer without the descriptor that belongs to it");
    UniqueFd descriptor = std::move(found->second);
    answered_descriptors_.erase(found);
    return {std::move(summary), std::move(descriptor)};
}

Generation::RequestPtr Generation::send_request(Call& call) {
    RequestPtr request;
    std::chrono::microseconds busy_wait{0};
    {
        const std::lock_guard lock(mutex_);
        if (is_dead_) {
            throw Failure(
                Error(ErrorCode::child_exited, fmt::format("worker generation {} has ended: {}",
                                                           number_, exit_facts_.to_string()))
                    .with("generation", number_)
                    .with("work_entered_child", false));
        }
        request = std::make_shared<PendingRequest>(++last_request_id_, credit_window_bytes,
                                                   std::move(call.fingerprint), call.counts,
                                                   call.message.has_fork());
        if (is_immediate(call.message) && requests_.empty())
            busy_wait = busy_wait_.for_next_request(Clock::now() - last_end_, calls_under_way);
        requests_.emplace(request->id(), request);
    }
    call.message.set_request_id(request->id());
    call.message.set_initial_credit_bytes(credit_window_bytes);
    call.message.set_busy_wait_us(static_cast<std::uint32_t>(busy_wait.count()));
    try {
        send(call.message, std::move(call.descriptors), request);
    } catch (...) {
        const std::lock_guard lock(mutex_);
        requests_.erase(request->id());
        throw;
    }
    return request;
}

// Most messages go out here and now, without waking the loop.
void Generation::send(wire::ToWorker& message,
                      std::vector<UniqueFd> descriptors,
                      RequestPtr request) {
    Outgoing outgoing;
    append_frame(message, max_outgoing_bytes_, outgoing.bytes);
    outgoing.descriptors = std::move(descriptors);
    outgoing.request = std::move(request);
    bool must_watch = false;
    {
        const std::lock_guard lock(mutex_);
        if (is_dead_)
            return; // whoever waits is told by the burial
        const bool was_empty = outgoing_.empty();
        outgoing_.push_back(std::move(outgoing));
        must_watch = was_empty && !flush_some();
    }
    if (must_watch)
        loop_.post([self = shared_from_this()] { self->flush(); });
}

// Sends what the socket takes; false when something is left. What fails here fails the read side as
// well, which ends the generation.
bool Generation::flush_some() {
    while (!outgoing_.empty()) {
        Outgoing& first = outgoing_.front();
        std::vector<int> descriptors;
        if (first.sent == 0) {
            for (const UniqueFd& descriptor : first.descriptors)
                descriptors.push_back(descriptor.get());
        }
        const std::ptrdiff_t sent =
            send_some(process_.socket.get(), std::string_view(first.bytes).substr(first.sent),
                      descriptors, MSG_DONTWAIT);
        if (sent < 0)
            return errno != EAGAIN && errno != EINTR;
        if (first.request != nullptr && sent > 0)
            first.request->mark_entered();
        first.sent += static_cast<std::size_t>(sent);
        if (first.sent == first.bytes.size())
            outgoing_.pop_front();
    }
    return true;
}

void Generation::send_credit(PendingRequest& request, std::uint64_t bytes) {
    request.add_credit(bytes);
    wire::ToWorker message;
    message.set_request_id(request.id());
    message.mutable_credit()->set_bytes(bytes);
    send(message, {}, nullptr);
}

void Generation::cancel(PendingRequest& request, CancelCause cause) {
    if (!request.mark_cancelled(cause))
        return;
    wire::ToWorker message;
    message.set_request_id(request.id());
    message.mutable_cancel();
    send(message, {}, nullptr);
}

Error Generation::with_call_facts(Error error, const PendingRequest& request) const {
    if (error.find_fact("generation") != nullptr)
        return error;
    return std::move(error)
        .with("generation", number_)
        .with("work_entered_child", request.has_entered());
}

} // namespace leanhost::worker
