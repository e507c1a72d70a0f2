#include "worker/child/worker_loop.hpp"

#include "base/guard.hpp"
#include "worker/protocol/busy_wait.hpp"
#include "worker/protocol/wire_values.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace leanhost::worker {
namespace {

using Clock = std::chrono::steady_clock;

CallOptions call_options(FrameChannel& channel, std::uint64_t request_id, CancellationToken token) {
    CallOptions options;
    options.cancellation = std::move(token);
    options.progress = [&channel, request_id](const Progress& progress) {
        wire::FromWorker message;
        message.set_request_id(request_id);
        wire::Progress& out = *message.mutable_progress();
        out.set_phase(std::string(progress.phase));
        out.set_current(progress.current);
        out.set_total(progress.total);
        channel.write(message);
        return SinkAnswer::proceed;
    };
    return options;
}

wire::FromWorker failure_message(std::uint64_t request_id, const Error& error) {
    wire::FromWorker message;
    message.set_request_id(request_id);
    *message.mutable_failed() = to_wire(error);
    return message;
}

} // namespace

void run_and_answer(FrameChannel& channel,
                    RequestHandler& handler,
                    const wire::ToWorker& request,
                    RowWriter& rows,
                    const CancellationToken& token) noexcept {
    const auto written = guarded("worker", [&] {
        const RequestContext context{rows, call_options(channel, request.request_id(), token)};
        wire::FromWorker message;
        message.set_request_id(request.request_id());
        const Expected<void> done = guarded("request", [&] {
            handler.answer(request, context, *message.mutable_summary());
            rows.flush();
        });
        if (!done) {
            // A row that could not be sent because of the cancellation looks like a failed sink.
            rows.discard();
            const bool was_cancelled =
                token.is_cancelled() && done.error().code() == ErrorCode::sink_failed;
            channel.write(failure_message(request.request_id(),
                                          was_cancelled ? Error(ErrorCode::cancelled, "cancelled")
                                                        : done.error()));
            return;
        }
        rows.fill(*message.mutable_summary());
        channel.write(message);
    });
    // Ignored on purpose: the parent is gone, and the loop that reads from it sees that as well.
    static_cast<void>(written);
}

WorkerLoop::Running::Running(FrameChannel& channel, wire::ToWorker message)
    : request(std::move(message)),
      rows(channel, request.request_id(), request.initial_credit_bytes(), cancellation.token()) {}

WorkerLoop::WorkerLoop(FrameChannel& channel,
                       RequestHandler& handler,
                       unsigned max_running_requests)
    : channel_(channel), handler_(handler),
      max_running_(std::clamp(max_running_requests, 1U, max_threads)) {}

WorkerLoop::~WorkerLoop() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
        for (const auto& [id, running] : known_) {
            running->cancellation.cancel();
            running->rows.wake();
        }
        waiting_.clear();
    }
    work_.notify_all();
    for (std::thread& thread : threads_)
        thread.join();
}

void WorkerLoop::run() {
    while (true) {
        while (const std::optional<std::string_view> frame = channel_.next_frame()) {
            if (take(*frame) == Next::end)
                return;
        }
        wait_for_input();
        if (!channel_.receive_some())
            return;
    }
}

// Once after an answer, if the parent wants it so.
bool WorkerLoop::await_input_busily() {
    const auto limit = std::exchange(busy_wait_, std::chrono::microseconds::zero());
    return limit != limit.zero() && worker::await_input_busily(channel_.descriptor(), limit);
}

// Meanwhile rows that have waited long enough are sent.
void WorkerLoop::wait_for_input() {
    if (await_input_busily())
        return;
    while (true) {
        ::pollfd readable{.fd = channel_.descriptor(), .events = POLLIN, .revents = 0};
        if (::poll(&readable, 1, poll_timeout_ms()) > 0)
            return;
    }
}

int WorkerLoop::poll_timeout_ms() {
    std::vector<RunningPtr> running;
    {
        const std::lock_guard lock(mutex_);
        running.reserve(known_.size());
        for (const auto& [id, one] : known_)
            running.push_back(one);
    }
    if (running.empty())
        return -1;
    const Clock::time_point now = Clock::now();
    // A row may be added at any time while something runs.
    Clock::time_point next = now + RowWriter::flush_after;
    for (const RunningPtr& one : running)
        next = std::min(next, one->rows.flush_if_old(now).value_or(next));
    return 1 + static_cast<int>(
                   std::chrono::duration_cast<std::chrono::milliseconds>(next - now).count());
}

WorkerLoop::Next WorkerLoop::take(std::string_view frame) {
    wire::ToWorker message;
    if (!message.ParseFromArray(frame.data(), static_cast<int>(frame.size())))
        fail(ErrorCode::protocol_error, "a frame that holds no message");
    switch (message.body_case()) {
    case wire::ToWorker::kShutdown:
        return Next::end;
    case wire::ToWorker::kCancel:
        cancel(message.request_id());
        return Next::go_on;
    case wire::ToWorker::kCredit:
        add_credit(message);
        return Next::go_on;
    default:
        accept(std::move(message));
        return Next::go_on;
    }
}

void WorkerLoop::accept(wire::ToWorker request) {
    const std::uint64_t id = request.request_id();
    const bool immediate = is_immediate(request);
    const std::chrono::microseconds busy_wait(request.busy_wait_us());
    auto running = std::make_shared<Running>(channel_, std::move(request));
    if (immediate) {
        run_and_answer(channel_, handler_, running->request, running->rows,
                       running->cancellation.token());
        busy_wait_ = std::min(busy_wait, longest_busy_wait);
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        if (known_.contains(id))
            fail(ErrorCode::protocol_error, fmt::format("request id {} is in use", id));
        if (waiting_.size() < max_waiting_requests && start_thread_if_needed()) {
            known_.emplace(id, running);
            waiting_.push_back(std::move(running));
            work_.notify_one();
            return;
        }
    }
    refuse(id, Error(ErrorCode::resource_exhausted,
                     fmt::format("this worker runs or holds {} requests already",
                                 max_waiting_requests)));
}

bool WorkerLoop::start_thread_if_needed() {
    if (idle_threads_ > waiting_.size() || threads_.size() == max_running_)
        return true;
    try {
        threads_.emplace_back([this] { run_thread(); });
    } catch (const std::system_error&) {
        return !threads_.empty(); // those that run take it
    }
    return true;
}

void WorkerLoop::run_thread() noexcept {
    std::unique_lock lock(mutex_);
    while (true) {
        ++idle_threads_;
        work_.wait(lock, [&] { return is_ending_ || !waiting_.empty(); });
        --idle_threads_;
        if (is_ending_)
            return;
        const RunningPtr running = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        run_request(*running);
        lock.lock();
    }
}

void WorkerLoop::run_request(Running& running) {
    // Forgotten only after the answer went out: until then credit and cancellation find it.
    run_and_answer(channel_, handler_, running.request, running.rows, running.cancellation.token());
    const std::lock_guard lock(mutex_);
    known_.erase(running.request.request_id());
}

void WorkerLoop::add_credit(const wire::ToWorker& message) {
    RunningPtr running;
    {
        const std::lock_guard lock(mutex_);
        const auto found = known_.find(message.request_id());
        if (found == known_.end())
            return; // it has ended meanwhile
        running = found->second;
    }
    running->rows.give_credit(message.credit().bytes());
}

void WorkerLoop::cancel(std::uint64_t request_id) {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(request_id);
    if (found == known_.end())
        return; // it has ended meanwhile
    found->second->cancellation.cancel();
    found->second->rows.wake();
}

void WorkerLoop::refuse(std::uint64_t request_id, const Error& error) {
    channel_.write(failure_message(request_id, error));
}

} // namespace leanhost::worker
