#pragma once

#include "worker/parent/start_gate.hpp"
#include "worker/parent/template_worker.hpp"

namespace leanhost::worker {

/// Counted since the worker was made.
struct WorkerCounters {
    std::uint64_t generations = 0;      ///< that were started
    std::uint64_t forked = 0;           ///< of those, from a template
    std::uint64_t requests = 0;         ///< that were answered
    std::uint64_t imports = 0;          ///< that were really done, by the child or its template
    std::uint64_t planned_restarts = 0; ///< by policy or on request
    std::uint64_t failures = 0; ///< generations that ended by themselves, or had to be ended
    std::chrono::microseconds last_start{0}; ///< birth and import of the last generation
    std::optional<RestartDecision> last_decision = std::nullopt;
};

/// What a worker tells of its life; called on the thread that caused it.
struct WorkerEvent {
    enum class Kind : std::uint8_t { started, restarting, refused, answered } kind;
    std::uint64_t generation = 0;
    std::string text = {};                 ///< with numbers; empty for answered
    std::chrono::microseconds duration{0}; ///< of a start, of a request
};
using OnWorkerEvent = std::function<void(const WorkerEvent&)>;

/// Gives a ready template for the worker's imports, or null to start without one.
using TemplateSource = std::function<std::shared_ptr<TemplateWorker>(const CallOptions*)>;

/// What a worker shares with its owner. All may be left out.
struct WorkerHooks {
    TemplateSource template_source = {};
    OnWorkerEvent on_event = {};
    /// Takes room for a successor beside the child that it replaces, for as long as what it returns
    /// lives; null: there is none. Without it, or where there is room, the successor is ready
    /// before the predecessor is asked to end.
    std::function<std::shared_ptr<void>(const std::shared_ptr<Generation>& predecessor)>
        room_for_successor = {};
    std::shared_ptr<StartGate> gate = {}; ///< null: one of its own
};

/// A worker whose children come and go: one import set, one live generation at a time, replaced
/// as the restart policy says. Requests may come from several threads.
class Worker {
public:
    using Clock = EventLoop::Clock;

    Worker(Supervisor& supervisor,
           WorkerOptions options,
           ImportSet imports,
           WorkerHooks hooks = {});
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    const WorkerOptions& options() const noexcept { return options_; }
    const ImportSet& imports() const noexcept { return imports_; }

    /// Sees to a live generation with the imports open: starts one if there is none, or if the
    /// policy wants another. Cheap when there is nothing to do.
    /// Throws Failure: those of a start; restart_limit.
    OpenSession ensure(const CallOptions* call_options = nullptr);

    /// Runs a request in the live generation. `make_message` is given the session's number: a
    /// request that had not entered its child is sent again to the next one, once.
    /// Throws Failure as Generation::call; quarantined.
    wire::Summary
    call(const std::function<void(std::uint64_t session, wire::ToWorker&)>& make_message,
         const CallOptions* call_options,
         const WireRowSink& rows = {},
         std::optional<std::chrono::milliseconds> timeout = std::nullopt);

    /// Drops what the child has open, and imports again, counted as an import. For measuring what
    /// imports leave behind.
    OpenSession import_again(const CallOptions* call_options = nullptr);

    /// Looks whether the imported files are unchanged. False: they are not, and the next request
    /// finds a fresh generation if the policy says so, else the files as they are now.
    bool revalidate(const CallOptions* call_options = nullptr);

    /// The next request finds a fresh generation.
    void request_restart();
    /// Whether the policy would replace the generation now.
    std::optional<RestartDecision> find_decision() const;
    /// Ends the live generation for a reason, without waiting.
    void end_generation(const RestartDecision& decision);

    /// The live generation; null when there is none.
    std::shared_ptr<Generation> generation() const;
    WorkerCounters counters() const;

private:
    struct Ready {
        std::shared_ptr<Generation> generation; ///< never null
        std::uint64_t session;
        std::shared_ptr<TemplateWorker> source; ///< its parent, which must live as long
    };
    Ready ready(const CallOptions* call_options, bool is_for_itself = false);
    Ready take_locked(bool is_for_itself);
    std::optional<RestartDecision> find_decision_locked(bool next_is_import) const;
    bool has_live_generation() const;
    void replace(const RestartDecision& decision, const CallOptions* call_options);
    void start_unplanned(const CallOptions* call_options);
    void start(const CallOptions* call_options);
    void start_by_fork(const std::shared_ptr<TemplateWorker>& source);
    void start_by_spawn(const CallOptions* call_options);
    void note_death();
    std::shared_ptr<TemplateWorker> find_template(const CallOptions* call_options) const;
    void retire(const std::shared_ptr<Generation>& generation, const RestartDecision& decision);
    wire::Summary call_once(wire::ToWorker message,
                            const std::shared_ptr<Generation>& generation,
                            const CallOptions* call_options,
                            const WireRowSink& rows,
                            std::optional<std::chrono::milliseconds> timeout);
    void end_isolated(const std::shared_ptr<Generation>& generation);
    void note_answer(const std::optional<std::uint64_t>& hash);
    void tell(WorkerEvent event) const;

    Supervisor& supervisor_;
    const WorkerOptions options_;
    const ImportSet imports_;
    const WorkerHooks hooks_; ///< its gate is never null
    std::mutex start_mutex_;  // one start at a time; taken before mutex_
    mutable std::mutex mutex_;
    // Guarded by mutex_.
    std::shared_ptr<Generation> generation_;
    bool is_taken_ = false;                  ///< by a request that has generation_ to itself
    std::shared_ptr<TemplateWorker> source_; ///< keeps the generation's template, its parent, alive
    OpenSession session_;
    std::uint64_t imports_of_generation_ = 0;
    std::uint64_t residue_bytes_ = 0;
    bool is_restart_requested_ = false;
    bool have_files_changed_ = false;
    WorkerCounters counters_;
};

} // namespace leanhost::worker
