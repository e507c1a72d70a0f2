#include "worker_faults/leftovers.hpp"

#include <leanhost/memory_sample.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <ostream>
#include <sstream>

namespace leanhost::test {
namespace {

std::size_t entries_of(const char* folder) {
    std::error_code ignored; // the folder of a thread that ends meanwhile
    std::size_t count = 0;
    for (std::filesystem::directory_iterator entry(folder, ignored), end; entry != end;
         entry.increment(ignored))
        ++count;
    return count;
}

std::string file_text(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

// "pid (comm) state ppid …"; comm may hold anything.
ProcessLine read_process(const std::string& folder) {
    ProcessLine process;
    const std::string stat = file_text(folder + "/stat");
    const std::size_t end_of_name = stat.rfind(')');
    if (end_of_name == std::string::npos)
        return process;
    process.pid = std::stoi(stat);
    std::istringstream(stat.substr(end_of_name + 1)) >> process.state >> process.parent;
    process.command = file_text(folder + "/cmdline");
    std::replace(process.command.begin(), process.command.end(), '\0', ' ');
    return process;
}

} // namespace

std::ostream& operator<<(std::ostream& out, const ProcessLine& process) {
    return out << process.pid << " (child of " << process.parent << ", state " << process.state
               << "): " << process.command;
}

std::vector<ProcessLine> processes_with(const std::string& mark) {
    std::vector<ProcessLine> found;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos)
            continue;
        ProcessLine process = read_process(entry.path().string());
        const bool is_marked = process.command.find(mark) != std::string::npos;
        if (process.pid != 0 && process.pid != ::getpid() &&
            (is_marked || process.parent == ::getpid()))
            found.push_back(std::move(process));
    }
    return found;
}

std::size_t open_descriptors() {
    return entries_of("/proc/self/fd");
}

std::size_t threads_of_this_process() {
    return entries_of("/proc/self/task");
}

std::uint64_t own_anonymous_bytes() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 0;
#else
    return sample_this_process().gauge_bytes().value_or(0);
#endif
}

void Leftovers::expect_none() const {
    comes_true(std::chrono::seconds(1), [&] {
        return processes_with(mark_).empty() && threads_of_this_process() <= threads_;
    });
    EXPECT_THAT(processes_with(mark_), testing::IsEmpty()) << "processes are left";
    EXPECT_LE(threads_of_this_process(), threads_) << "threads are left";
    EXPECT_LE(open_descriptors(), descriptors_) << "descriptors are left";
}

} // namespace leanhost::test
