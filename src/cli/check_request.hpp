#pragma once

#include "cli/drain_wait.hpp"
#include "cli/module_arguments.hpp"

#include <leanhost/check_report.hpp>

namespace leanhost::cli {

/// What `leanhost check` was asked.
struct CheckRequest {
    std::vector<std::filesystem::path> files; ///< exports and modules
    ModuleArguments modules;
    bool with_closure = false;
    CheckOptions options;
    bool with_axioms = false; ///< of each declaration
    bool as_json = false;
    std::uint64_t max_memory_mib = 0; ///< becomes the option
    std::size_t workers = 0;          ///< 0: in this process
    std::uint64_t max_total_mib = 0;
    std::uint64_t drain_wait_ms = default_drain_wait_ms;
};

/// Which modules are to be looked at, of one search path.
struct CheckedModules {
    std::vector<std::filesystem::path> search_path;
    std::vector<Name> modules;
};

/// The exports among the files asked for, in order.
std::vector<std::filesystem::path> exports_to_check(const CheckRequest& request);
/// Files that hold modules, by the folder that they belong to, and modules by name. Throws Failure.
std::vector<CheckedModules> modules_to_check(const CheckRequest& request);

/// The worst of several verdicts and errors: an error before a rejection before a decline.
class CheckStatus {
public:
    void add(const ExportReport& report) noexcept { add(report.verdict.kind); }
    void add(const ModulesReport& report) noexcept { add(report.kind); }
    void add(const Error& error) noexcept;
    /// What the command exits with.
    int value() const noexcept { return error_ != 0 ? error_ : status_; }

private:
    void add(VerdictKind kind) noexcept;

    int status_ = 0;
    int error_ = 0;
};

} // namespace leanhost::cli
