#include "kernel/unlisted_axioms.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::kernel {

void UnlistedAxioms::add(const std::string& axiom, const std::string& declaration) {
    const auto& allowed = options_.allowed_axioms;
    if (!allowed)
        return;
    const bool is_listed = std::find(allowed->begin(), allowed->end(), axiom) != allowed->end();
    if (is_listed && !is_misstated(axiom))
        return;
    auto at = std::find_if(all_.begin(), all_.end(),
                           [&](const UnlistedAxiom& known) { return known.axiom == axiom; });
    if (at == all_.end()) {
        if (all_.size() == ExportReport::max_unlisted_axioms)
            return;
        at = all_.insert(all_.end(), UnlistedAxiom{axiom, 0, {}});
    }
    ++at->num_declarations;
    if (at->declarations.size() < UnlistedAxiom::max_declarations)
        at->declarations.push_back(declaration);
}

bool UnlistedAxioms::is_misstated(const std::string& axiom) const {
    return std::find(misstated_.begin(), misstated_.end(), axiom) != misstated_.end();
}

Verdict UnlistedAxioms::verdict() const {
    constexpr std::size_t most_axioms = 16;
    constexpr std::size_t most_declarations = 3;
    std::string text = "axioms are used that are not allowed:";
    for (std::size_t i = 0; i < all_.size() && i < most_axioms; ++i) {
        const UnlistedAxiom& unlisted = all_[i];
        text += fmt::format("\n  {}{} by {}:", unlisted.axiom,
                            is_misstated(unlisted.axiom) ? ", which is not Lean's," : "",
                            unlisted.num_declarations);
        for (std::size_t k = 0; k < unlisted.declarations.size() && k < most_declarations; ++k)
            text += " " + unlisted.declarations[k];
        if (unlisted.num_declarations > most_declarations)
            text += " …";
    }
    if (all_.size() > most_axioms)
        text += fmt::format("\n  and {} more", all_.size() - most_axioms);
    return refusal(VerdictKind::rejected, "axiom_not_allowed", std::move(text));
}

} // namespace leanhost::kernel
