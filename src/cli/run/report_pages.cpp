#include "cli/run/report_pages.hpp"

#include "base/failure.hpp"
#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace leanhost::cli {
namespace {

namespace fs = std::filesystem;

bool is_complete(const LeanhostRegionsPage& page) {
    return page.magic == LEANHOST_REGIONS_MAGIC && page.version == LEANHOST_REGIONS_VERSION &&
           std::memchr(page.program, 0, sizeof page.program) != nullptr;
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
}

ReportFolder::~ReportFolder() {
    std::error_code ignored; // what cannot be removed stays: nobody can do anything about it here
    fs::remove_all(path_, ignored);
}

std::vector<LeanhostRegionsPage> ReportFolder::read() const {
    std::vector<LeanhostRegionsPage> pages;
    std::error_code ended; // a folder that was removed meanwhile is an empty one
    for (auto entry = fs::directory_iterator(path_, ended);
         !ended && entry != fs::directory_iterator(); entry.increment(ended)) {
        const UniqueFd fd(::open(entry->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        LeanhostRegionsPage page{};
        if (fd && ::pread(fd.get(), &page, sizeof page, 0) == sizeof page && is_complete(page))
            pages.push_back(page);
    }
    std::sort(pages.begin(), pages.end(),
              [](const auto& a, const auto& b) { return a.started_ns < b.started_ns; });
    return pages;
}

} // namespace leanhost::cli
