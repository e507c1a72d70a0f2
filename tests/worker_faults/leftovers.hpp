#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace leanhost::test {

/// A process as /proc tells of it.
struct ProcessLine {
    int pid = 0;
    int parent = 0;
    char state = '?'; ///< Z: a zombie
    std::string command;

    bool operator==(const ProcessLine&) const = default;
};
std::ostream& operator<<(std::ostream& out, const ProcessLine& process);

/// Every process with `mark` in its command line, whosever child it is, and every child of this
/// process, zombies included.
std::vector<ProcessLine> processes_with(const std::string& mark);

std::size_t open_descriptors();
std::size_t threads_of_this_process();
/// 0 under a sanitizer: its allocator keeps what was freed, which is not ours to judge.
std::uint64_t own_anonymous_bytes();

/// Whether `holds` comes to be true within `time`; looks every few milliseconds.
template <class F>
bool comes_true(std::chrono::milliseconds time, F&& holds) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= until)
            return holds();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

/// What a process had open before a test, to be compared with what it has afterwards.
class Leftovers {
public:
    explicit Leftovers(std::string mark) : mark_(std::move(mark)) {}

    /// Fails the test when a process, a thread or a descriptor is left. Threads and processes have
    /// a second to be gone: the kernel takes them from /proc a little after their end is told.
    void expect_none() const;

private:
    const std::string mark_;
    const std::size_t descriptors_ = open_descriptors();
    const std::size_t threads_ = threads_of_this_process();
};

} // namespace leanhost::test
