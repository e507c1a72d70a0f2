// A worker that breaks its word. Started as leanhost-worker is; greets and imports as it should,
// and then misbehaves as LEANHOST_TEST_FAULT says: some faults are in the greeting, some in the
// answer to the first request, some in a fork.
//
//   LEANHOST_TEST_FAULT_ONCE   a file; the fault happens to whoever takes it away. Who comes too
//                              late is the real worker (LEANHOST_TEST_REAL_WORKER), or, in a
//                              template's child, answers honestly: one row, the name Byzantine.
#include "base/failure.hpp"
#include "worker/protocol/frame.hpp"
#include "worker/protocol/row_checksum.hpp"
#include "worker/protocol/wire_values.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace leanhost::worker {
namespace {

using namespace std::chrono_literals;

// Blocks on both ways.
class Channel {
public:
    explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}

    int socket() const noexcept { return socket_.get(); }
    void close() noexcept { socket_.reset(); }

    std::optional<wire::ToWorker> read() {
        while (true) {
            if (const auto frame = frames_.next()) {
                wire::ToWorker message;
                if (!message.ParseFromArray(frame->data(), static_cast<int>(frame->size())))
                    fail(ErrorCode::protocol_error, "a frame that holds no message");
                return message;
            }
            const std::span<char> space = frames_.free_space();
            const std::ptrdiff_t received = receive(socket_.get(), space, descriptors_, 0);
            if (received == 0 || (received < 0 && errno != EINTR))
                return std::nullopt;
            if (received > 0)
                frames_.add(static_cast<std::size_t>(received));
        }
    }

    // False when the parent has gone.
    bool write_bytes(std::string_view bytes, std::span<const int> descriptors = {}) {
        while (!bytes.empty()) {
            const std::ptrdiff_t sent = send_some(socket_.get(), bytes, descriptors, 0);
            if (sent < 0 && errno == EINTR)
                continue;
            if (sent < 0)
                return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
            descriptors = {};
        }
        return true;
    }

    bool write(const wire::FromWorker& message, std::span<const int> descriptors = {}) {
        std::string bytes;
        append_frame(message, largest_max_frame_bytes, bytes);
        return write_bytes(bytes, descriptors);
    }

    UniqueFd take_descriptor() {
        UniqueFd first = std::move(descriptors_.front());
        descriptors_.pop_front();
        return first;
    }

private:
    UniqueFd socket_;
    FrameBuffer frames_{default_max_frame_bytes};
    std::deque<UniqueFd> descriptors_;
};

std::string environment_text(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// Whether the fault is this process's to commit. Without a file it always is.
bool take_fault() {
    const std::string file = environment_text("LEANHOST_TEST_FAULT_ONCE");
    return file.empty() || ::unlink(file.c_str()) == 0;
}

[[noreturn]] void wait_forever() {
    while (true)
        ::pause();
}

// Messages -----------------------------------------------------------------------------------

wire::FromWorker answer_to(const wire::ToWorker& request) {
    wire::FromWorker answer;
    answer.set_request_id(request.request_id());
    answer.mutable_summary()->set_checksum(RowChecksum().value());
    return answer;
}

std::string row_for(const wire::ToWorker& request) {
    wire::NameTable name;
    append_name("Byzantine", name);
    if (!request.has_search())
        return name.SerializeAsString();
    wire::DeclarationRow row;
    row.set_kind(1);
    row.set_module("Byzantine");
    *row.mutable_name() = name;
    return row.SerializeAsString();
}

// `count` rows from `first` on; the checksum goes on over them.
wire::FromWorker batch_of(const wire::ToWorker& request,
                          std::uint64_t first,
                          std::size_t count,
                          RowChecksum& checksum) {
    const std::string row = row_for(request);
    wire::FromWorker message;
    message.set_request_id(request.request_id());
    wire::RowBatch& batch = *message.mutable_rows();
    batch.set_first_row(first);
    for (std::size_t i = 0; i < count; ++i) {
        batch.add_sizes(static_cast<std::uint32_t>(row.size()));
        batch.mutable_rows()->append(row);
        checksum.add(row);
    }
    return message;
}

struct Rows {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    RowChecksum checksum;
};

Rows send_rows(Channel& channel, const wire::ToWorker& request, std::size_t count) {
    Rows rows;
    const wire::FromWorker message = batch_of(request, 0, count, rows.checksum);
    channel.write(message);
    rows.count = count;
    rows.bytes = message.rows().rows().size();
    return rows;
}

void send_summary(Channel& channel, const wire::ToWorker& request, const Rows& rows) {
    wire::FromWorker answer = answer_to(request);
    answer.mutable_summary()->set_rows(rows.count);
    answer.mutable_summary()->set_row_bytes(rows.bytes);
    answer.mutable_summary()->set_checksum(rows.checksum.value());
    if (request.has_search())
        answer.mutable_summary()->mutable_search()->set_found(rows.count);
    channel.write(answer);
}

void answer_honestly(Channel& channel, const wire::ToWorker& request, std::size_t num_rows = 1) {
    wire::FromWorker answer = answer_to(request);
    switch (request.body_case()) {
    case wire::ToWorker::kOpen:
        answer.mutable_summary()->mutable_open()->set_session(1);
        answer.mutable_summary()->mutable_open()->mutable_facts()->set_modules(1);
        channel.write(answer);
        return;
    case wire::ToWorker::kPing:
        answer.mutable_summary()->set_pong(request.ping().payload());
        channel.write(answer);
        return;
    case wire::ToWorker::kCancel:
    case wire::ToWorker::kCredit:
        return;
    default:
        break;
    }
    send_summary(channel, request, send_rows(channel, request, num_rows));
}

void answer_greeting(Channel& channel,
                     const wire::ToWorker& request,
                     bool can_fork,
                     std::uint32_t version = protocol_version,
                     const char* required_feature = nullptr) {
    wire::FromWorker answer = answer_to(request);
    wire::HelloAnswer& hello = *answer.mutable_summary()->mutable_hello();
    hello.set_protocol_version(version);
    hello.set_max_frame_bytes(default_max_frame_bytes);
    hello.set_engine("byzantine");
    hello.set_can_fork(can_fork);
    if (required_feature != nullptr)
        hello.add_required_features(required_feature);
    channel.write(answer);
}

// Descendants that leave session and parent behind, and keep stdout, stderr and socket open.
// Returns how many there are.
std::size_t start_descendants(std::size_t wanted) {
    std::size_t started = 0;
    for (std::size_t i = 0; i < wanted; ++i) {
        const ::pid_t between = ::fork();
        if (between < 0)
            continue;
        if (between == 0) {
            ::setsid();
            const ::pid_t descendant = ::fork();
            if (descendant == 0) {
                ::setsid();
                wait_forever();
            }
            ::_exit(descendant > 0 ? 0 : 1);
        }
        int status = 0;
        ::waitpid(between, &status, 0);
        started += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 1 : 0;
    }
    return started;
}

[[noreturn]] void dirty_memory_without_end() {
    constexpr std::size_t piece = std::size_t{16} << 20;
    auto next = std::chrono::steady_clock::now();
    while (true) { // 1 GiB/s
        void* const memory =
            ::mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            wait_forever();
        std::memset(memory, 1, piece);
        next += 15625us;
        std::this_thread::sleep_until(next);
    }
}

void flood(int descriptor, std::size_t bytes) {
    std::string line(1023, 'x');
    line += '\n';
    for (std::size_t written = 0; written < bytes; written += line.size())
        static_cast<void>(!::write(descriptor, line.data(), line.size()));
}

// Faults -------------------------------------------------------------------------------------

using FaultBody = void (*)(Channel&, const wire::ToWorker&);

enum class Stage { greeting, request, fork };

struct Fault {
    const char* name;
    Stage stage;
    FaultBody body;
};

// Frames of 64 KiB of rows. `may_send` is asked before each with its size.
template <class MaySend>
void send_rows_while(Channel& channel, const wire::ToWorker& request, MaySend&& may_send) {
    RowChecksum ignored; // no summary will come
    constexpr std::size_t rows_a_batch = 2048;
    wire::FromWorker message = batch_of(request, 0, rows_a_batch, ignored);
    for (std::uint64_t first = 0;; first += rows_a_batch) {
        message.mutable_rows()->set_first_row(first);
        if (!may_send(message.rows().rows().size() + 8 * rows_a_batch) || !channel.write(message))
            return;
    }
}

void endless_rows_within_credit(Channel& channel, const wire::ToWorker& request) {
    std::uint64_t credit = request.initial_credit_bytes();
    send_rows_while(channel, request, [&](std::uint64_t bytes) {
        while (credit == 0) {
            const auto message = channel.read();
            if (!message)
                return false;
            credit += message->has_credit() ? message->credit().bytes() : 0;
        }
        credit -= std::min(credit, bytes);
        return true;
    });
}

// A real fault, by the processor: the first process of a pid namespace does not hear the signals
// that it sends to itself. Not one of memory, which a sanitizer would report in its own way.
[[noreturn]] void crash() {
    __builtin_trap();
}

void half_a_frame(Channel& channel, const wire::ToWorker& request) {
    std::string frame;
    append_frame(answer_to(request), default_max_frame_bytes, frame);
    channel.write_bytes(std::string_view(frame).substr(0, frame.size() / 2));
}

void header_of_a_frame(Channel& channel, std::uint32_t payload_bytes) {
    const std::uint32_t header[] = {frame_magic, payload_bytes};
    channel.write_bytes({reinterpret_cast<const char*>(header), sizeof header});
}

void descriptor_flood(Channel& channel, const wire::ToWorker& request) {
    wire::FromWorker progress;
    progress.set_request_id(request.request_id());
    progress.mutable_progress()->set_phase("here are descriptors");
    const std::vector<int> descriptors(max_descriptors_a_message, STDERR_FILENO);
    for (int i = 0; i < 64; ++i) {
        if (!channel.write(progress, descriptors))
            return;
    }
}

// clang-format off
constexpr Fault faults[] = {
    {"wrong_version", Stage::greeting, [](Channel& channel, const wire::ToWorker& request) {
        answer_greeting(channel, request, true, 99); }},
    {"unknown_required_feature", Stage::greeting, [](Channel& channel, const wire::ToWorker& request) {
        answer_greeting(channel, request, true, protocol_version, "telepathy"); }},
    {"garbage_in_greeting", Stage::greeting, [](Channel& channel, const wire::ToWorker&) {
        channel.write_bytes("SSH-2.0-OpenSSH_9.2\r\n"); }},
    {"exit_before_greeting", Stage::greeting, [](Channel&, const wire::ToWorker&) { ::_exit(7); }},
    {"silence_in_greeting", Stage::greeting, [](Channel&, const wire::ToWorker&) { wait_forever(); }},

    {"garbage", Stage::request, [](Channel& channel, const wire::ToWorker&) {
        channel.write_bytes("what is a frame, and why should I send one?"); }},
    {"half_a_frame", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        half_a_frame(channel, request); wait_forever(); }},
    {"oversized_frame", Stage::request, [](Channel& channel, const wire::ToWorker&) {
        header_of_a_frame(channel, UINT32_MAX); }},
    {"frame_without_message", Stage::request, [](Channel& channel, const wire::ToWorker&) {
        header_of_a_frame(channel, 4); channel.write_bytes("\xff\xff\xff\xff"); }},
    {"wrong_request_id", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        wire::ToWorker other = request;
        other.set_request_id(request.request_id() + 1000);
        answer_honestly(channel, other); }},
    {"silence", Stage::request, [](Channel&, const wire::ToWorker&) { wait_forever(); }},
    {"endless_rows", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        send_rows_while(channel, request, [](std::uint64_t) { return true; }); }},
    {"endless_rows_within_credit", Stage::request, &endless_rows_within_credit},
    {"rows_after_summary", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        answer_honestly(channel, request); send_rows(channel, request, 1); }},
    {"more_rows_than_asked", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        answer_honestly(channel, request, 1000); }},
    {"summary_with_wrong_count", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        Rows rows = send_rows(channel, request, 3);
        rows.count = 4;
        send_summary(channel, request, rows); }},
    {"summary_with_wrong_checksum", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        Rows rows = send_rows(channel, request, 3);
        rows.checksum.add("a row that was not sent");
        send_summary(channel, request, rows); }},
    {"double_summary", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        answer_honestly(channel, request); send_summary(channel, request, {}); }},
    {"exit_mid_frame", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        half_a_frame(channel, request); ::_exit(3); }},
    {"exits_with_status", Stage::request, [](Channel&, const wire::ToWorker&) {
        flood(STDERR_FILENO, 8192);
        static_cast<void>(!::write(STDERR_FILENO, "no more paper\n", 14));
        ::_exit(42); }},
    {"crashes", Stage::request, [](Channel&, const wire::ToWorker&) { crash(); }},
    {"sigstop", Stage::request, [](Channel&, const wire::ToWorker&) {
        ::raise(SIGSTOP); wait_forever(); }},
    {"fork_bomb", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        answer_honestly(channel, request, start_descendants(8)); }},
    {"fork_bomb_then_crash", Stage::request, [](Channel&, const wire::ToWorker&) {
        start_descendants(8); crash(); }},
    {"closes_socket_but_lives", Stage::request, [](Channel& channel, const wire::ToWorker&) {
        channel.close(); wait_forever(); }},
    {"floods_stderr", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        flood(STDERR_FILENO, 64U << 20); answer_honestly(channel, request); }},
    {"floods_stdout", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        flood(STDOUT_FILENO, 64U << 20); answer_honestly(channel, request); }},
    {"ignores_cancel", Stage::request, [](Channel& channel, const wire::ToWorker&) {
        while (channel.read()) {} wait_forever(); }},
    {"allocates_without_end", Stage::request, [](Channel&, const wire::ToWorker&) {
        dirty_memory_without_end(); }},
    {"descriptor_flood", Stage::request, &descriptor_flood},
    {"progress_flood", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        wire::FromWorker progress;
        progress.set_request_id(request.request_id());
        progress.mutable_progress()->set_phase("still at it");
        while (channel.write(progress)) {} }},
    {"fork_that_nobody_asked_for", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        wire::FromWorker answer = answer_to(request);
        answer.mutable_summary()->mutable_fork()->set_child(1);
        channel.write(answer);
        wait_forever(); }},
    {"news_of_children", Stage::request, [](Channel& channel, const wire::ToWorker&) {
        wire::FromWorker news;
        news.mutable_child_exited()->set_child(1);
        channel.write(news); }},
    {"ignores_shutdown", Stage::request, [](Channel& channel, const wire::ToWorker& request) {
        answer_honestly(channel, request); while (channel.read()) {} wait_forever(); }},

    {"fork_without_descriptor", Stage::fork, [](Channel& channel, const wire::ToWorker& request) {
        wire::FromWorker answer = answer_to(request);
        answer.mutable_summary()->mutable_fork()->set_child(request.fork().child());
        channel.write(answer); }},
    {"fork_gives_a_file", Stage::fork, [](Channel& channel, const wire::ToWorker& request) {
        wire::FromWorker answer = answer_to(request);
        answer.mutable_summary()->mutable_fork()->set_child(request.fork().child());
        const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        channel.write(answer, std::span(&file, 1)); }},
    {"fork_gives_a_silent_pipe", Stage::fork, [](Channel& channel, const wire::ToWorker& request) {
        wire::FromWorker answer = answer_to(request);
        answer.mutable_summary()->mutable_fork()->set_child(request.fork().child());
        int pipe[2] = {-1, -1};
        static_cast<void>(!::pipe(pipe));
        channel.write(answer, std::span(pipe, 1)); }},
    {"fork_silence", Stage::fork, [](Channel&, const wire::ToWorker&) { wait_forever(); }},
    {"fork_fails", Stage::fork, [](Channel& channel, const wire::ToWorker& request) {
        wire::FromWorker answer;
        answer.set_request_id(request.request_id());
        *answer.mutable_failed() = to_wire(
            Error(ErrorCode::resource_exhausted, "fork: no more processes here"));
        channel.write(answer); }},
    {"exit_in_fork", Stage::fork, [](Channel&, const wire::ToWorker&) { ::_exit(9); }},
    {"news_of_unknown_children", Stage::fork, [](Channel& channel, const wire::ToWorker&) {
        wire::FromWorker news;
        for (std::uint64_t child = 0; child < 10'000; ++child) {
            news.mutable_child_exited()->set_child(child);
            channel.write(news);
        }
        ::_exit(9); }},
};
// clang-format on

const Fault* find_fault(std::string_view name) {
    for (const Fault& fault : faults) {
        if (name == fault.name)
            return &fault;
    }
    return nullptr;
}

// Lives ---------------------------------------------------------------------------------------

bool is_trigger(const wire::ToWorker& request) {
    return request.has_list() || request.has_search() || request.has_query() ||
           request.has_references() || request.has_axioms();
}

// `is_mine`: the fault was taken at the start. Else it is looked for at each request.
void serve(Channel& channel, const Fault& fault, bool is_mine) {
    while (const auto request = channel.read()) {
        if (request->has_shutdown())
            return;
        if (request->has_hello()) {
            answer_greeting(channel, *request, false);
            continue;
        }
        if (is_trigger(*request) && fault.stage == Stage::request && (is_mine || take_fault())) {
            is_mine = false;
            fault.body(channel, *request);
            continue;
        }
        answer_honestly(channel, *request);
    }
}

// Reaps as a template must, and tells its parent.
void reap(Channel& channel, std::map<::pid_t, std::uint64_t>& children) {
    int status = 0;
    for (::pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        const auto child = children.find(pid);
        if (child == children.end())
            continue;
        wire::FromWorker news;
        news.mutable_child_exited()->set_child(child->second);
        news.mutable_child_exited()->set_exit_status(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
        news.mutable_child_exited()->set_signal(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        channel.write(news);
        children.erase(child);
    }
}

void fork_child(Channel& channel,
                const wire::ToWorker& request,
                const Fault& fault,
                std::map<::pid_t, std::uint64_t>& children) {
    UniqueFd socket = channel.take_descriptor();
    const UniqueFd output = channel.take_descriptor();
    const UniqueFd errors = channel.take_descriptor();
    const ::pid_t pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(output.get(), STDOUT_FILENO);
        ::dup2(errors.get(), STDERR_FILENO);
        channel.close();
        Channel own(std::move(socket));
        serve(own, fault, false);
        ::_exit(0);
    }
    children.emplace(pid, request.fork().child());
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    wire::FromWorker answer = answer_to(request);
    answer.mutable_summary()->mutable_fork()->set_child(request.fork().child());
    channel.write(answer, std::span(&pidfd, 1));
    ::close(pidfd);
}

void serve_as_template(Channel& channel, const Fault& fault) {
    std::map<::pid_t, std::uint64_t> children;
    while (true) {
        // Without a signal descriptor: looks now and then.
        ::pollfd readable{.fd = channel.socket(), .events = POLLIN, .revents = 0};
        while (::poll(&readable, 1, 5) == 0)
            reap(channel, children);
        const auto request = channel.read();
        if (!request || request->has_shutdown())
            return;
        if (request->has_hello())
            answer_greeting(channel, *request, true);
        else if (!request->has_fork())
            answer_honestly(channel, *request);
        else if (fault.stage == Stage::fork)
            fault.body(channel, *request);
        else
            fork_child(channel, *request, fault, children);
    }
}

void misbehave_in_greeting(Channel& channel, const Fault& fault) {
    const auto request = channel.read();
    if (request)
        fault.body(channel, *request);
    wait_forever();
}

int run(int argc, char** argv) {
    int socket = -1;
    bool is_template = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument(argv[i]);
        is_template |= argument == "--template";
        if (argument == "--socket" && i + 1 < argc)
            std::from_chars(argv[i + 1], argv[i + 1] + std::strlen(argv[i + 1]), socket);
    }
    const std::string name = environment_text("LEANHOST_TEST_FAULT");
    const Fault* const fault = find_fault(name);
    if (fault == nullptr) {
        std::fprintf(stderr, "byzantine_worker: no fault '%s'\n", name.c_str());
        return 64;
    }
    // A template's children take the fault when it is their turn.
    const bool decides_later = is_template && fault->stage == Stage::request;
    if (!decides_later && !take_fault()) {
        const std::string real = environment_text("LEANHOST_TEST_REAL_WORKER");
        ::execv(real.c_str(), argv);
        std::perror(real.c_str());
        return 64;
    }
    Channel channel((UniqueFd(socket)));
    if (fault->stage == Stage::greeting)
        misbehave_in_greeting(channel, *fault);
    if (is_template)
        serve_as_template(channel, *fault);
    else
        serve(channel, *fault, true);
    return 0;
}

} // namespace
} // namespace leanhost::worker

int main(int argc, char** argv) {
    ::signal(SIGPIPE, SIG_IGN);
    return leanhost::worker::run(argc, argv);
}
