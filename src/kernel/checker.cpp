#include "kernel/checker.hpp"

#include "kernel/inductive.hpp"
#include "kernel/quotient.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::kernel {

Verdict Checker::check(const Declaration& declaration, Ordinal ordinal) {
    Verdict verdict = check_once(declaration, ordinal);
    if (verdict.kind == VerdictKind::rejected && types_.start_afresh())
        verdict = check_once(declaration, ordinal);
    return verdict;
}

Verdict Checker::check_once(const Declaration& declaration, Ordinal ordinal) {
    const ConstantInfo& first = declaration.constants.front();
    part_ = "";
    try {
        types_.begin_declaration(ordinal, first.params, first.safety);
        check_names(declaration);
        for (const ConstantInfo& info : declaration.constants)
            check_params(info);
        if (declaration.is_inductive_block)
            InductiveCheck(types_, declaration).run();
        else if (declaration.constants.size() == 1 && first.safety != DefinitionSafety::unsafe)
            check_one(first);
        else
            check_definitions(declaration);
        types_.set_overlay(nullptr);
        return acceptance();
    } catch (const Rejection& rejection) {
        types_.set_overlay(nullptr);
        if (types_.has_met_compiled_call())
            return refusal(VerdictKind::declined,
                           std::string(error_code_id(ErrorCode::unsupported)),
                           "not decided without compiled code, which is not run here "
                           "(Lean.reduceBool, Lean.reduceNat): " +
                               rejection.text(),
                           where(declaration));
        return refusal(VerdictKind::rejected, reject_reason_id(rejection.reason()),
                       rejection.text(), where(declaration));
    } catch (const Failure& failure) {
        types_.set_overlay(nullptr);
        const ErrorCode code = failure.error().code();
        if (code != ErrorCode::resource_exhausted && code != ErrorCode::deep_recursion)
            throw;
        return refusal(VerdictKind::declined, std::string(failure.error().id()),
                       failure.error().message(), where(declaration));
    }
}

void Checker::check_names(const Declaration& declaration) {
    std::vector<NameId> names;
    for (const ConstantInfo& info : declaration.known())
        require_known(info);
    for (const ConstantInfo& info : declaration.declared()) {
        // The number of the anonymous name stands for "none" in the kernel's tables.
        if (info.name == NameId{})
            reject(RejectReason::bad_block, "a constant without a name");
        if (!declaration.is_restated && types_.find(info.name) != nullptr)
            reject(RejectReason::duplicate_name,
                   fmt::format("{} is declared before", types_.names().text(info.name)));
        names.push_back(info.name);
    }
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end())
        reject(RejectReason::duplicate_name,
               fmt::format("{} is declared twice", types_.names().text(*twice)));
}

// What a block's recursors are declared with must be what was declared.
void Checker::require_known(const ConstantInfo& info) {
    const ConstantInfo* const known = types_.find(info.name);
    if (known == nullptr || known->kind != info.kind || known->type != info.type ||
        known->params != info.params || known->safety != info.safety)
        reject(RejectReason::bad_block,
               fmt::format("{} is not declared before as its recursor has it",
                           types_.names().text(info.name)));
}

void Checker::check_params(const ConstantInfo& info) {
    const auto params = types_.store().levels(info.params);
    std::vector<Level> sorted(params.begin(), params.end());
    // The anonymous name stands for "a number" where levels are ordered.
    for (const Level param : params) {
        if (types_.store().level(param).a == 0)
            reject(RejectReason::undeclared_universe_parameter,
                   fmt::format("{} has a universe parameter without a name",
                               types_.names().text(info.name)));
    }
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end())
        reject(RejectReason::duplicate_universe_parameter,
               fmt::format("{} declares the universe parameter {} twice",
                           types_.names().text(info.name),
                           types_.names().text(types_.store().level(*twice).a)));
}

void Checker::check_one(const ConstantInfo& info) {
    part_ = "type";
    if (info.kind == ConstantKind::quotient) {
        check_quotient(types_, info);
        return;
    }
    check_type(info);
    check_value(info);
}

void Checker::check_type(const ConstantInfo& info) {
    const Level level = types_.check_type(info.type);
    if (info.kind == ConstantKind::theorem && !types_.order().is_zero(level))
        reject(RejectReason::theorem_not_a_proposition,
               fmt::format("the type of a theorem must be a proposition, not\n  {}",
                           types_.print(info.type)));
}

void Checker::check_value(const ConstantInfo& info) {
    switch (info.kind) {
    case ConstantKind::axiom:
        return;
    case ConstantKind::definition:
    case ConstantKind::theorem:
    case ConstantKind::opaque:
        part_ = "value";
        types_.check_has_type(info.value, info.type);
        return;
    default:
        reject(RejectReason::bad_block,
               fmt::format("a {} cannot be declared alone", object::constant_kind_name(info.kind)));
    }
}

// Several at once, or what may call itself: an unsafe definition. All types first, then
// all values, in an environment that has the types.
void Checker::check_definitions(const Declaration& declaration) {
    const ConstantInfo& first = declaration.constants.front();
    Overlay overlay;
    for (const ConstantInfo& info : declaration.constants) {
        if (info.safety != first.safety || info.params != first.params)
            reject(RejectReason::bad_block,
                   "definitions of one block have the same safety and universe parameters");
        if (declaration.constants.size() > 1 &&
            (info.kind != ConstantKind::definition || info.safety == DefinitionSafety::safe))
            reject(RejectReason::bad_block,
                   "only unsafe and partial definitions are declared together");
        part_ = "type";
        check_type(info);
        if (info.kind == ConstantKind::definition)
            overlay.add(info, nullptr);
    }
    types_.set_overlay(&overlay);
    for (const ConstantInfo& info : declaration.constants)
        check_value(info);
    types_.set_overlay(nullptr);
}

std::string Checker::where(const Declaration& declaration) const {
    constexpr std::size_t most = 24;
    std::string result = declaration.is_inductive_block ? "block" : part_;
    const auto& path = types_.path();
    for (std::size_t i = 0; i < path.size() && i < most; ++i) {
        if (!result.empty())
            result += '.';
        result += path[i];
    }
    if (path.size() > most)
        result += fmt::format(".… ({} more)", path.size() - most);
    return result;
}

} // namespace leanhost::kernel
