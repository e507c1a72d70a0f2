#include "kernel/axiom_use.hpp"

#include "base/failure.hpp"

#include <algorithm>

namespace leanhost::kernel {

AxiomUse::AxiomUse(const TermStore& store, const KernelNames& known)
    : store_(store), known_(known) {
    intern({});
}

AxiomUse::AxiomSet AxiomUse::add(const Declaration& declaration) {
    ++declaration_;
    found_.clear();
    std::vector<NameId> axioms;
    for (const ConstantInfo& info : declaration.declared()) {
        collect(info.type);
        collect(info.value);
        if (info.facts != ConstantInfo::none) {
            for (const RecursorRule& rule : declaration.facts[info.facts].rules)
                collect(rule.rhs);
        }
        if (info.kind == ConstantKind::axiom)
            axioms.push_back(info.name);
    }
    for (const AxiomSet set : found_)
        axioms.insert(axioms.end(), sets_[set]->begin(), sets_[set]->end());
    std::sort(axioms.begin(), axioms.end());
    axioms.erase(std::unique(axioms.begin(), axioms.end()), axioms.end());
    const AxiomSet result = intern(std::move(axioms));
    for (const ConstantInfo& info : declaration.declared()) {
        if (info.name >= set_of_name_.size())
            set_of_name_.resize(info.name + info.name / 4 + 1024, 0);
        set_of_name_[info.name] = result;
    }
    return result;
}

// Without recursion: terms may be deeper than any stack.
void AxiomUse::collect(Term term) {
    visit(term);
    while (!waiting_.empty()) {
        const Term at = waiting_.back();
        waiting_.pop_back();
        const TermNode& node = store_[at];
        switch (node.kind) {
        case TermKind::constant:
            mention(node.a);
            break;
        case TermKind::app:
        case TermKind::lam:
        case TermKind::pi:
            visit(node.a);
            visit(node.b);
            break;
        case TermKind::let: {
            const TermNode& rest = store_[node.b];
            visit(node.a);
            visit(rest.a);
            visit(rest.b);
            break;
        }
        case TermKind::proj:
            mention(node.b);
            visit(node.a);
            break;
        case TermKind::string:
            mention_string_literal();
            break;
        default:
            break;
        }
    }
}

void AxiomUse::visit(Term term) {
    if (term == no_term)
        return;
    if (term >= seen_.size())
        seen_.resize(std::size_t{term} + term / 4 + 1024, 0);
    if (seen_[term] == declaration_)
        return;
    seen_[term] = declaration_;
    waiting_.push_back(term);
}

void AxiomUse::mention(NameId name) {
    const AxiomSet set = name < set_of_name_.size() ? set_of_name_[name] : 0;
    if (set != 0 && std::find(found_.begin(), found_.end(), set) == found_.end())
        found_.push_back(set);
}

void AxiomUse::mention_string_literal() {
    for (const NameId name :
         {known_.nat, known_.list, known_.list_nil, known_.list_cons, known_.char_,
          known_.char_of_nat, known_.string, known_.string_mk, known_.string_of_list})
        mention(name);
}

AxiomUse::AxiomSet AxiomUse::intern(std::vector<NameId> axioms) {
    const std::size_t count = axioms.size();
    const auto [at, is_new] =
        set_ids_.try_emplace(std::move(axioms), static_cast<AxiomSet>(sets_.size()));
    if (!is_new)
        return at->second;
    num_members_ += count;
    if (num_members_ > max_members)
        fail(ErrorCode::resource_exhausted, "too many different sets of axioms");
    sets_.push_back(&at->first);
    return at->second;
}

std::size_t AxiomUse::bytes() const noexcept {
    constexpr std::size_t bytes_of_a_set = 96; // a node of the map, and where it stands
    return (seen_.capacity() + waiting_.capacity() + set_of_name_.capacity() + num_members_) *
               sizeof(std::uint32_t) +
           sets_.size() * bytes_of_a_set;
}

} // namespace leanhost::kernel
