#include "worker/child/worker_main.hpp"

#include "base/guard.hpp"
#include "worker/child/template_loop.hpp"
#include "worker/child/worker_loop.hpp"
#include "worker/protocol/wire_values.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace leanhost::worker {
namespace {

// Waits for the first message, which is the parent's greeting; nullopt when the parent went away.
std::optional<wire::ToWorker> read_greeting(FrameChannel& channel) {
    while (true) {
        if (const auto frame = channel.next_frame()) {
            wire::ToWorker message;
            if (!message.ParseFromArray(frame->data(), static_cast<int>(frame->size())) ||
                !message.has_hello())
                fail(ErrorCode::protocol_error, "the first message is no greeting");
            return message;
        }
        ::pollfd readable{.fd = channel.descriptor(), .events = POLLIN, .revents = 0};
        ::poll(&readable, 1, -1);
        if (!channel.receive_some())
            return std::nullopt;
    }
}

// What both sides can do beyond version 1's messages. Nothing yet: a name here is a promise.
void check_greeting(const wire::Hello& hello) {
    if (hello.protocol_version() != protocol_version) {
        fail(ErrorCode::unsupported_version,
             fmt::format("the parent speaks worker protocol {}, this worker {}",
                         hello.protocol_version(), protocol_version));
    }
    if (!hello.required_features().empty()) {
        fail(ErrorCode::unsupported,
             fmt::format(
                 "the parent requires the protocol feature '{:.64}', which this worker has not",
                 hello.required_features(0)));
    }
    if (hello.max_frame_bytes() < smallest_max_frame_bytes ||
        hello.max_frame_bytes() > largest_max_frame_bytes) {
        fail(ErrorCode::protocol_error,
             fmt::format("field 'max_frame_bytes': {}, expected {} to {}", hello.max_frame_bytes(),
                         smallest_max_frame_bytes, largest_max_frame_bytes));
    }
}

// Answers the greeting. `make_handler` gives what is to answer requests from then on.
template <class MakeHandler>
bool greet(FrameChannel& channel,
           bool can_fork,
           unsigned& max_running,
           MakeHandler&& make_handler) {
    const std::optional<wire::ToWorker> greeting = read_greeting(channel);
    if (!greeting)
        return false;
    wire::FromWorker answer;
    answer.set_request_id(greeting->request_id());
    const Expected<void> done = guarded("greeting", [&] {
        const wire::Hello& hello = greeting->hello();
        check_greeting(hello);
        const RequestHandler& handler = make_handler(hello);
        channel.set_limits(default_max_frame_bytes, hello.max_frame_bytes());
        max_running = hello.max_running_requests();
        wire::Summary& summary = *answer.mutable_summary();
        *summary.mutable_hello() = handler.greeting(can_fork, default_max_frame_bytes);
        summary.set_checksum(RowChecksum().value());
    });
    if (!done)
        *answer.mutable_failed() = to_wire(done.error());
    channel.write(answer);
    return done.has_value();
}

// Greets and works until the parent ends it.
template <class MakeHandler>
void work(UniqueFd socket, MakeHandler&& make_handler) {
    FrameChannel channel(std::move(socket));
    unsigned max_running = 0;
    RequestHandler* handler = nullptr;
    const auto made = [&](const wire::Hello& hello) -> const RequestHandler& {
        handler = &make_handler(hello);
        return *handler;
    };
    if (greet(channel, false, max_running, made))
        WorkerLoop(channel, *handler, max_running).run();
}

void run_plain(UniqueFd socket) {
    std::optional<RequestHandler> handler;
    work(std::move(socket),
         [&](const wire::Hello& hello) -> RequestHandler& { return handler.emplace(hello); });
}

void run_template(UniqueFd socket) {
    std::optional<RequestHandler> handler;
    std::optional<UniqueFd> child_socket;
    {
        FrameChannel channel(std::move(socket));
        unsigned unused = 0;
        const auto made = [&](const wire::Hello& hello) -> const RequestHandler& {
            return handler.emplace(hello);
        };
        if (!greet(channel, true, unused, made))
            return;
        child_socket = TemplateLoop(channel, *handler).run();
        if (!child_socket)
            return;
    }
    // From here on this is a forked child. It shares the template's memory until it writes to it.
    work(std::move(*child_socket), [&](const wire::Hello&) -> RequestHandler& { return *handler; });
    // Destroying what the template built would only make private copies of its pages.
    std::fflush(nullptr);
    ::_exit(0);
}

// Fewer heaps of malloc: each keeps pages of its own, and requests allocate little.
void bound_malloc() noexcept {
    ::mallopt(M_ARENA_MAX, 2);
}

// The first process of a pid namespace is not ended by a signal that has no handler, its own
// included: abort() would end in an illegal instruction and look like another crash.
void make_abort_work() noexcept {
    if (::getpid() == 1)
        std::signal(SIGABRT, [](int) { ::_exit(128 + SIGABRT); });
}

} // namespace

int run_worker(const WorkerArguments& arguments) {
    bound_malloc();
    make_abort_work();
    if (::fcntl(arguments.socket, F_SETFD, FD_CLOEXEC) != 0) {
        fmt::print(stderr,
                   "leanhost-worker: descriptor {} is not open; this program is started by "
                   "leanhost, not by hand\n",
                   arguments.socket);
        return cli_exit_code(ErrorCode::invalid_argument);
    }
    const Expected<void> ended = guarded("leanhost-worker", [&] {
        UniqueFd socket(arguments.socket);
        if (arguments.is_template)
            run_template(std::move(socket));
        else
            run_plain(std::move(socket));
    });
    if (ended)
        return 0;
    fmt::print(stderr, "leanhost-worker: {}\n  ({})\n", ended.error().message(),
               ended.error().id());
    return cli_exit_code(ended.error().code());
}

} // namespace leanhost::worker
