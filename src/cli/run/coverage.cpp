#include "cli/run/coverage.hpp"

#include "base/unique_fd.hpp"
#include "memory/proc_lines.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fstream>
#include <iterator>
#include <memory>

namespace leanhost::cli {
namespace {

namespace fs = std::filesystem;

bool is_mapped(::pid_t pid, const std::string& library) {
    const auto maps =
        std::make_unique<memory::ProcLines>(fmt::format("/proc/{}/maps", pid).c_str());
    while (const auto line = maps->next()) {
        if (line->ends_with(library))
            return true;
    }
    return false;
}

bool is_privileged(const std::string& executable) {
    struct stat facts {};
    if (::stat(executable.c_str(), &facts) != 0)
        return false;
    return (facts.st_mode & (S_ISUID | S_ISGID)) != 0 ||
           ::getxattr(executable.c_str(), "security.capability", nullptr, 0) > 0;
}

} // namespace

std::string_view coverage_name(Coverage coverage) noexcept {
    constexpr std::string_view names[] = {
        "covered",    "covered_no_report",   "switched_off", "statically_linked",
        "privileged", "environment_cleared", "unknown"};
    return names[static_cast<std::size_t>(coverage)];
}

std::string_view coverage_text(Coverage coverage) noexcept {
    constexpr std::string_view texts[] = {
        "covered",
        "covered, but it could not write its report page (another user, or another root folder)",
        "covered, but LEANHOST_REGIONS=off in its environment",
        "statically linked: nothing can be preloaded",
        "setuid, setgid or with file capabilities: the system ignores LD_PRELOAD",
        "its environment was cleared: LD_PRELOAD did not reach it",
        "could not be looked at before it ended"};
    return texts[static_cast<std::size_t>(coverage)];
}

bool has_dynamic_linker(const fs::path& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    Elf64_Ehdr header{};
    if (!fd || ::pread(fd.get(), &header, sizeof header, 0) != sizeof header ||
        std::string_view(reinterpret_cast<const char*>(header.e_ident), SELFMAG) != ELFMAG ||
        header.e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment{};
        const auto offset =
            static_cast<off_t>(header.e_phoff + std::uint64_t{i} * header.e_phentsize);
        if (::pread(fd.get(), &segment, sizeof segment, offset) != sizeof segment)
            return false;
        if (segment.p_type == PT_INTERP)
            return true;
    }
    return false;
}

Coverage look_at_coverage(::pid_t pid, const fs::path& library) {
    const std::string folder = fmt::format("/proc/{}", pid);
    if (is_mapped(pid, library.string()))
        return Coverage::covered_no_report;
    std::error_code error;
    const std::string executable = folder + "/exe";
    if (!fs::exists(fs::read_symlink(executable, error), error) || error)
        return Coverage::unknown;
    if (is_privileged(executable))
        return Coverage::privileged;
    if (!has_dynamic_linker(executable))
        return Coverage::statically_linked;
    std::ifstream file(folder + "/environ", std::ios::binary);
    if (!file)
        return Coverage::unknown;
    const std::string environment{std::istreambuf_iterator<char>(file), {}};
    // Loaded a moment from now, then.
    return environment.find(library.string()) != std::string::npos ? Coverage::unknown
                                                                   : Coverage::environment_cleared;
}

} // namespace leanhost::cli
