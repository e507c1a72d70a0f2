#pragma once

#include "worker/parent/busy_wait_policy.hpp"
#include "worker/parent/output_tail.hpp"
#include "worker/parent/pending_request.hpp"
#include "worker/parent/quarantine.hpp"
#include "worker/parent/restart_decision.hpp"
#include "worker/parent/spawn.hpp"
#include "worker/protocol/frame.hpp"

#include <leanhost/memory_sample.hpp>
#include <leanhost/session.hpp>

#include <atomic>
#include <span>
#include <unordered_map>

namespace leanhost::worker {

/// Takes one row of a request, on the thread that called. Its bytes are valid during the call.
/// `stop` ends the request with `cancelled`; what it throws must be a Failure, and ends it as well.
using WireRowSink = std::function<SinkAnswer(std::string_view row)>;

/// One request to a child.
struct Call {
    wire::ToWorker message = {}; ///< without its id, which the generation gives
    const CallOptions* options = nullptr;
    std::optional<std::chrono::milliseconds> timeout = std::nullopt;
    WireRowSink rows = {};
    std::vector<UniqueFd> descriptors = {}; ///< sent with it
    /// For the quarantine; nullopt: a request that no caller made, which is held against nobody.
    std::optional<RequestFingerprint> fingerprint = std::nullopt;
    /// Whether restart policies count it. What belongs to a start is not.
    bool counts = true;
};

/// Facts of a live generation at one moment.
struct GenerationSnapshot {
    std::uint64_t requests = 0; ///< that have ended
    std::uint64_t in_flight = 0;
    std::optional<std::uint64_t> anonymous_bytes = std::nullopt; ///< of the last sample
    EventLoop::Clock::time_point sampled_at{};                   ///< tried then
    std::uint64_t peak_anonymous_bytes = 0;                      ///< of the samples
    std::chrono::milliseconds idle_for{0};
    std::chrono::milliseconds age{0};
};

/// One life of a worker child, from the moment that it exists until it is buried.
///
/// Its requests may come from many threads at once; each waits for its own answer. The loop's
/// thread reads what the child says, drains its output, samples its memory, and ends it when a
/// limit in flight is passed. It stays in memory until the child is reaped, whoever lets it go.
class Generation : public std::enable_shared_from_this<Generation> {
public:
    using Clock = EventLoop::Clock;
    using OnEnd =
        std::function<void(const ExitFacts&, std::span<const RequestFingerprint> in_flight)>;
    /// Null: the template itself has ended, and will tell no more.
    using OnChildExit = std::function<void(const wire::ChildExited*)>;

    Generation(EventLoop& loop,
               std::uint64_t number,
               SpawnedProcess process,
               const GenerationLimits& limits,
               std::chrono::microseconds busy_wait,
               bool is_template_child);
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;
    ~Generation();

    /// Begins to watch the child. `on_end` is called once, on the loop's thread, when the child is
    /// buried and its requests were answered; it is told which had entered it, in order. Loop
    /// thread only.
    void begin(OnEnd on_end);

    std::uint64_t number() const noexcept { return number_; }
    ::pid_t pid() const noexcept { return process_.pid; }
    Confinement confinement() const noexcept { return process_.confinement; }
    const GenerationLimits& limits() const noexcept { return limits_; }

    /// Sends a request and waits for its end; rows and progress are handed over meanwhile.
    /// Throws Failure: what the child answered; child_exited, memory_limit, protocol_error,
    /// deadline_exceeded, cancelled, sink_failed. Facts: generation, work_entered_child, and of a
    /// child that ended how.
    wire::Summary call(Call call);

    /// As `call`, and takes the descriptor that came with the answer.
    std::pair<wire::Summary, UniqueFd> call_for_descriptor(Call call);

    /// What the other side takes, once it has said so.
    void set_max_frame_bytes(std::uint32_t bytes) noexcept { max_outgoing_bytes_ = bytes; }
    std::uint32_t max_frame_bytes() const noexcept { return max_outgoing_bytes_; }

    /// Asks the child to end; it is killed when it has not within `grace`. Returns at once.
    void retire(RestartReason reason, std::string detail, std::chrono::milliseconds grace);
    /// Kills the child. Returns at once.
    void kill(RestartReason reason, std::string detail);
    bool has_ended() const noexcept { return has_ended_; }
    bool is_retired() const noexcept { return is_retired_; }
    /// Killed by us, or about to be.
    bool is_killed() const noexcept { return is_killed_; }
    /// Waits until it is buried; false at `until`.
    bool wait_for_end(Clock::time_point until) const;
    ExitFacts exit_facts() const;

    GenerationSnapshot snapshot() const;
    /// Reads the child's memory now.
    MemorySample sample() const noexcept { return sample_process(process_.pid); }
    std::string stdout_tail() const;

    /// Of a template: what it says of its children. On the loop's thread.
    void set_on_child_exit(OnChildExit handler) { on_child_exit_ = std::move(handler); }
    /// Of a template's child: how it ended, as the template has told. Any thread.
    void set_exit_status(std::optional<int> status, std::optional<int> signal);

private:
    struct Outgoing {
        std::string bytes;
        std::size_t sent = 0;
        std::vector<UniqueFd> descriptors;
        std::shared_ptr<PendingRequest> request; ///< null: credit or cancellation
    };
    using RequestPtr = std::shared_ptr<PendingRequest>;

    // The caller's side: request_call.cpp.
    RequestPtr send_request(Call& call);
    void send(wire::ToWorker& message, std::vector<UniqueFd> descriptors, RequestPtr request);
    void send_credit(PendingRequest& request, std::uint64_t bytes);
    void cancel(PendingRequest& request, CancelCause cause);
    class Leadership;
    class Wait;
    bool become_leader();
    void stop_leading();
    void look_busily(const PendingRequest& request);
    void lead(const PendingRequest& request, Clock::time_point until);
    Error with_call_facts(Error error, const PendingRequest& request) const;

    // The loop's side: generation.cpp.
    void watch_all();
    void end_unwatched();
    void on_socket(std::uint32_t events);
    void set_watched();
    void on_pidfd();
    void on_output(const UniqueFd& pipe, OutputTail& tail, EventLoop::WatchId& watch);
    bool drain_output(const UniqueFd& pipe, OutputTail& tail);
    enum class Reader : std::uint8_t { loop, leader, burial };
    bool receive_all(Reader reader); ///< false when nothing can be read any more
    void take_frames();
    void take(wire::FromWorker message);
    void end_request(const RequestPtr& request, wire::FromWorker message);
    RequestPtr find(std::uint64_t id) const;
    void flush();
    bool flush_some(); // with the mutex held
    void tick();
    void check_in_flight(const std::optional<std::uint64_t>& anonymous);
    void break_off(std::string what);
    void lost_connection(std::string what);
    void await_end(const std::string& what);
    void kill_now(RestartReason reason, std::string detail);
    void reap_if_ours();
    void bury_when_status_is_known(Clock::time_point until);
    void bury();
    ExitFacts collect_facts();
    Error death_error(const ExitFacts& facts, const PendingRequest& request) const;

    EventLoop& loop_;
    const std::uint64_t number_;
    const GenerationLimits limits_;
    const bool is_template_child_;
    const int socket_number_;
    const Clock::time_point born_at_ = Clock::now();
    const std::uint64_t machine_oom_kills_at_birth_;
    std::atomic<std::uint32_t> max_outgoing_bytes_{smallest_max_frame_bytes};
    std::atomic<bool> has_ended_{false};
    std::atomic<bool> is_retired_{false};
    std::atomic<bool> is_killed_{false};

    // A caller that waits for an answer reads the socket itself, if none does yet: an answer then
    // costs one thread's waking less. Meanwhile the loop does not watch the socket.
    std::mutex read_mutex_; // taken before mutex_
    // Guarded by read_mutex_.
    std::atomic<bool> has_leader_{false}; // may be read without it
    FrameBuffer frames_{default_max_frame_bytes};
    std::deque<UniqueFd> descriptors_;
    bool is_connected_ = true;
    BusyWaitPolicy busy_wait_; // the leader's; of const methods, any thread's

    // The loop thread's own; the socket is written to with mutex_ held, and read with read_mutex_.
    SpawnedProcess process_;
    EventLoop::WatchId socket_watch_ = 0, pidfd_watch_ = 0, output_watch_ = 0, errors_watch_ = 0;
    std::optional<EventLoop::TimerId> tick_;
    std::optional<EventLoop::TimerId> kill_timer_;
    std::uint32_t missed_samples_ = 0;
    bool is_buried_ = false;
    OnEnd on_end_;
    OnChildExit on_child_exit_;

    mutable std::mutex mutex_;
    mutable std::condition_variable ended_;
    // Guarded by mutex_.
    std::map<std::uint64_t, RequestPtr> requests_;
    std::unordered_map<std::uint64_t, UniqueFd> answered_descriptors_;
    std::deque<Outgoing> outgoing_;
    std::uint64_t last_request_id_ = 0;
    std::uint64_t requests_served_ = 0;
    Clock::time_point last_end_ = Clock::now();
    std::optional<std::uint64_t> anonymous_bytes_;
    Clock::time_point sampled_at_{};
    std::uint64_t peak_anonymous_bytes_ = 0;
    std::optional<RestartReason> ended_by_us_;
    std::string detail_;
    std::optional<int> exit_status_, exit_signal_;
    bool is_status_known_ = false;
    bool is_dead_ = false; ///< no request is taken any more
    ExitFacts exit_facts_;
    OutputTail stdout_tail_{4096}, stderr_tail_{4096};
};

} // namespace leanhost::worker
