#include "worker/parent/supervisor.hpp"

#include "base/guard.hpp"
#include "base/large_stack.hpp"
#include "worker/protocol/wire_values.hpp"

#include <leanhost/version.hpp>

#include <fmt/format.h>

#include <random>

namespace leanhost::worker {
namespace {

// Seeds differ from child to child and from run to run: limits are jittered so that a fleet does
// not restart as one.
std::uint64_t fresh_seed(std::uint64_t number) {
    static const std::uint64_t run = std::random_device{}();
    return (run << 20U) ^ number;
}

wire::ToWorker greeting(const WorkerOptions& options) {
    wire::ToWorker message;
    wire::Hello& hello = *message.mutable_hello();
    hello.set_protocol_version(protocol_version);
    hello.set_max_frame_bytes(default_max_frame_bytes);
    *hello.mutable_runtime() = to_wire(options.runtime);
    hello.set_max_sessions(static_cast<std::uint32_t>(options.max_sessions));
    hello.set_max_running_requests(options.max_running_requests);
    for (const std::filesystem::path& library : options.capability_libraries)
        hello.add_capability_libraries(library.native());
    return message;
}

void check_answer(const wire::HelloAnswer& answer) {
    if (answer.protocol_version() != protocol_version) {
        fail(ErrorCode::protocol_error,
             fmt::format(
                 "the worker speaks protocol {}, this program {}; both must be of one version",
                 answer.protocol_version(), protocol_version));
    }
    if (!answer.required_features().empty()) {
        fail(ErrorCode::protocol_error,
             fmt::format("the worker requires the protocol feature '{:.64}', which is unknown here",
                         answer.required_features(0)));
    }
    if (answer.max_frame_bytes() < smallest_max_frame_bytes ||
        answer.max_frame_bytes() > largest_max_frame_bytes) {
        fail(ErrorCode::protocol_error,
             fmt::format("field 'max_frame_bytes': {}, expected {} to {}", answer.max_frame_bytes(),
                         smallest_max_frame_bytes, largest_max_frame_bytes));
    }
}

} // namespace

std::uint64_t data_limit_bytes(const WorkerOptions& options) {
    if (!options.max_data_bytes)
        return 0;
    // A stack of 8 MiB for each thread that runs requests or imports, one more for what such a
    // request asks of the kernel, and what the program and its libraries and two arenas of malloc
    // need before any work.
    constexpr std::uint64_t stack_bytes = std::uint64_t{8} << 20;
    constexpr std::uint64_t base_bytes = std::uint64_t{64} << 20;
    const std::uint64_t threads = options.max_running_requests + 64;
    return *options.max_data_bytes + threads * stack_bytes +
           options.max_running_requests * deep_call_stack_bytes + base_bytes;
}

Supervisor::Supervisor(OnBurial on_burial, std::unique_ptr<MemoryCgroup> cgroup)
    : on_burial_(std::move(on_burial)), cgroup_(std::move(cgroup)) {}

Supervisor::~Supervisor() {
    std::unique_lock lock(mutex_);
    for (const auto& generation : alive_)
        generation->kill(RestartReason::requested, "its owner has gone");
    buried_.wait(lock, [&] { return alive_.empty(); });
}

Greeted Supervisor::spawn(const WorkerOptions& options, bool is_template) {
    SpawnOptions child;
    child.executable = options.executable.empty() ? find_worker_executable() : options.executable;
    child.environment = options.environment;
    child.data_limit_bytes = data_limit_bytes(options);
    child.may_fork = is_template;
    child.strongest = options.strongest_confinement;
    child.cgroup_processes = cgroup_ == nullptr ? -1 : cgroup_->processes();
    if (is_template)
        child.arguments.emplace_back("--template");
    std::shared_ptr<Generation> generation;
    // On the loop's thread: a child dies with the thread that started it.
    loop_.run([&] { generation = begin(options, worker::spawn(child), false); });
    return greet(options, std::move(generation));
}

Greeted Supervisor::adopt(
    const WorkerOptions& options,
    SpawnedProcess process,
    const std::function<void(std::uint64_t, const std::shared_ptr<Generation>&)>& set_up) {
    std::shared_ptr<Generation> generation;
    loop_.run([&] {
        generation = begin(options, std::move(process), true);
        set_up(generation->number(), generation);
    });
    return greet(options, std::move(generation));
}

std::shared_ptr<Generation>
Supervisor::begin(const WorkerOptions& options, SpawnedProcess process, bool is_template_child) {
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = ++last_number_;
        if (!process.outside_cgroup.empty())
            outside_cgroup_ = process.outside_cgroup;
    }
    auto generation = std::make_shared<Generation>(
        loop_, number, std::move(process),
        GenerationLimits::draw(options.restart_policy, fresh_seed(number)), options.busy_wait,
        is_template_child);
    {
        const std::lock_guard lock(mutex_);
        alive_.insert(generation);
    }
    try {
        generation->begin(
            [this, weak = std::weak_ptr(generation)](
                const ExitFacts& facts, std::span<const RequestFingerprint> in_flight) {
                on_end(weak.lock(), facts, in_flight);
            });
    } catch (...) {
        const std::lock_guard lock(mutex_);
        alive_.erase(generation); // it has been ended, and nobody will tell of it
        throw;
    }
    return generation;
}

// A child that does not greet as it should is of no use to anybody.
Greeted Supervisor::greet(const WorkerOptions& options, std::shared_ptr<Generation> generation) {
    try {
        Call call;
        call.message = greeting(options);
        call.timeout = options.start_timeout;
        call.counts = false;
        const wire::Summary summary = generation->call(std::move(call));
        check_answer(summary.hello());
        generation->set_max_frame_bytes(summary.hello().max_frame_bytes());
        return {.generation = std::move(generation),
                .engine = summary.hello().engine(),
                .can_fork = summary.hello().can_fork()};
    } catch (const Failure& failure) {
        const bool broke_protocol = failure.error().code() == ErrorCode::protocol_error;
        generation->kill(broke_protocol ? RestartReason::protocol_error : RestartReason::requested,
                         failure.error().message());
        throw;
    }
}

void Supervisor::on_end(const std::shared_ptr<Generation>& generation,
                        const ExitFacts& facts,
                        std::span<const RequestFingerprint> in_flight) {
    if (on_burial_)
        on_burial_(facts);
    const std::lock_guard lock(mutex_);
    const bool may_be_a_requests_doing = !facts.ended_by_us ||
                                         *facts.ended_by_us == RestartReason::hard_limit ||
                                         *facts.ended_by_us == RestartReason::deadline;
    if (may_be_a_requests_doing && !in_flight.empty())
        quarantine_.record_death(facts.generation, facts.to_string(), in_flight, Clock::now());
    alive_.erase(generation);
    buried_.notify_all();
}

std::optional<QuarantineRefusal> Supervisor::find_quarantined(std::uint64_t hash) {
    const std::lock_guard lock(mutex_);
    return quarantine_.find_refusal(hash, Clock::now());
}

void Supervisor::record_success(std::uint64_t hash) {
    const std::lock_guard lock(mutex_);
    quarantine_.record_success(hash);
}

std::optional<CgroupStatus> Supervisor::cgroup_status() const {
    if (cgroup_ == nullptr)
        return std::nullopt;
    CgroupStatus status = cgroup_->status();
    const std::lock_guard lock(mutex_);
    if (!outside_cgroup_.empty()) {
        status.holds = false;
        status.why_not = fmt::format("a worker could not be put into it: {}", outside_cgroup_);
    }
    return status;
}

std::size_t Supervisor::num_alive() const {
    const std::lock_guard lock(mutex_);
    return alive_.size();
}

std::vector<std::shared_ptr<Generation>> Supervisor::alive() const {
    const std::lock_guard lock(mutex_);
    return {alive_.begin(), alive_.end()};
}

} // namespace leanhost::worker
