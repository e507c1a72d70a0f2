#pragma once

#include "worker/child/request_handler.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <thread>
#include <unordered_map>
#include <vector>

namespace leanhost::worker {

/// The life of a worker: reads requests from its parent, runs several at once, and ends when the
/// parent says so or goes away.
///
/// The calling thread reads and answers what takes no time (ping, stats); the rest runs on up to
/// `max_running_requests` threads, which are started when first needed. More requests than that
/// wait, at most `max_waiting_requests`.
class WorkerLoop {
public:
    static constexpr std::size_t max_waiting_requests = 256;
    static constexpr unsigned max_threads = 64;

    WorkerLoop(FrameChannel& channel, RequestHandler& handler, unsigned max_running_requests);
    WorkerLoop(const WorkerLoop&) = delete;
    WorkerLoop& operator=(const WorkerLoop&) = delete;
    ~WorkerLoop();

    /// Returns when the parent asked for the end, or closed its side. Throws Failure
    /// `protocol_error`, `io`.
    void run();

private:
    struct Running {
        Running(FrameChannel& channel, wire::ToWorker message);
        const wire::ToWorker request;
        CancellationSource cancellation;
        RowWriter rows;
    };
    using RunningPtr = std::shared_ptr<Running>;

    enum class Next : bool { go_on, end };
    void wait_for_input();
    bool await_input_busily();
    int poll_timeout_ms();
    Next take(std::string_view frame);
    void accept(wire::ToWorker request);
    void add_credit(const wire::ToWorker& message);
    void cancel(std::uint64_t request_id);
    bool start_thread_if_needed(); // with the mutex held
    void run_thread() noexcept;
    void run_request(Running& running);
    void refuse(std::uint64_t request_id, const Error& error);

    FrameChannel& channel_;
    RequestHandler& handler_;
    const unsigned max_running_;
    std::chrono::microseconds busy_wait_{0}; ///< before the next sleep; the reading thread's
    std::mutex mutex_;
    std::condition_variable work_;
    // Guarded by mutex_.
    std::unordered_map<std::uint64_t, RunningPtr> known_; // waiting and running
    std::deque<RunningPtr> waiting_;
    unsigned idle_threads_ = 0;
    bool is_ending_ = false;
    std::vector<std::thread> threads_;
};

/// Runs one request to its end and writes its summary or its failure. Never throws: a channel that
/// is gone ends the loop that reads it.
void run_and_answer(FrameChannel& channel,
                    RequestHandler& handler,
                    const wire::ToWorker& request,
                    RowWriter& rows,
                    const CancellationToken& token) noexcept;

} // namespace leanhost::worker
