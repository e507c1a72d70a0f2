// A capability library for the real worker whose functions do to their process what user code may.
#include <leanhost/capability_guard.hpp>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <iterator>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using leanhost::CapabilitySink;

// Descendants that leave session and parent behind. One row for each that could be started.
void start_descendants(std::string_view input, CapabilitySink sink) {
    for (int wanted = std::stoi(std::string(input)); wanted > 0; --wanted) {
        const ::pid_t between = ::fork();
        if (between < 0)
            continue;
        if (between == 0) {
            ::setsid();
            const ::pid_t descendant = ::fork();
            while (descendant == 0)
                ::pause();
            ::_exit(descendant > 0 ? 0 : 1);
        }
        int status = 0;
        ::waitpid(between, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            sink.emit("started");
    }
}

// Dirties so many MiB at 1 GiB/s, and gives them back at the end. Hears nothing meanwhile.
void dirty_memory(std::string_view input, CapabilitySink sink) {
    constexpr std::size_t piece = std::size_t{4} << 20;
    const std::size_t bytes = std::stoull(std::string(input)) << 20;
    void* const memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    auto next = std::chrono::steady_clock::now();
    for (std::size_t at = 0; at + piece <= bytes; at += piece) {
        std::memset(static_cast<char*>(memory) + at, 1, piece);
        next += 3906us;
        std::this_thread::sleep_until(next);
    }
    ::munmap(memory, bytes);
    sink.emit("done");
}

// Hears no cancellation. A row before and a row after.
void sleep_deaf(std::string_view input, CapabilitySink sink) {
    sink.emit("asleep");
    std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(std::string(input))));
    sink.emit("awake");
}

void crash(std::string_view, CapabilitySink) {
    *static_cast<volatile int*>(nullptr) = 1;
}

constexpr leanhost_capability_function functions[] = {
    {"start_descendants", LEANHOST_CAPABILITY_GIVES_ROWS,
     &leanhost::capability_guard<start_descendants>},
    {"dirty_memory", LEANHOST_CAPABILITY_GIVES_ROWS, &leanhost::capability_guard<dirty_memory>},
    {"sleep_deaf", LEANHOST_CAPABILITY_GIVES_ROWS, &leanhost::capability_guard<sleep_deaf>},
    {"crash", LEANHOST_CAPABILITY_GIVES_ROWS, &leanhost::capability_guard<crash>},
};

constexpr leanhost_capability_table table = {LEANHOST_CAPABILITY_ABI_VERSION,
                                             sizeof(leanhost_capability_table),
                                             "hostile",
                                             "1",
                                             std::size(functions),
                                             functions};

} // namespace

const leanhost_capability_table* leanhost_capability_table_v1() {
    return &table;
}
