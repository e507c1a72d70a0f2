#pragma once

#include "base/monitor.hpp"
#include "kernel/verdict.hpp"

#include <array>
#include <filesystem>
#include <vector>

namespace leanhost::kernel {

struct CheckOptions {
    std::uint64_t max_heartbeats = 0;   ///< for one declaration; 0: without limit
    std::uint64_t max_memory_bytes = 0; ///< of terms and caches, in all; 0: without limit
    std::size_t keep_scratch_bytes = std::size_t{384} << 10; ///< kept between declarations
    /// Modules: what was lifted from them and is kept between declarations.
    std::size_t keep_lifted_bytes = std::size_t{2} << 20;
    unsigned jobs = 1; ///< threads; 1: each declaration is checked as it is read
    /// Null: all axioms are allowed. Otherwise an axiom that is not listed is a rejection.
    const std::vector<std::string>* allowed_axioms = nullptr;
};

/// Accepted, or rejected with the name of an axiom that the options do not allow.
Verdict axiom_verdict(const CheckOptions& options, const std::string& axiom);

/// What became of an export, and what it cost.
struct ExportReport {
    Verdict verdict;
    std::string declaration; ///< at which it ended, when not accepted
    std::string lean_version;
    std::string format_version;
    std::uint64_t num_declarations = 0;       ///< accepted
    std::array<std::uint64_t, 8> constants{}; ///< accepted, by ConstantKind
    std::uint64_t num_unsafe = 0;             ///< of the accepted: unsafe or partial
    std::vector<std::string> axioms;
    std::uint64_t heartbeats = 0;
    std::uint64_t read_bytes = 0;
    std::size_t persistent_bytes = 0;   ///< terms, levels, names of the export
    std::size_t index_bytes = 0;        ///< ids and constants
    std::size_t peak_scratch_bytes = 0; ///< most that one declaration left behind
};

/// Checks the declarations of the export at `path` ("-": standard input); ends at the first that is
/// not accepted. Each is checked as it is read; with several jobs one of them reads, and what a
/// declaration may use is what stands before it all the same.
///
/// A verdict is a result. Throws Failure for what is no export (invalid_input, io, not_found,
/// unsupported_version) and when cancelled. Runs on a stack of its own.
ExportReport
check_export(const std::filesystem::path& path, const CheckOptions& options, Monitor& monitor);

} // namespace leanhost::kernel
