#pragma once

#include "fuzz/kernel/export_model.hpp"

#include <random>

namespace leanhost::fuzz {

/// Changes one thing in an export, at random: a subterm, a level, a declaration's facts, their
/// order. What comes out is an export still, as a rule a wrong one.
class ExportMutator {
public:
    explicit ExportMutator(std::uint64_t seed) : random_(seed) {}

    /// One change, or a few.
    void mutate(ExportModel& model);
    /// Appends declarations of `other`, by their names there.
    void cross(ExportModel& model, const ExportModel& other);

private:
    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
    bool one_in(std::size_t n) { return below(n) == 0; }

    ExportConstant& any_constant(ExportModel& model);
    Index any_name(const ExportModel& model) {
        return static_cast<Index>(below(model.names.size()));
    }
    Index any_constant_name(ExportModel& model);
    Index any_term(const ExportModel& model) {
        return static_cast<Index>(below(model.terms.size()));
    }
    Index any_level(ExportModel& model, const ExportConstant& in);

    // One of these each time.
    void change_term(ExportModel& model);
    void change_facts(ExportModel& model);
    void change_kind(ExportModel& model);
    void change_names(ExportModel& model);
    void change_order(ExportModel& model);
    void change_block(ExportModel& model);

    Index changed(ExportModel& model, Index root, const ExportConstant& in);
    Index changed_here(ExportModel& model, Index at, const ExportConstant& in);
    Index wrapped(ExportModel& model, Index at, const ExportConstant& in);
    std::string changed_number(const std::string& digits);

    std::mt19937_64 random_;
};

// Changes that must not change the verdict.

/// Every name that the kernel gives no meaning, and every universe parameter, has another.
ExportModel renamed(const ExportModel& model);
/// Values of function types `v` become `fun x => v x`.
ExportModel eta_expanded(const ExportModel& model);
/// Definitions without universe parameters are replaced by their values where later values use
/// them.
ExportModel unfolded(const ExportModel& model);

} // namespace leanhost::fuzz
