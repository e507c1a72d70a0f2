#pragma once

#include "worker/parent/supervisor.hpp"

#include <map>

namespace leanhost::worker {

/// What an import gave, and where it is open.
struct OpenSession {
    std::uint64_t number = 0;
    ImportFacts facts = {};
    bool was_live = false;
};

/// Sends an open to a child; `counts`: restart policies count it. Throws Failure as
/// Generation::call.
OpenSession open_session(Generation& generation,
                         const ImportSet& imports,
                         const CallOptions* call_options,
                         std::chrono::milliseconds timeout,
                         bool counts);

/// A child that has imported and forks others, ready to work. Thread-safe.
class TemplateWorker {
public:
    /// Starts it and imports. Throws Failure as Supervisor::spawn and open_session; `unsupported`
    /// when its engine cannot be forked.
    TemplateWorker(Supervisor& supervisor,
                   const WorkerOptions& options,
                   const ImportSet& imports,
                   const CallOptions* call_options);
    TemplateWorker(const TemplateWorker&) = delete;
    TemplateWorker& operator=(const TemplateWorker&) = delete;
    /// Ends it, and with it every child of its own that still lives.
    ~TemplateWorker();

    /// Forks a child in which `session()` is open. Throws Failure: resource_exhausted,
    /// child_exited, deadline_exceeded, protocol_error.
    std::shared_ptr<Generation> fork_child();

    const OpenSession& session() const noexcept { return session_; }
    const Generation& generation() const noexcept { return *generation_; }
    /// For who wants to know when it has ended.
    std::shared_ptr<Generation> shared_generation() const noexcept { return generation_; }
    bool is_usable() const noexcept {
        return !generation_->is_retired() && !generation_->has_ended();
    }

private:
    // Exits that are told before their child is known here, and children whose exit is to come.
    // Shared with the handler, which may outlive this.
    struct Children {
        std::mutex mutex;
        std::map<std::uint64_t, std::weak_ptr<Generation>> alive; ///< by our name for the child
        std::map<std::uint64_t, wire::ChildExited> early_exits;
        std::uint64_t last_name = 0;
    };
    static void on_child_exit(Children& children, const wire::ChildExited& exited);
    static void on_template_end(Children& children);

    Supervisor& supervisor_;
    const WorkerOptions options_;
    const std::shared_ptr<Children> children_ = std::make_shared<Children>();
    std::shared_ptr<Generation> generation_;
    OpenSession session_;
};

} // namespace leanhost::worker
