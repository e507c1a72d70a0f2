#include "worker/parent/worker.hpp"

#include "base/failure.hpp"
#include "base/lean_hash.hpp"
#include "worker/protocol/wire_values.hpp"

#include <fmt/format.h>

#include <random>

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

// An error that the child lived to tell; the others are ours, or stand for its end.
bool is_childs_own_answer(ErrorCode code) noexcept {
    switch (code) {
    case ErrorCode::child_exited:
    case ErrorCode::memory_limit:
    case ErrorCode::protocol_error:
    case ErrorCode::deadline_exceeded:
    case ErrorCode::cancelled:
    case ErrorCode::sink_failed:
        return false;
    default:
        return true;
    }
}

bool entered_child(const Error& error) {
    const auto* entered = error.find_fact("work_entered_child");
    const auto* truth = entered == nullptr ? nullptr : std::get_if<bool>(entered);
    return truth == nullptr || *truth;
}

} // namespace

Worker::Worker(Supervisor& supervisor,
               WorkerOptions options,
               ImportSet imports,
               TemplateSource template_source,
               OnWorkerEvent on_event)
    : supervisor_(supervisor), options_(std::move(options)), imports_(std::move(imports)),
      template_source_(std::move(template_source)), on_event_(std::move(on_event)),
      intensity_(
          {.max_restarts = options_.max_unplanned_restarts, .window = options_.restart_window},
          std::random_device{}()) {}

Worker::~Worker() {
    const std::lock_guard lock(mutex_);
    if (generation_ != nullptr)
        generation_->retire(RestartReason::requested, "not needed any more",
                            options_.shutdown_grace);
}

OpenSession Worker::ensure(const CallOptions* call_options) {
    {
        const std::lock_guard lock(mutex_);
        if (has_live_generation() && !find_decision_locked(false))
            return session_;
    }
    const std::lock_guard starting(start_mutex_);
    std::optional<RestartDecision> decision;
    bool is_alive = false;
    {
        const std::lock_guard lock(mutex_);
        is_alive = has_live_generation();
        if (is_alive)
            decision = find_decision_locked(false);
        else
            note_failure();
    }
    if (decision) {
        replace(*decision, call_options);
    } else if (!is_alive) {
        wait_for_permission(call_options);
        start(call_options);
    }
    const std::lock_guard lock(mutex_);
    return session_;
}

bool Worker::has_live_generation() const {
    return generation_ != nullptr && !generation_->is_retired() && !generation_->has_ended();
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

// The successor first, so that nobody waits for an end; then the end.
void Worker::replace(const RestartDecision& decision, const CallOptions* call_options) {
    std::shared_ptr<Generation> before;
    {
        const std::lock_guard lock(mutex_);
        before = generation_;
        ++counters_.planned_restarts;
        counters_.last_decision = decision;
    }
    tell({.kind = WorkerEvent::Kind::restarting,
          .generation = before->number(),
          .text = to_string(decision)});
    start(call_options);
    retire(before, decision);
}

void Worker::retire(const std::shared_ptr<Generation>& generation,
                    const RestartDecision& decision) {
    generation->retire(decision.reason, to_string(decision), options_.shutdown_grace);
}

// With mutex_ held. A generation that is gone without our doing counts; the first start does not.
void Worker::note_failure() {
    if (generation_ == nullptr)
        return;
    ++counters_.failures;
    intensity_.record_failure(Clock::now());
}

void Worker::wait_for_permission(const CallOptions* call_options) {
    const Clock::time_point give_up_at = Clock::now() + options_.start_timeout;
    while (true) {
        StartAnswer answer = StartNow{};
        {
            const std::lock_guard lock(mutex_);
            if (generation_ != nullptr)
                answer = intensity_.try_start(Clock::now());
        }
        if (std::holds_alternative<StartNow>(answer))
            return;
        const auto* wait = std::get_if<WaitUntil>(&answer);
        if (wait == nullptr || wait->at > give_up_at) {
            tell({.kind = WorkerEvent::Kind::refused, .text = "too many unplanned restarts"});
            throw Failure(
                Error(ErrorCode::restart_limit,
                      fmt::format("workers for {} ended unexpectedly too often; the last: {}",
                                  imports_.modules.empty() ? std::string("no module")
                                                           : imports_.modules.front().to_string(),
                                  generation_->exit_facts().to_string()))
                    .with("work_entered_child", false));
        }
        if (call_options != nullptr && call_options->cancellation.is_cancelled())
            fail(ErrorCode::cancelled, "cancelled while waiting for a restart");
        std::this_thread::sleep_until(std::min(wait->at, Clock::now() + milliseconds(5)));
    }
}

void Worker::start(const CallOptions* call_options) {
    const Clock::time_point begun = Clock::now();
    try {
        std::shared_ptr<TemplateWorker> source;
        if (options_.use_template && template_source_)
            source = template_source_(call_options);
        if (source != nullptr)
            start_by_fork(source);
        else
            start_by_spawn(call_options);
    } catch (const Failure& failure) {
        const std::lock_guard lock(mutex_);
        if (failure.error().code() != ErrorCode::cancelled && generation_ != nullptr)
            intensity_.record_failure(Clock::now());
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
    for (int attempt = 0;; ++attempt) {
        const std::uint64_t session = ensure(call_options).number;
        const std::shared_ptr<Generation> generation = this->generation();
        wire::ToWorker message;
        make_message(session, message);
        try {
            wire::Summary summary =
                call_once(std::move(message), generation, call_options, rows, timeout);
            end_if_isolated();
            return summary;
        } catch (const Failure& failure) {
            const bool may_go_again = attempt == 0 &&
                                      failure.error().code() == ErrorCode::child_exited &&
                                      !entered_child(failure.error());
            if (!may_go_again) {
                end_if_isolated();
                throw;
            }
        }
    }
}

// A child serves one request; the next call finds another.
void Worker::end_if_isolated() {
    if (options_.isolation == Isolation::per_request)
        end_generation({.reason = RestartReason::max_requests, .limit = 1, .current = 1});
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
    const std::lock_guard lock(mutex_);
    ++counters_.requests;
    intensity_.record_success();
}

OpenSession Worker::import_again(const CallOptions* call_options) {
    ensure(call_options);
    std::optional<RestartDecision> decision;
    {
        const std::lock_guard lock(mutex_);
        if (has_live_generation())
            decision = find_decision_locked(true);
    }
    if (decision) {
        const std::lock_guard starting(start_mutex_);
        replace(*decision, call_options);
        const std::lock_guard lock(mutex_);
        return session_;
    }
    const std::shared_ptr<Generation> generation = this->generation();
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
    ensure(call_options);
    const std::shared_ptr<Generation> generation = this->generation();
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
    if (on_event_)
        on_event_(event);
}

} // namespace leanhost::worker
