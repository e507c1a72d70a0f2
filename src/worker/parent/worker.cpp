#include "worker/parent/worker.hpp"

#include "base/failure.hpp"
#include "base/lean_hash.hpp"
#include "worker/protocol/wire_values.hpp"

#include <fmt/format.h>

namespace leanhost::worker {
namespace {

using std::chrono::milliseconds;

std::string_view kind_name(wire::ToWorker::BodyCase kind) {
    switch (kind) {
    case wire::ToWorker::kOpen:
        return "open";
    case wire::ToWorker::kQuery:
        return "query";
    case wire::ToWorker::kList:
        return "list";
    case wire::ToWorker::kSearch:
        return "search";
    case wire::ToWorker::kReferences:
        return "references";
    case wire::ToWorker::kAxioms:
        return "axioms";
    case wire::ToWorker::kFind:
        return "find";
    case wire::ToWorker::kCapability:
        return "capability";
    default:
        return "request";
    }
}

// Over all that the child is told. Requests that do no work are held against nobody.
std::optional<RequestFingerprint> fingerprint_of(const wire::ToWorker& message,
                                                 const ImportSet& imports) {
    if (message.body_case() == wire::ToWorker::kPing ||
        message.body_case() == wire::ToWorker::kStats)
        return std::nullopt;
    std::uint64_t hash = string_hash(message.SerializeAsString());
    for (const Name& module : imports.modules)
        hash = mix_hash(hash, module.hash());
    return RequestFingerprint{.hash = hash, .label = std::string(kind_name(message.body_case()))};
}

// An error that stands for the end of a child, or for one that is of no use.
bool is_childs_failure(ErrorCode code) noexcept {
    return code == ErrorCode::child_exited || code == ErrorCode::memory_limit ||
           code == ErrorCode::protocol_error || code == ErrorCode::deadline_exceeded;
}

// An error that the child lived to tell.
bool is_childs_own_answer(ErrorCode code) noexcept {
    return !is_childs_failure(code) && code != ErrorCode::cancelled &&
           code != ErrorCode::sink_failed;
}

bool entered_child(const Error& error) {
    const auto* entered = error.find_fact("work_entered_child");
    const auto* truth = entered == nullptr ? nullptr : std::get_if<bool>(entered);
    return truth == nullptr || *truth;
}

} // namespace

namespace {

WorkerHooks with_gate(WorkerHooks hooks, const WorkerOptions& options) {
    if (hooks.gate == nullptr)
        hooks.gate = std::make_shared<StartGate>(options);
    return hooks;
}

} // namespace

Worker::Worker(Supervisor& supervisor, WorkerOptions options, ImportSet imports, WorkerHooks hooks)
    : supervisor_(supervisor), options_(std::move(options)), imports_(std::move(imports)),
      hooks_(with_gate(std::move(hooks), options_)) {}

Worker::~Worker() {
    const std::lock_guard lock(mutex_);
    if (generation_ != nullptr)
        generation_->retire(RestartReason::requested, "not needed any more",
                            options_.shutdown_grace);
}

OpenSession Worker::ensure(const CallOptions* call_options) {
    ready(call_options);
    const std::lock_guard lock(mutex_);
    return session_;
}

Worker::Ready Worker::ready(const CallOptions* call_options, bool is_for_itself) {
    {
        const std::lock_guard lock(mutex_);
        if (has_live_generation() && !find_decision_locked(false))
            return take_locked(is_for_itself);
    }
    const std::lock_guard starting(start_mutex_);
    while (true) {
        std::optional<RestartDecision> decision;
        bool is_alive = false;
        {
            const std::lock_guard lock(mutex_);
            is_alive = has_live_generation();
            if (is_alive)
                decision = find_decision_locked(false);
            else
                note_death();
        }
        if (decision)
            replace(*decision, call_options);
        else if (!is_alive)
            start_unplanned(call_options);
        const std::lock_guard lock(mutex_);
        if (generation_ == nullptr)
            throw Failure(Error(ErrorCode::child_exited, "the worker was ended meanwhile")
                              .with("work_entered_child", false));
        if (!is_taken_) // else another request was faster
            return take_locked(is_for_itself);
    }
}

Worker::Ready Worker::take_locked(bool is_for_itself) {
    is_taken_ = is_for_itself;
    return {generation_, session_.number, source_};
}

bool Worker::has_live_generation() const {
    return generation_ != nullptr && !is_taken_ && !generation_->is_retired() &&
           !generation_->has_ended();
}

std::optional<RestartDecision> Worker::find_decision() const {
    const std::lock_guard lock(mutex_);
    if (!has_live_generation())
        return std::nullopt;
    return find_decision_locked(false);
}

std::optional<RestartDecision> Worker::find_decision_locked(bool next_is_import) const {
    const GenerationSnapshot now = generation_->snapshot();
    if (now.in_flight > 0)
        return std::nullopt; // what runs is finished, not interrupted
    GenerationFacts facts{.requests = now.requests,
                          .imports = imports_of_generation_,
                          .residue_bytes = residue_bytes_,
                          .anonymous_bytes = now.anonymous_bytes,
                          .idle_for = now.idle_for,
                          .age = now.age,
                          .files_changed = have_files_changed_,
                          .restart_requested = is_restart_requested_,
                          .next_is_import = next_is_import};
    const RestartPolicy& policy = generation_->limits().policy;
    if (policy.max_rss_bytes || policy.max_pss_bytes) {
        const MemorySample sample = generation_->sample();
        facts.rss_bytes = sample.rss_bytes;
        facts.pss_bytes = sample.pss_bytes;
    }
    return decide_at_rest(generation_->limits(), facts);
}

// The successor first, so that nobody waits for an end, where there is room for both.
void Worker::replace(const RestartDecision& decision, const CallOptions* call_options) {
    std::shared_ptr<Generation> before;
    {
        const std::lock_guard lock(mutex_);
        before = generation_;
        if (before == nullptr)
            return; // ended meanwhile: the next request starts another
        ++counters_.planned_restarts;
        counters_.last_decision = decision;
    }
    tell({.kind = WorkerEvent::Kind::restarting,
          .generation = before->number(),
          .text = to_string(decision)});
    const std::shared_ptr<void> room =
        hooks_.room_for_successor ? hooks_.room_for_successor(before) : before;
    if (room == nullptr) {
        retire(before, decision);
        // It is killed after the grace, so the wait is short.
        before->wait_for_end(Clock::now() + options_.shutdown_grace + std::chrono::seconds(1));
        return start(call_options);
    }
    start(call_options);
    retire(before, decision);
}

void Worker::retire(const std::shared_ptr<Generation>& generation,
                    const RestartDecision& decision) {
    generation->retire(decision.reason, to_string(decision), options_.shutdown_grace);
}

// With mutex_ held. Each death that was none of ours counts once; the first start follows none.
void Worker::note_death() {
    const std::shared_ptr<Generation> before = std::exchange(generation_, nullptr);
    if (before == nullptr || std::exchange(is_taken_, false))
        return; // who has it to itself sees to its end
    ++counters_.failures;
    hooks_.gate->record_failure(before->exit_facts().to_string());
}

void Worker::start_unplanned(const CallOptions* call_options) {
    try {
        hooks_.gate->pass(Clock::now() + options_.start_timeout, call_options);
    } catch (const Failure& failure) {
        tell({.kind = WorkerEvent::Kind::refused, .text = failure.error().message()});
        throw;
    }
    start(call_options);
}

std::shared_ptr<TemplateWorker> Worker::find_template(const CallOptions* call_options) const {
    if (!options_.use_template || !hooks_.template_source)
        return nullptr;
    return hooks_.template_source(call_options);
}

void Worker::start(const CallOptions* call_options) {
    const Clock::time_point begun = Clock::now();
    try {
        if (const auto source = find_template(call_options))
            start_by_fork(source);
        else
            start_by_spawn(call_options);
    } catch (const Failure& failure) {
        if (is_childs_failure(failure.error().code()))
            hooks_.gate->record_failure(failure.error().message());
        throw;
    }
    WorkerEvent event{.kind = WorkerEvent::Kind::started};
    {
        const std::lock_guard lock(mutex_);
        event.duration =
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun);
        event.generation = generation_->number();
        event.text = source_ != nullptr ? "forked from a template" : "started and imported";
        counters_.last_start = event.duration;
        ++counters_.generations;
        is_restart_requested_ = false;
        have_files_changed_ = false;
    }
    tell(std::move(event));
}

void Worker::start_by_fork(const std::shared_ptr<TemplateWorker>& source) {
    std::shared_ptr<Generation> child = source->fork_child();
    const std::lock_guard lock(mutex_);
    generation_ = std::move(child);
    is_taken_ = false;
    source_ = source;
    session_ = source->session();
    session_.was_live = true;
    imports_of_generation_ = 1;
    residue_bytes_ = session_.facts.relocated_bytes;
    ++counters_.forked;
}

void Worker::start_by_spawn(const CallOptions* call_options) {
    std::shared_ptr<Generation> child = supervisor_.spawn(options_, false).generation;
    OpenSession session;
    try {
        session = open_session(*child, imports_, call_options, options_.start_timeout, false);
    } catch (...) {
        child->kill(RestartReason::requested, "its first import failed");
        throw;
    }
    const std::lock_guard lock(mutex_);
    generation_ = std::move(child);
    is_taken_ = false;
    source_ = nullptr;
    session_ = std::move(session);
    imports_of_generation_ = 1;
    residue_bytes_ = session_.facts.relocated_bytes;
    ++counters_.imports;
}

wire::Summary
Worker::call(const std::function<void(std::uint64_t session, wire::ToWorker&)>& make_message,
             const CallOptions* call_options,
             const WireRowSink& rows,
             std::optional<milliseconds> timeout) {
    const bool is_isolated = options_.isolation == Isolation::per_request;
    for (int attempt = 0;; ++attempt) {
        const Ready ready = this->ready(call_options, is_isolated);
        wire::ToWorker message;
        make_message(ready.session, message);
        try {
            wire::Summary summary =
                call_once(std::move(message), ready.generation, call_options, rows, timeout);
            if (is_isolated)
                end_isolated(ready.generation);
            return summary;
        } catch (const Failure& failure) {
            const bool may_go_again = attempt == 0 &&
                                      failure.error().code() == ErrorCode::child_exited &&
                                      !entered_child(failure.error());
            if (is_isolated)
                end_isolated(ready.generation);
            if (!may_go_again)
                throw;
        }
    }
}

// A child serves one request; another that runs at the same time has a child of its own.
void Worker::end_isolated(const std::shared_ptr<Generation>& generation) {
    const RestartDecision decision{.reason = RestartReason::max_requests, .limit = 1, .current = 1};
    {
        const std::lock_guard lock(mutex_);
        if (generation_ == generation) {
            generation_ = nullptr;
            is_taken_ = false;
        }
        ++counters_.planned_restarts;
        counters_.last_decision = decision;
    }
    tell({.kind = WorkerEvent::Kind::restarting,
          .generation = generation->number(),
          .text = to_string(decision)});
    retire(generation, decision);
}

wire::Summary Worker::call_once(wire::ToWorker message,
                                const std::shared_ptr<Generation>& generation,
                                const CallOptions* call_options,
                                const WireRowSink& rows,
                                std::optional<milliseconds> timeout) {
    Call call;
    call.fingerprint = fingerprint_of(message, imports_);
    const std::optional<std::uint64_t> hash =
        call.fingerprint ? std::optional(call.fingerprint->hash) : std::nullopt;
    if (hash) {
        if (const auto refusal = supervisor_.find_quarantined(*hash)) {
            Error error(ErrorCode::quarantined, to_string(*refusal), error_facts(*refusal));
            tell({.kind = WorkerEvent::Kind::refused, .text = error.message()});
            throw Failure(std::move(error).with("work_entered_child", false));
        }
    }
    call.message = std::move(message);
    call.options = call_options;
    call.rows = rows;
    call.timeout = timeout.value_or(options_.request_timeout);
    const Clock::time_point begun = Clock::now();
    try {
        wire::Summary summary = generation->call(std::move(call));
        note_answer(hash);
        tell({.kind = WorkerEvent::Kind::answered,
              .generation = generation->number(),
              .duration =
                  std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun)});
        return summary;
    } catch (const Failure& failure) {
        if (is_childs_own_answer(failure.error().code()))
            note_answer(hash);
        throw;
    }
}

void Worker::note_answer(const std::optional<std::uint64_t>& hash) {
    if (hash)
        supervisor_.record_success(*hash);
    hooks_.gate->record_success();
    const std::lock_guard lock(mutex_);
    ++counters_.requests;
}

OpenSession Worker::import_again(const CallOptions* call_options) {
    const std::shared_ptr<Generation> generation = ready(call_options).generation;
    std::optional<RestartDecision> decision;
    {
        const std::lock_guard lock(mutex_);
        if (generation == generation_ && has_live_generation())
            decision = find_decision_locked(true);
    }
    if (decision) {
        const std::lock_guard starting(start_mutex_);
        if (this->generation() == generation) // else another thread has replaced it already
            replace(*decision, call_options);
        const std::lock_guard lock(mutex_);
        return session_;
    }
    Call drain;
    drain.counts = false;
    drain.message.mutable_drain();
    drain.timeout = options_.request_timeout;
    generation->call(std::move(drain));
    OpenSession session =
        open_session(*generation, imports_, call_options, options_.start_timeout, true);
    const std::lock_guard lock(mutex_);
    session_ = std::move(session);
    ++imports_of_generation_;
    ++counters_.imports;
    residue_bytes_ += session_.facts.relocated_bytes;
    return session_;
}

bool Worker::revalidate(const CallOptions* call_options) {
    const std::shared_ptr<Generation> generation = ready(call_options).generation;
    OpenSession session =
        open_session(*generation, imports_, call_options, options_.start_timeout, false);
    const std::lock_guard lock(mutex_);
    if (session.was_live)
        return true;
    session_ = std::move(session);
    ++imports_of_generation_;
    ++counters_.imports;
    residue_bytes_ += session_.facts.relocated_bytes;
    have_files_changed_ = true;
    source_ = nullptr; // what the template has imported is not what is there now
    return false;
}

void Worker::request_restart() {
    const std::lock_guard lock(mutex_);
    is_restart_requested_ = true;
}

void Worker::end_generation(const RestartDecision& decision) {
    std::shared_ptr<Generation> generation;
    {
        const std::lock_guard lock(mutex_);
        generation = std::exchange(generation_, nullptr);
        is_taken_ = false;
        source_ = nullptr;
        ++counters_.planned_restarts;
        counters_.last_decision = decision;
    }
    if (generation == nullptr)
        return;
    tell({.kind = WorkerEvent::Kind::restarting,
          .generation = generation->number(),
          .text = to_string(decision)});
    retire(generation, decision);
}

std::shared_ptr<Generation> Worker::generation() const {
    const std::lock_guard lock(mutex_);
    return generation_;
}

WorkerCounters Worker::counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
}

void Worker::tell(WorkerEvent event) const {
    if (hooks_.on_event)
        hooks_.on_event(event);
}

} // namespace leanhost::worker
