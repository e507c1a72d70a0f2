#pragma once

#include <leanhost/verdict.hpp>

#include <array>
#include <chrono>
#include <filesystem>

namespace leanhost {

/// What checking many declarations at once may cost, and what it may rest on.
struct CheckOptions {
    std::uint64_t max_heartbeats = 0; ///< for one declaration; 0: without limit
    /// Of what is read, terms, caches and indexes, all threads together; 0: without limit. Caches
    /// are dropped first; what still takes more is declined. Each thread has an equal share of what
    /// reading has left.
    std::uint64_t max_memory_bytes = 0;
    unsigned jobs = 1; ///< threads; at most 256
    /// Otherwise what rests on an axiom that is not listed, by its printed name, is rejected.
    std::optional<std::vector<std::string>> allowed_axioms = std::nullopt;
};

/// An axiom that is not allowed, and what rests on it.
struct UnlistedAxiom {
    std::string axiom;
    std::uint64_t num_declarations = 0;    ///< that rest on it
    std::vector<std::string> declarations; ///< the first of them, at most `max_declarations`

    static constexpr std::size_t max_declarations = 100;
};

/// Counts by DeclarationKind.
using CountsByKind = std::array<std::uint64_t, 8>;

/// What became of an export, and what it cost. Sizes are in bytes.
struct ExportReport {
    Verdict verdict;
    std::string declaration; ///< at which it ended, when not accepted
    std::string lean_version;
    std::string format_version;
    std::uint64_t num_declarations = 0; ///< accepted
    CountsByKind constants{};           ///< accepted
    std::uint64_t num_unsafe = 0;       ///< of the accepted: unsafe or partial
    std::vector<std::string> axioms;    ///< declared
    /// On which declarations rest; those declared first, at most `max_unlisted_axioms`. The verdict
    /// is then that the first such declaration is rejected, if the kernel accepts all.
    std::vector<UnlistedAxiom> unlisted_axioms;
    std::uint64_t heartbeats = 0;
    std::uint64_t read_bytes = 0;
    std::uint64_t persistent_bytes = 0;   ///< terms, levels, names of the export
    std::uint64_t index_bytes = 0;        ///< ids and constants
    std::uint64_t peak_scratch_bytes = 0; ///< of checking: most at a time, of all threads together
    std::uint64_t reading_bytes = 0;      ///< of reading: persistent and index, when it ended
    std::uint64_t peak_bytes = 0;         ///< most of both at a time
    std::chrono::microseconds wall_time{0};

    static constexpr std::size_t max_unlisted_axioms = 1000;
};

/// A declaration of a module that was not accepted, or a module of which none could be checked.
struct ModuleFinding {
    std::string module;
    std::string declaration; ///< empty: the module as a whole
    Verdict verdict;
};

/// What became of the modules of a closure, and what it cost. Sizes are in bytes.
struct ModulesReport {
    VerdictKind kind = VerdictKind::declined; ///< the worst of all: rejected before declined
    std::vector<ModuleFinding> findings;      ///< in import order, at most `max_findings` of them
    std::uint64_t num_not_accepted = 0;       ///< declarations and modules, those left out included
    std::uint64_t num_modules = 0;            ///< whose declarations were checked
    std::uint64_t num_assumed_modules = 0;    ///< of the closure: taken as given
    std::uint64_t num_declarations = 0;       ///< accepted
    CountsByKind constants{};                 ///< accepted
    std::uint64_t num_not_checked = 0;        ///< constants that are unsafe or partial
    std::vector<std::string> axioms;          ///< declared in the modules checked
    /// Those that accepted declarations rest on, through the whole closure, and that the options do
    /// not allow; together they are one finding, of no module.
    std::vector<UnlistedAxiom> unlisted_axioms;
    std::uint64_t heartbeats = 0;
    std::uint64_t reductions = 0;
    std::uint64_t peak_bytes = 0; ///< of lifted terms and results, of all threads together
    std::uint64_t plan_bytes = 0;
    std::chrono::microseconds wall_time{0}; ///< without the import

    static constexpr std::size_t max_findings = 1000;
};

} // namespace leanhost
