#include "cli/run/report_pages.hpp"

#include "base/failure.hpp"
#include "base/unique_fd.hpp"
#include "cli/run/process_list.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace leanhost::cli {
namespace {

namespace fs = std::filesystem;

bool is_complete(const LeanhostRegionsPage& page) {
    return page.magic == LEANHOST_REGIONS_MAGIC && page.version == LEANHOST_REGIONS_VERSION &&
           std::memchr(page.program, 0, sizeof page.program) != nullptr;
}

bool read_page(const fs::path& path, LeanhostRegionsPage& page) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    return fd && ::pread(fd.get(), &page, sizeof page, 0) == sizeof page && is_complete(page);
}

// A pid that another process has got meanwhile began after the page. Of a process in a container of
// its own we do not know the pid, so it never ends for us.
bool is_of_live_process(const LeanhostRegionsPage& page, std::uint64_t own_namespace) {
    if (page.pid_namespace != own_namespace)
        return true;
    const auto process = find_live_process(static_cast<::pid_t>(page.pid));
    return process && process->start_ticks <= start_ticks_at(page.started_ns);
}

// "pid:[4026531836]", as the library reads it.
std::uint64_t pid_namespace_of_this_process() {
    std::error_code unknown;
    const std::string link = fs::read_symlink("/proc/self/ns/pid", unknown).string();
    unsigned long long number = 0;
    return std::sscanf(link.c_str(), "pid:[%llu]", &number) == 1 ? number : 0;
}

} // namespace

ReportFolder::ReportFolder() {
    std::string name = (fs::temp_directory_path() / "leanhost-run-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        fail(ErrorCode::io,
             fmt::format("cannot make a folder for reports like {}: {}; TMPDIR names "
                         "another place",
                         name, std::strerror(errno)));
    }
    path_ = name;
    own_namespace_ = pid_namespace_of_this_process();
}

ReportFolder::~ReportFolder() {
    std::error_code ignored; // what cannot be removed stays: nobody can do anything about it here
    fs::remove_all(path_, ignored);
}

std::vector<ReportFolder::Page> ReportFolder::take() {
    std::vector<Page> pages;
    std::error_code ended; // a folder that was removed meanwhile is an empty one
    for (auto entry = fs::directory_iterator(path_, ended);
         !ended && entry != fs::directory_iterator(); entry.increment(ended)) {
        Page page;
        if (!read_page(entry->path(), page.content))
            continue; // not complete yet
        page.is_final = !is_of_live_process(page.content, own_namespace_);
        // Once more: what an ended process has written is complete only now.
        if (page.is_final && read_page(entry->path(), page.content)) {
            std::error_code ignored; // it is gone already, then
            fs::remove(entry->path(), ignored);
        }
        pages.push_back(page);
    }
    std::sort(pages.begin(), pages.end(), [](const Page& a, const Page& b) {
        return a.content.started_ns < b.content.started_ns;
    });
    return pages;
}

} // namespace leanhost::cli
