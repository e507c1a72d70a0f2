#pragma once

#include "kernel/check_export.hpp"

namespace leanhost::kernel {

/// Collects axioms that are used and not allowed, with what rests on them. Bounded: see
/// ExportReport::max_unlisted_axioms and UnlistedAxiom::max_declarations.
class UnlistedAxioms {
public:
    /// Borrows the options.
    explicit UnlistedAxioms(const CheckOptions& options) : options_(options) {}

    /// `declaration`, which is accepted, rests on `axiom`. An axiom that is allowed is passed over.
    void add(const std::string& axiom, const std::string& declaration);
    /// Not allowed, if listed or not: it says something else than Lean's axiom of that name.
    void disallow(const std::string& axiom) { misstated_.push_back(axiom); }

    bool empty() const noexcept { return all_.empty(); }
    const std::vector<UnlistedAxiom>& all() const noexcept { return all_; }
    /// A rejection by the name of each axiom, with a few that rest on it. Only if there are any.
    Verdict verdict() const;

private:
    bool is_misstated(const std::string& axiom) const;

    const CheckOptions& options_;
    std::vector<UnlistedAxiom> all_; ///< in the order met
    std::vector<std::string> misstated_;
};

} // namespace leanhost::kernel
