#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace leanhost::cli {

/// Whether a process runs under libleanhost_regions, and if not, why.
enum class Coverage : std::uint8_t {
    covered,             ///< it reports
    covered_no_report,   ///< the library is loaded, but could not make its report page
    switched_off,        ///< the library is loaded, and LEANHOST_REGIONS=off
    statically_linked,   ///< no dynamic linker, so nothing is preloaded
    privileged,          ///< setuid, setgid or file capabilities: the linker ignores LD_PRELOAD
    environment_cleared, ///< LD_PRELOAD did not reach it
    unknown              ///< it could not be looked at, or was gone too soon
};

/// Stable, such as "statically_linked".
std::string_view coverage_name(Coverage coverage) noexcept;
/// For people: what it means.
std::string_view coverage_text(Coverage coverage) noexcept;

/// Looks at a live process that has no report page. `library` is the preloaded file.
Coverage look_at_coverage(::pid_t pid, const std::filesystem::path& library);

/// Whether the ELF file at `path` names a dynamic linker. Throws nothing: false for what is no ELF
/// file or cannot be read.
bool has_dynamic_linker(const std::filesystem::path& path);

} // namespace leanhost::cli
