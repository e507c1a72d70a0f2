#include "worker/parent/template_worker.hpp"

#include "base/failure.hpp"
#include "worker/protocol/wire_values.hpp"

#include <fmt/format.h>

#include <csignal>
#include <fstream>

namespace leanhost::worker {
namespace {

// The pid, in our pid namespace, of the process that a pidfd stands for; -1 when it has ended.
// nullopt: it is no pidfd.
std::optional<::pid_t> find_pid(const UniqueFd& pidfd) {
    std::ifstream info(fmt::format("/proc/self/fdinfo/{}", pidfd.get()));
    if (!info)
        fail(ErrorCode::resource_exhausted, "cannot read /proc/self/fdinfo");
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("Pid:"))
            return static_cast<::pid_t>(std::stol(line.substr(4)));
    }
    return std::nullopt;
}

void set_status(Generation& child, const wire::ChildExited& exited) {
    child.set_exit_status(
        exited.signal() == 0 ? std::optional<int>(exited.exit_status()) : std::nullopt,
        exited.signal() == 0 ? std::nullopt : std::optional<int>(exited.signal()));
}

} // namespace

OpenSession open_session(Generation& generation,
                         const ImportSet& imports,
                         const CallOptions* call_options,
                         std::chrono::milliseconds timeout,
                         bool counts) {
    Call call;
    call.counts = counts;
    *call.message.mutable_open()->mutable_imports() = to_wire(imports);
    call.options = call_options;
    call.timeout = timeout;
    const wire::Summary summary = generation.call(std::move(call));
    return {.number = summary.open().session(),
            .facts = import_facts_from(summary.open().facts()),
            .was_live = summary.open().was_live()};
}

TemplateWorker::TemplateWorker(Supervisor& supervisor,
                               const WorkerOptions& options,
                               const ImportSet& imports,
                               const CallOptions* call_options)
    : supervisor_(supervisor), options_(options) {
    Greeted greeted = supervisor.spawn(options, true);
    generation_ = std::move(greeted.generation);
    try {
        if (!greeted.can_fork) {
            fail(ErrorCode::unsupported,
                 fmt::format("the engine '{}' cannot be forked", greeted.engine));
        }
        supervisor.loop().run([&] {
            generation_->set_on_child_exit([children = children_](const wire::ChildExited* exited) {
                if (exited != nullptr)
                    on_child_exit(*children, *exited);
                else
                    on_template_end(*children);
            });
        });
        session_ = open_session(*generation_, imports, call_options, options.start_timeout, false);
    } catch (...) {
        generation_->kill(RestartReason::requested, "it did not become a template");
        throw;
    }
}

TemplateWorker::~TemplateWorker() {
    generation_->kill(RestartReason::requested, "the template is not needed any more");
}

std::shared_ptr<Generation> TemplateWorker::fork_child() {
    ChildChannels channels = open_child_channels();
    std::uint64_t name = 0;
    {
        const std::lock_guard lock(children_->mutex);
        name = ++children_->last_name;
    }
    Call call;
    call.counts = false;
    wire::ForkRequest& request = *call.message.mutable_fork();
    request.set_child(name);
    request.set_data_limit_bytes(data_limit_bytes(options_));
    request.set_may_start_processes(generation_->confinement() == Confinement::none);
    call.timeout = options_.start_timeout;
    call.descriptors.push_back(std::move(channels.child_socket));
    call.descriptors.push_back(std::move(channels.child_output));
    call.descriptors.push_back(std::move(channels.child_errors));
    UniqueFd pidfd;
    try {
        pidfd = generation_->call_for_descriptor(std::move(call)).second;
    } catch (const Failure& failure) {
        // It has one thread, which does nothing else: the next fork would fare no better.
        if (failure.error().code() == ErrorCode::deadline_exceeded)
            generation_->kill(RestartReason::deadline, "a fork was not answered in time");
        throw;
    }

    SpawnedProcess process;
    const std::optional<::pid_t> pid = find_pid(pidfd);
    if (!pid) { // it would never be readable, and what cannot be killed cannot be buried
        const char* const what = "an answer to a fork with a descriptor that is no pidfd";
        generation_->kill(RestartReason::protocol_error, what);
        fail(ErrorCode::protocol_error, what);
    }
    process.pid = *pid;
    process.pidfd = std::move(pidfd);
    process.socket = std::move(channels.socket);
    process.output = std::move(channels.output);
    process.errors = std::move(channels.errors);
    process.confinement = generation_->confinement();
    const auto set_up = [&](std::uint64_t, const std::shared_ptr<Generation>& child) {
        const std::lock_guard lock(children_->mutex);
        if (const auto early = children_->early_exits.find(name);
            early != children_->early_exits.end()) {
            set_status(*child, early->second);
            children_->early_exits.erase(early);
        } else {
            children_->alive.emplace(name, child);
        }
    };
    return supervisor_.adopt(options_, std::move(process), set_up).generation;
}

void TemplateWorker::on_child_exit(Children& children, const wire::ChildExited& exited) {
    const std::lock_guard lock(children.mutex);
    const auto found = children.alive.find(exited.child());
    if (found == children.alive.end()) {
        // Bounded: a child's exit is told once, and as many are on their way as forks are.
        if (exited.child() <= children.last_name && children.early_exits.size() < 1024)
            children.early_exits.emplace(exited.child(), exited);
        return;
    }
    if (const auto child = found->second.lock())
        set_status(*child, exited);
    children.alive.erase(found);
}

// Its children go with it, by SIGKILL, and nobody tells of them any more.
void TemplateWorker::on_template_end(Children& children) {
    const std::lock_guard lock(children.mutex);
    for (const auto& [name, child] : children.alive) {
        if (const auto alive = child.lock())
            alive->set_exit_status(std::nullopt, SIGKILL);
    }
    children.alive.clear();
}

} // namespace leanhost::worker
