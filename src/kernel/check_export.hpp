#pragma once

#include "base/monitor.hpp"
#include "kernel/verdict.hpp"

#include <array>
#include <filesystem>
#include <functional>
#include <vector>

namespace leanhost::kernel {

struct CheckOptions {
    std::uint64_t max_heartbeats = 0; ///< for one declaration; 0: without limit
    /// Of what is read, terms, caches and indexes, all threads together; 0: without limit. Caches
    /// are dropped first; what still takes more is declined. Each thread has an equal share of what
    /// reading has left.
    std::uint64_t max_memory_bytes = 0;
    std::size_t keep_scratch_bytes = std::size_t{384} << 10; ///< kept between declarations
    /// Modules: what was lifted from them and is kept between declarations.
    std::size_t keep_lifted_bytes = std::size_t{2} << 20;
    unsigned jobs = 1; ///< threads; 1: each declaration is checked as it is read
    /// Null: all axioms are allowed. Otherwise what rests on one that is not listed is rejected.
    const std::vector<std::string>* allowed_axioms = nullptr;
    /// Exports: called for each accepted declaration, in order, with the first name that it
    /// declares and the axioms that it rests on.
    std::function<void(const std::string& declaration, const std::vector<std::string>& axioms)>
        on_axioms;
};

/// An axiom that is not allowed, and what rests on it.
struct UnlistedAxiom {
    std::string axiom;
    std::uint64_t num_declarations = 0;    ///< that rest on it
    std::vector<std::string> declarations; ///< the first of them, at most `max_declarations`

    static constexpr std::size_t max_declarations = 100;
};

/// What became of an export, and what it cost.
struct ExportReport {
    Verdict verdict;
    std::string declaration; ///< at which it ended, when not accepted
    std::string lean_version;
    std::string format_version;
    std::uint64_t num_declarations = 0;       ///< accepted
    std::array<std::uint64_t, 8> constants{}; ///< accepted, by ConstantKind
    std::uint64_t num_unsafe = 0;             ///< of the accepted: unsafe or partial
    std::vector<std::string> axioms;          ///< declared
    /// On which declarations rest; those declared first, at most `max_unlisted_axioms`. The verdict
    /// is then that the first such declaration is rejected, if the kernel accepts all.
    std::vector<UnlistedAxiom> unlisted_axioms;
    std::uint64_t heartbeats = 0;
    std::uint64_t read_bytes = 0;
    std::size_t persistent_bytes = 0;   ///< terms, levels, names of the export
    std::size_t index_bytes = 0;        ///< ids and constants
    std::size_t peak_scratch_bytes = 0; ///< of checking: most at a time, of all threads together
    std::size_t reading_bytes = 0;      ///< of reading: persistent and index, when it ended
    std::size_t peak_bytes = 0;         ///< most of both at a time

    static constexpr std::size_t max_unlisted_axioms = 1000;
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
