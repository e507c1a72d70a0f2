#include "engine_native/kernel_calls.hpp"

#include "engine_native/declaration_row.hpp"
#include "engine_native/term_transfer.hpp"
#include "module/mentioned_names.hpp"

#include <fmt/format.h>

#include <set>

namespace leanhost::engine_native {
namespace {

using kernel::TypeChecker;
using module::ConstantPlace;

Verdict declined(std::string reason, std::string message) {
    return refusal(VerdictKind::declined, std::move(reason), std::move(message));
}

Verdict with_heartbeats(Verdict verdict, std::uint64_t heartbeats) {
    verdict.heartbeats = heartbeats;
    return verdict;
}

// A rejection may be due to what is not there, a constant or a rule that it would have given.
Verdict under_missing_modules(const LoadedClosure& loaded, Verdict verdict) {
    const auto& missing = loaded.closure().missing();
    if (missing.empty() || verdict.kind != VerdictKind::rejected)
        return verdict;
    verdict.kind = VerdictKind::declined;
    verdict.message =
        fmt::format("the module {} is not there; without it: {}: {}",
                    missing.front().name.to_string(), verdict.reason, verdict.message);
    verdict.reason = "missing_module";
    return verdict;
}

// What `body(types)` finds out, as a verdict: a rejection inside it is one, and so is a limit.
template <class F>
Verdict judged(CallChecker& call, F&& body) {
    kernel::ClosureChecker& checker = call.checker();
    const std::uint64_t before = checker.total_heartbeats();
    Verdict verdict = acceptance();
    try {
        std::forward<F>(body)(checker.open_all());
    } catch (const kernel::Rejection& rejection) {
        verdict = refusal(VerdictKind::rejected, kernel::reject_reason_id(rejection.reason()),
                          rejection.text());
    } catch (const Failure& failure) {
        const ErrorCode code = failure.error().code();
        if (code != ErrorCode::resource_exhausted && code != ErrorCode::deep_recursion)
            throw;
        verdict = refusal(VerdictKind::declined, std::string(failure.error().id()),
                          failure.error().message());
    }
    const std::uint64_t heartbeats = checker.total_heartbeats() - before;
    // Whatever was under way is not gone on with.
    if (verdict.kind != VerdictKind::accepted)
        call.spoil();
    return with_heartbeats(std::move(verdict), heartbeats);
}

// Puts `term` into the checker and adds its universe parameters to `params`.
kernel::Term loaded_term(CallChecker& call,
                         TypeChecker& types,
                         const Term& term,
                         std::vector<kernel::Level>& params) {
    TermLoader loader(call.checker(), types, term.table);
    loader.load(std::span(&term.root, 1));
    params.insert(params.end(), loader.params().begin(), loader.params().end());
    return loader[term.root];
}

// Universe parameters that stand in a term count as declared.
void declare(CallChecker& call, TypeChecker& types, std::vector<kernel::Level> params) {
    call.checker().begin_query(params.empty() ? kernel::no_levels : types.store().list(params));
}

template <class F>
TermAnswer evaluate(const LoadedClosure& loaded,
                    const Term& term,
                    const KernelOptions& options,
                    Monitor& monitor,
                    F&& operation) {
    return loaded.kernels().run(options, monitor, [&](CallChecker& call) {
        TermAnswer answer;
        answer.verdict = judged(call, [&](TypeChecker& types) {
            std::vector<kernel::Level> params;
            const kernel::Term given = loaded_term(call, types, term, params);
            declare(call, types, std::move(params));
            const kernel::Closure type = types.check(given);
            TermWriter writer(types);
            const TermIndex root = writer.write(operation(types, given, type));
            answer.term = Term{writer.take(), root};
        });
        if (answer.verdict.kind != VerdictKind::accepted)
            answer.term.reset();
        answer.verdict = under_missing_modules(loaded, std::move(answer.verdict));
        return answer;
    });
}

kernel::ConstantKind kernel_kind(DeclarationKind kind) {
    switch (kind) {
    case DeclarationKind::theorem:
        return kernel::ConstantKind::theorem;
    case DeclarationKind::opaque:
        return kernel::ConstantKind::opaque;
    case DeclarationKind::definition:
        return kernel::ConstantKind::definition;
    default:
        fail(ErrorCode::invalid_argument, "a candidate of a kind that cannot be submitted");
    }
}

kernel::Declaration
declaration_of(CallChecker& call, TypeChecker& types, const CandidateDeclaration& candidate) {
    TermLoader loader(call.checker(), types, candidate.terms);
    loader.load(std::array{candidate.type, candidate.value});
    std::vector<kernel::Level> params;
    for (const Name& name : candidate.universe_params)
        params.push_back(types.store().param(call.checker().name(name)));
    kernel::ConstantInfo info;
    info.name = call.checker().name(candidate.name);
    info.kind = kernel_kind(candidate.kind);
    info.params = params.empty() ? kernel::no_levels : types.store().list(params);
    info.type = loader[candidate.type];
    info.value = loader[candidate.value];
    kernel::Declaration declaration;
    declaration.constants.push_back(info);
    return declaration;
}

// The check finds that as well; nothing must hang on it alone.
void require_closed(TypeChecker& types, const kernel::ConstantInfo& info) {
    if (types.store()[info.type].loose != 0 || types.store()[info.value].loose != 0)
        kernel::reject(kernel::RejectReason::loose_bound_variable,
                       "a bound variable that no binder binds");
}

// Whatever the session's profile: without the private part a module of the module system shows
// theorems as axioms.
bool shows_proofs(const module::ClosureModule& module) {
    return !module.data.is_module() ||
           module.region->parts().back().kind == module::PartKind::private_part;
}

// Why the constant is not checked at all; empty: it is.
std::optional<Verdict> reason_to_decline(const LoadedClosure& loaded,
                                         ConstantPlace place,
                                         const kernel::ModulePlan& plan) {
    const module::ClosureModule& module = loaded.closure().modules()[place.module];
    if (!shows_proofs(module))
        return declined("missing_private_part",
                        fmt::format("the .olean.private of {} is not there, without which theorems "
                                    "are axioms",
                                    module.text));
    if (plan.declaration_of(place.constant) == kernel::ModulePlan::none)
        return declined("not_checked", "unsafe and partial declarations are not checked");
    return std::nullopt;
}

} // namespace

Verdict check_constant(const LoadedClosure& loaded,
                       ConstantPlace place,
                       const KernelOptions& options,
                       Monitor& monitor) {
    const auto check = [&](CallChecker& call) {
        const kernel::ModulePlan& plan = call.plan(place.module);
        if (auto why = reason_to_decline(loaded, place, plan))
            return *std::move(why);
        kernel::ClosureChecker& checker = call.checker();
        const std::uint64_t before = checker.total_heartbeats();
        Verdict verdict = checker.check(place.module, plan.declaration_of(place.constant));
        if (verdict.kind != VerdictKind::accepted)
            call.spoil();
        return with_heartbeats(std::move(verdict), checker.total_heartbeats() - before);
    };
    return under_missing_modules(loaded, loaded.kernels().run(options, monitor, check));
}

Verdict check_candidate(const LoadedClosure& loaded,
                        const CandidateDeclaration& candidate,
                        const KernelOptions& options,
                        Monitor& monitor) {
    const auto check = [&](CallChecker& call) {
        Verdict verdict;
        Verdict result = judged(call, [&](TypeChecker& types) {
            const kernel::Declaration declaration = declaration_of(call, types, candidate);
            require_closed(types, declaration.constants.front());
            verdict = call.checker().check_new(declaration);
        });
        if (result.kind != VerdictKind::accepted)
            return result; // it could not even be read
        if (verdict.kind != VerdictKind::accepted)
            call.spoil();
        return with_heartbeats(std::move(verdict), result.heartbeats);
    };
    return under_missing_modules(loaded, loaded.kernels().run(options, monitor, check));
}

DeclarationTerms
declaration_terms(const LoadedClosure& loaded, ConstantPlace place, Monitor& monitor) {
    const module::Region& region = *loaded.closure().modules()[place.module].region;
    return loaded.kernels().run({}, monitor, [&](CallChecker& call) {
        DeclarationTerms terms{};
        const Verdict verdict = judged(call, [&](TypeChecker& types) {
            const auto info = module::constant_at(loaded.closure(), place);
            TermWriter writer(types);
            module::reading(region, "constant", [&] {
                terms.kind = public_kind(info.kind());
                for (const object::NameRef param : info.universe_params())
                    terms.universe_params.push_back(param.to_name());
                terms.type = writer.write(call.checker().lift(region, info.type()));
                if (info.has_value())
                    terms.value = writer.write(call.checker().lift(region, info.value()));
            });
            terms.terms = writer.take();
        });
        if (verdict.kind != VerdictKind::accepted) {
            fail(verdict.kind == VerdictKind::declined ? ErrorCode::resource_exhausted
                                                       : ErrorCode::unsupported,
                 fmt::format("its terms cannot be given: {}", verdict.message),
                 {{"reason", verdict.reason}});
        }
        return terms;
    });
}

TermAnswer whnf(const LoadedClosure& loaded,
                const Term& term,
                const KernelOptions& options,
                Monitor& monitor) {
    return evaluate(
        loaded, term, options, monitor,
        [](TypeChecker& types, kernel::Term given, kernel::Closure) { return types.whnf(given); });
}

TermAnswer infer_type(const LoadedClosure& loaded,
                      const Term& term,
                      const KernelOptions& options,
                      Monitor& monitor) {
    return evaluate(
        loaded, term, options, monitor,
        [](TypeChecker& types, kernel::Term, kernel::Closure type) { return types.force(type); });
}

TermAnswer unfold(const LoadedClosure& loaded,
                  const Term& term,
                  const KernelOptions& options,
                  Monitor& monitor) {
    return evaluate(loaded, term, options, monitor,
                    [](TypeChecker& types, kernel::Term given, kernel::Closure) {
                        return types.unfold_definition(given).value_or(given);
                    });
}

EqualityAnswer is_def_eq(const LoadedClosure& loaded,
                         const Term& t,
                         const Term& s,
                         const KernelOptions& options,
                         Monitor& monitor) {
    return loaded.kernels().run(options, monitor, [&](CallChecker& call) {
        EqualityAnswer answer;
        answer.verdict = judged(call, [&](TypeChecker& types) {
            std::vector<kernel::Level> params;
            const kernel::Term lhs = loaded_term(call, types, t, params);
            const kernel::Term rhs = loaded_term(call, types, s, params);
            declare(call, types, std::move(params));
            const kernel::Closure lhs_type = types.check(lhs);
            const kernel::Closure rhs_type = types.check(rhs);
            // The rules are for terms of one type: of others they would say what means nothing.
            answer.is_equal = types.is_def_eq(lhs_type, rhs_type) && types.is_def_eq(lhs, rhs);
        });
        answer.is_equal = answer.is_equal && answer.verdict.kind == VerdictKind::accepted;
        answer.verdict = under_missing_modules(loaded, std::move(answer.verdict));
        return answer;
    });
}

std::vector<Name> mentioned_constants(const LoadedClosure& loaded,
                                      const CandidateDeclaration& candidate) {
    const std::vector<bool> is_reachable =
        reachable_terms(candidate.terms, std::array{candidate.type, candidate.value});
    std::set<std::uint32_t> positions;
    bool has_string = false;
    for (std::size_t i = 0; i < is_reachable.size(); ++i) {
        const TermNode& node = candidate.terms.terms()[i];
        if (is_reachable[i] && (node.kind == TermKind::constant || node.kind == TermKind::proj))
            positions.insert(node.fields[0]);
        has_string = has_string || (is_reachable[i] && node.kind == TermKind::string);
    }
    std::vector<Name> names;
    for (const std::uint32_t position : positions)
        names.push_back(candidate.terms.names()[position]);
    for (const std::string_view text : module::string_literal_names) {
        if (has_string && loaded.index().find(Name(text)))
            names.emplace_back(text);
    }
    return names;
}

} // namespace leanhost::engine_native
