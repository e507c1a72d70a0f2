// The loop's side of a generation: reading, sampling, ending, burying.
#include "worker/parent/generation.hpp"

#include "base/guard.hpp"
#include "worker/protocol/wire_values.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>

namespace leanhost::worker {
namespace {

using std::chrono::milliseconds;

// How often a child is looked at when nothing in its policy asks for more.
constexpr milliseconds usual_tick{100};
// A child that has closed its socket is about to end, as a rule.
constexpr milliseconds last_breath{1000};
// What the template says of a child's end may come after the child's pidfd does.
constexpr milliseconds status_wait{1000};
// One child must not keep the loop from the others.
constexpr int reads_at_once = 16;

// Processes that the kernel's out-of-memory killer has ended on this machine; 0 where it does not
// say.
std::uint64_t machine_oom_kills() {
    std::ifstream file("/proc/vmstat");
    std::string key;
    std::uint64_t value = 0;
    while (file >> key >> value) {
        if (key == "oom_kill")
            return value;
    }
    return 0;
}

// In the order in which they entered the child: that of their ids.
std::vector<RequestFingerprint>
entered_fingerprints(const std::map<std::uint64_t, std::shared_ptr<PendingRequest>>& requests) {
    std::vector<RequestFingerprint> fingerprints;
    for (const auto& [id, request] : requests) {
        if (request->has_entered() && request->fingerprint())
            fingerprints.push_back(*request->fingerprint());
    }
    return fingerprints;
}

milliseconds whole_ms(EventLoop::Clock::duration duration) {
    return std::chrono::duration_cast<milliseconds>(duration);
}

} // namespace

Generation::Generation(EventLoop& loop,
                       std::uint64_t number,
                       SpawnedProcess process,
                       const GenerationLimits& limits,
                       std::chrono::microseconds busy_wait,
                       bool is_template_child)
    : loop_(loop), number_(number), limits_(limits), is_template_child_(is_template_child),
      socket_number_(process.socket.get()), machine_oom_kills_at_birth_(machine_oom_kills()),
      busy_wait_(busy_wait, std::thread::hardware_concurrency()), process_(std::move(process)) {}

Generation::~Generation() = default;

void Generation::begin(OnEnd on_end) {
    on_end_ = std::move(on_end);
    const Expected<void> watched = guarded("worker", [&] { watch_all(); });
    if (!watched) {
        end_unwatched();
        throw Failure(watched.error());
    }
    tick();
}

void Generation::watch_all() {
    const auto self = shared_from_this(); // the handlers keep this alive until it is buried
    socket_watch_ = loop_.watch(process_.socket.get(), EPOLLIN,
                                [self](std::uint32_t events) { self->on_socket(events); });
    pidfd_watch_ =
        loop_.watch(process_.pidfd.get(), EPOLLIN, [self](std::uint32_t) { self->on_pidfd(); });
    output_watch_ = loop_.watch(process_.output.get(), EPOLLIN, [self](std::uint32_t) {
        self->on_output(self->process_.output, self->stdout_tail_, self->output_watch_);
    });
    errors_watch_ = loop_.watch(process_.errors.get(), EPOLLIN, [self](std::uint32_t) {
        self->on_output(self->process_.errors, self->stderr_tail_, self->errors_watch_);
    });
}

// A child that cannot be watched would never be buried.
void Generation::end_unwatched() {
    for (const EventLoop::WatchId watch :
         {socket_watch_, pidfd_watch_, output_watch_, errors_watch_})
        loop_.forget(watch);
    on_end_ = nullptr;
    is_retired_ = true;
    // Ignored on purpose, both: what is no process cannot be killed, and another's child not
    // reaped.
    static_cast<void>(::syscall(SYS_pidfd_send_signal, process_.pidfd.get(), SIGKILL, nullptr, 0));
    ::siginfo_t ignored{};
    static_cast<void>(::waitid(static_cast<idtype_t>(P_PIDFD),
                               static_cast<::id_t>(process_.pidfd.get()), &ignored, WEXITED));
}

void Generation::on_socket(std::uint32_t events) {
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        receive_all(Reader::loop);
    if ((events & EPOLLOUT) != 0)
        flush();
}

// Any thread. What a leader finds wrong is the loop's to act on.
bool Generation::receive_all(Reader reader) {
    const std::lock_guard reading(read_mutex_);
    if (reader == Reader::loop && has_leader_)
        return true; // what is there waits for the leader, which would not see it otherwise
    const Expected<void> done = guarded("worker", [&] {
        for (int i = 0; i < reads_at_once && is_connected_; ++i) {
            const std::span<char> space = frames_.free_space();
            const std::ptrdiff_t received =
                receive(process_.socket.get(), space, descriptors_, MSG_DONTWAIT);
            if (received < 0 && (errno == EAGAIN || errno == EINTR))
                return;
            if (received <= 0)
                return lost_connection(frames_.has_partial_frame()
                                           ? "closed its socket in the middle of a frame"
                                           : "closed its socket");
            frames_.add(static_cast<std::size_t>(received));
            take_frames();
            if (static_cast<std::size_t>(received) < space.size())
                return; // that was all; the loop asks again
        }
    });
    if (!done)
        break_off(done.error().message());
    return is_connected_;
}

// With read_mutex_ held, on any thread: nothing that follows a breach is read.
void Generation::break_off(std::string what) {
    is_connected_ = false;
    is_retired_ = true;
    loop_.post([self = shared_from_this(), what = std::move(what)] {
        if (self->is_buried_)
            return;
        self->loop_.forget(self->socket_watch_);
        self->kill_now(RestartReason::protocol_error, what);
    });
}

void Generation::take_frames() {
    while (const std::optional<std::string_view> frame = frames_.next()) {
        wire::FromWorker message;
        if (!message.ParseFromArray(frame->data(), static_cast<int>(frame->size())))
            fail(ErrorCode::protocol_error, "a frame that holds no message");
        take(std::move(message));
    }
}

void Generation::take(wire::FromWorker message) {
    if (message.has_child_exited()) {
        if (!on_child_exit_)
            fail(ErrorCode::protocol_error, "news of a child from a worker that is no template");
        return on_child_exit_(&message.child_exited());
    }
    const RequestPtr request = find(message.request_id());
    if (request == nullptr) {
        fail(ErrorCode::protocol_error,
             fmt::format("a message for request {}, which is not open", message.request_id()));
    }
    switch (message.body_case()) {
    case wire::FromWorker::kProgress:
    case wire::FromWorker::kRows:
        if (!request->add(std::move(message)))
            fail(ErrorCode::protocol_error, "rows without credit for them");
        return;
    case wire::FromWorker::kSummary:
    case wire::FromWorker::kFailed:
        return end_request(request, std::move(message));
    default:
        fail(ErrorCode::protocol_error, "a message of a kind that is unknown here");
    }
}

Generation::RequestPtr Generation::find(std::uint64_t id) const {
    const std::lock_guard lock(mutex_);
    const auto found = requests_.find(id);
    return found == requests_.end() ? nullptr : found->second;
}

void Generation::end_request(const RequestPtr& request, wire::FromWorker message) {
    {
        const std::lock_guard lock(mutex_);
        const bool is_fork = message.has_summary() && message.summary().has_fork();
        // Before it is taken from the list: the burial answers what stands there.
        if (is_fork && !request->expects_descriptor())
            fail(ErrorCode::protocol_error, "a fork that was not asked for");
        if (is_fork && descriptors_.empty())
            fail(ErrorCode::protocol_error, "a fork without the child's pidfd");
        requests_.erase(request->id());
        if (request->counts())
            ++requests_served_;
        last_end_ = Clock::now();
        if (is_fork) {
            answered_descriptors_.emplace(request->id(), std::move(descriptors_.front()));
            descriptors_.pop_front();
        }
    }
    if (message.has_summary())
        request->finish(std::move(*message.mutable_summary()));
    else
        request->fail(error_from(message.failed()));
}

// The loop's part of sending: what the socket did not take at once.
void Generation::flush() {
    {
        const std::lock_guard lock(mutex_);
        if (is_dead_)
            return;
        flush_some();
    }
    set_watched();
}

// Output where something is left to send, and input where no caller looks at it. Any thread.
void Generation::set_watched() {
    const std::lock_guard lock(mutex_);
    if (is_dead_)
        return;
    const std::uint32_t output = outgoing_.empty() ? 0U : std::uint32_t{EPOLLOUT};
    const std::uint32_t input = has_leader_ ? 0U : std::uint32_t{EPOLLIN};
    loop_.change(socket_watch_, socket_number_, input | output);
}

void Generation::on_output(const UniqueFd& pipe, OutputTail& tail, EventLoop::WatchId& watch) {
    if (drain_output(pipe, tail))
        return;
    loop_.forget(watch);
    watch = 0;
}

// False at the end of the output.
bool Generation::drain_output(const UniqueFd& pipe, OutputTail& tail) {
    char buffer[16384];
    for (int i = 0; i < reads_at_once; ++i) {
        const ::ssize_t received = ::read(pipe.get(), buffer, sizeof buffer);
        if (received == 0 || (received < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (received < 0)
            return true;
        const std::lock_guard lock(mutex_);
        tail.add(std::string_view(buffer, static_cast<std::size_t>(received)));
    }
    return true;
}

// Runs as long as the child lives: samples its memory, looks at what runs.
void Generation::tick() {
    const Clock::time_point sampled_at = Clock::now(); // it holds what was so before
    const std::optional<std::uint64_t> anonymous = sample_anonymous_fast(process_.pid);
    missed_samples_ = anonymous ? 0 : missed_samples_ + 1;
    {
        const std::lock_guard lock(mutex_);
        anonymous_bytes_ = anonymous;
        sampled_at_ = sampled_at;
        peak_anonymous_bytes_ = std::max(peak_anonymous_bytes_, anonymous.value_or(0));
    }
    check_in_flight(anonymous);
    const milliseconds interval =
        limits_.policy.hard_anonymous_bytes ? limits_.policy.sample_interval : usual_tick;
    tick_ = loop_.call_at(Clock::now() + interval, [self = shared_from_this()] { self->tick(); });
}

void Generation::check_in_flight(const std::optional<std::uint64_t>& anonymous) {
    std::vector<RequestPtr> running;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, request] : requests_)
            running.push_back(request);
    }
    const Clock::time_point now = Clock::now();
    for (const RequestPtr& request : running) {
        InFlightFacts facts{.anonymous_bytes = anonymous, .missed_samples = missed_samples_};
        facts.running_for = whole_ms(now - request->sent_at());
        if (const auto cancelled_at = request->cancelled_at())
            facts.cancelled_for = whole_ms(now - *cancelled_at);
        std::optional<RestartDecision> decision = decide_in_flight(limits_, facts);
        if (!decision)
            continue;
        if (decision->reason == RestartReason::cancelled &&
            request->cancel_cause() == CancelCause::deadline)
            decision->reason = RestartReason::deadline;
        return kill_now(decision->reason, to_string(*decision));
    }
}

void Generation::retire(RestartReason reason, std::string detail, milliseconds grace) {
    is_retired_ = true;
    {
        const std::lock_guard lock(mutex_);
        if (is_dead_ || ended_by_us_)
            return;
        ended_by_us_ = reason;
        detail_ = std::move(detail);
    }
    wire::ToWorker message;
    message.mutable_shutdown();
    const Expected<void> sent = guarded("retire", [&] { send(message, {}, nullptr); });
    loop_.post([self = shared_from_this(), grace, was_sent = sent.has_value()] {
        if (self->is_buried_)
            return;
        self->kill_timer_ =
            self->loop_.call_at(Clock::now() + (was_sent ? grace : milliseconds(0)), [self] {
                self->kill_timer_.reset();
                self->kill_now(RestartReason::requested, "did not end when it was asked to");
            });
    });
}

void Generation::kill(RestartReason reason, std::string detail) {
    is_retired_ = is_killed_ = true;
    loop_.post([self = shared_from_this(), reason, detail = std::move(detail)] {
        self->kill_now(reason, detail);
    });
}

// The first reason stays.
void Generation::kill_now(RestartReason reason, std::string detail) {
    is_retired_ = is_killed_ = true;
    if (is_buried_)
        return;
    {
        const std::lock_guard lock(mutex_);
        if (!ended_by_us_) {
            ended_by_us_ = reason;
            detail_ = std::move(detail);
        }
    }
    // Ignored on purpose: it may have ended by itself; the pidfd says so.
    static_cast<void>(::syscall(SYS_pidfd_send_signal, process_.pidfd.get(), SIGKILL, nullptr, 0));
}

// With read_mutex_ held, on any thread.
void Generation::lost_connection(std::string what) {
    is_connected_ = false;
    is_retired_ = true;
    loop_.post([self = shared_from_this(), what = std::move(what)] { self->await_end(what); });
}

void Generation::await_end(const std::string& what) {
    if (is_buried_)
        return;
    loop_.forget(socket_watch_);
    if (kill_timer_)
        return;
    kill_timer_ = loop_.call_at(Clock::now() + last_breath, [self = shared_from_this(), what] {
        self->kill_timer_.reset();
        self->kill_now(RestartReason::protocol_error, what);
    });
}

void Generation::on_pidfd() {
    loop_.forget(pidfd_watch_);
    is_retired_ = true; // nobody is to send it anything while it waits to be buried
    if (kill_timer_) {  // it is dead: what it died of is not what it would have been killed for
        loop_.cancel_call(*kill_timer_);
        kill_timer_.reset();
    }
    reap_if_ours();
    if (!is_template_child_)
        return bury();
    bury_when_status_is_known(Clock::now() + status_wait);
}

// A template's child becomes ours when the template dies and this program is the first process of
// its pid namespace, or a subreaper. With SIGCHLD ignored in this program the kernel has reaped it,
// and its status is lost.
void Generation::reap_if_ours() {
    ::siginfo_t info{};
    const bool is_reaped =
        ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<::id_t>(process_.pidfd.get()), &info,
                 WEXITED | WNOHANG) == 0 &&
        info.si_pid != 0;
    if (!is_reaped)
        return;
    const bool has_exited = info.si_code == CLD_EXITED;
    set_exit_status(has_exited ? std::optional(info.si_status) : std::nullopt,
                    has_exited ? std::nullopt : std::optional(info.si_status));
}

void Generation::bury_when_status_is_known(Clock::time_point until) {
    reap_if_ours();
    {
        const std::lock_guard lock(mutex_);
        if (!is_status_known_ && Clock::now() < until) {
            loop_.call_at(Clock::now() + milliseconds(5), [self = shared_from_this(), until] {
                self->bury_when_status_is_known(until);
            });
            return;
        }
    }
    bury();
}

void Generation::set_exit_status(std::optional<int> status, std::optional<int> signal) {
    const std::lock_guard lock(mutex_);
    exit_status_ = status;
    exit_signal_ = signal;
    is_status_known_ = true;
}

// What the child said last still counts: an answer that it sent before it ended is delivered.
void Generation::bury() {
    if (is_buried_)
        return;
    receive_all(Reader::burial);
    drain_output(process_.output, stdout_tail_);
    drain_output(process_.errors, stderr_tail_);
    is_buried_ = true;
    for (const EventLoop::WatchId watch : {socket_watch_, output_watch_, errors_watch_})
        loop_.forget(watch);
    for (const auto& timer : {tick_, kill_timer_}) {
        if (timer)
            loop_.cancel_call(*timer);
    }
    const ExitFacts facts = collect_facts();
    std::map<std::uint64_t, RequestPtr> requests;
    {
        const std::lock_guard reading(read_mutex_);
        const std::lock_guard lock(mutex_);
        is_connected_ = false;
        requests.swap(requests_);
        outgoing_.clear();
        answered_descriptors_.clear();
        descriptors_.clear();
        exit_facts_ = facts;
        is_dead_ = true;
        process_.socket.reset();
        process_.output.reset();
        process_.errors.reset();
        process_.pidfd.reset();
    }
    for (const auto& [id, request] : requests)
        request->fail(death_error(facts, *request));
    const OnEnd on_end = std::move(on_end_);
    if (const OnChildExit on_child_exit = std::move(on_child_exit_))
        on_child_exit(nullptr);
    if (on_end)
        on_end(facts, entered_fingerprints(requests));
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    ended_.notify_all();
}

ExitFacts Generation::collect_facts() {
    const std::lock_guard lock(mutex_);
    ExitFacts facts;
    facts.generation = number_;
    facts.exit_status = exit_status_;
    facts.signal = exit_signal_;
    facts.ended_by_us = ended_by_us_;
    facts.detail = detail_;
    facts.stderr_tail = stderr_tail_.text();
    facts.requests_served = requests_served_;
    facts.requests_in_flight = requests_.size();
    facts.lived = whole_ms(Clock::now() - born_at_);
    facts.was_out_of_memory = !ended_by_us_ && exit_signal_ == SIGKILL &&
                              machine_oom_kills() > machine_oom_kills_at_birth_;
    return facts;
}

Error Generation::death_error(const ExitFacts& facts, const PendingRequest& request) const {
    ErrorCode code = ErrorCode::child_exited;
    switch (facts.ended_by_us.value_or(RestartReason::child_exited)) {
    case RestartReason::hard_limit:
        code = ErrorCode::memory_limit;
        break;
    case RestartReason::protocol_error:
        code = ErrorCode::protocol_error;
        break;
    default: // another request's deadline or cancellation too: whoever it was has been told so
        break;
    }
    std::vector<ErrorFact> details{{"generation", number_},
                                   {"work_entered_child", request.has_entered()},
                                   {"out_of_memory", facts.was_out_of_memory}};
    if (facts.exit_status)
        details.push_back({"exit_status", static_cast<std::uint64_t>(*facts.exit_status)});
    if (facts.signal)
        details.push_back({"signal", static_cast<std::uint64_t>(*facts.signal)});
    if (facts.ended_by_us)
        details.push_back({"reason", std::string(restart_reason_name(*facts.ended_by_us))});
    if (!facts.stderr_tail.empty())
        details.push_back({"stderr", facts.stderr_tail});
    return {code, fmt::format("worker generation {}: {}", number_, facts.to_string()),
            std::move(details)};
}

bool Generation::wait_for_end(Clock::time_point until) const {
    std::unique_lock lock(mutex_);
    return ended_.wait_until(lock, until, [&] { return has_ended_.load(); });
}

ExitFacts Generation::exit_facts() const {
    const std::lock_guard lock(mutex_);
    return exit_facts_;
}

GenerationSnapshot Generation::snapshot() const {
    const std::lock_guard lock(mutex_);
    const Clock::time_point now = Clock::now();
    return {.requests = requests_served_,
            .in_flight = requests_.size(),
            .anonymous_bytes = anonymous_bytes_,
            .sampled_at = sampled_at_,
            .peak_anonymous_bytes = peak_anonymous_bytes_,
            .idle_for = requests_.empty() ? whole_ms(now - last_end_) : milliseconds(0),
            .age = whole_ms(now - born_at_)};
}

std::string Generation::stdout_tail() const {
    const std::lock_guard lock(mutex_);
    return stdout_tail_.text();
}

} // namespace leanhost::worker
