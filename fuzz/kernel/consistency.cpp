#include "fuzz/kernel/consistency.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>

namespace leanhost::fuzz {

using kernel::ConstantInfo;
using kernel::ConstantKind;
using kernel::DefinitionSafety;
using kernel::Term;
using kernel::TermNode;

namespace {

class ConsistencyCheck {
public:
    explicit ConsistencyCheck(KernelRun& run) : run_(run), types_(run.types()) {}

    bool has_axioms() {
        for (std::uint32_t i = 0; i < run_.environment().size(); ++i) {
            if (run_.environment()[i].kind == ConstantKind::axiom)
                return true;
        }
        return false;
    }

    std::string constants() {
        for (std::uint32_t i = 0; i < run_.environment().size(); ++i) {
            const ConstantInfo& info = run_.environment()[i];
            const bool has_value = info.kind == ConstantKind::definition ||
                                   info.kind == ConstantKind::theorem ||
                                   info.kind == ConstantKind::opaque;
            if (!has_value || info.safety != DefinitionSafety::safe)
                continue;
            // Its parameters stand for themselves.
            begin(info.params);
            if (is_empty(info.type))
                return fmt::format("{} has the empty type {}", run_.names().text(info.name),
                                   types_.print(info.type));
            if (const std::string why = value_against_type(info); !why.empty())
                return why;
        }
        return {};
    }

    std::string applications() {
        collect_closed_terms();
        const std::size_t count = closed_.size();
        for (std::size_t f = 0; f < count; ++f) {
            const Term type = types_.whnf(types_.infer_type(closed_[f]));
            if (types_.store().kind(type) != kernel::TermKind::pi)
                continue;
            for (std::size_t x = 0; x < count; ++x) {
                if (!types_.is_def_eq(types_.infer_type(closed_[x]), types_.store()[type].a))
                    continue;
                const Term app = types_.store().app(closed_[f], closed_[x]);
                const Term of = types_.infer_type_checked(app);
                if (is_empty(of))
                    return fmt::format("{} has the empty type {}", types_.print(app),
                                       types_.print(of));
            }
        }
        return {};
    }

private:
    void begin(kernel::Levels params) {
        const auto last = static_cast<kernel::Ordinal>(run_.environment().size());
        types_.begin_declaration(last + 1'000'000, params, DefinitionSafety::safe);
    }

    bool is_empty(Term type) {
        type = types_.whnf(type);
        const TermNode& node = types_.store()[type];
        if (node.kind == kernel::TermKind::pi) {
            const TermNode& body = types_.store()[node.b];
            return types_.store().kind(types_.whnf(node.a)) == kernel::TermKind::sort &&
                   body.kind == kernel::TermKind::bvar && body.a == 0;
        }
        const TermNode& head = types_.store()[types_.app_fn(type)];
        if (head.kind != kernel::TermKind::constant)
            return false;
        const ConstantInfo* const info = types_.find(head.a);
        if (info == nullptr || info->kind != ConstantKind::inductive)
            return false;
        return types_.facts(*info).constructors.empty() ||
               (head.a == types_.known().eq && is_wrong_equation(type));
    }

    // Both sides are data: constructors, literals.
    bool is_wrong_equation(Term equation) {
        std::vector<Term> args;
        types_.app_args(equation, args);
        const ConstantInfo* const refl = types_.find(types_.known().eq_refl);
        if (args.size() != 3 || refl == nullptr || refl->kind != ConstantKind::constructor ||
            types_.facts(*refl).num_fields != 0 || types_.facts(*refl).num_params != 2 ||
            types_.is_prop(args[0]))
            return false;
        const Term lhs = types_.whnf(args[1]);
        const Term rhs = types_.whnf(args[2]);
        if (is_literal(lhs) && is_literal(rhs))
            return lhs != rhs;
        const ConstantInfo* const left = constructor_of(lhs);
        const ConstantInfo* const right = constructor_of(rhs);
        return left != nullptr && right != nullptr && left != right;
    }
    bool is_literal(Term term) {
        const kernel::TermKind kind = types_.store().kind(term);
        return kind == kernel::TermKind::nat || kind == kernel::TermKind::big_nat;
    }
    const ConstantInfo* constructor_of(Term term) {
        const TermNode& head = types_.store()[types_.app_fn(term)];
        const ConstantInfo* const info =
            head.kind == kernel::TermKind::constant ? types_.find(head.a) : nullptr;
        return info != nullptr && info->kind == ConstantKind::constructor ? info : nullptr;
    }

    // Reduction keeps types.
    std::string value_against_type(const ConstantInfo& info) {
        const Term value = types_.whnf(info.value);
        const Term type = types_.infer_type_checked(value);
        if (types_.is_def_eq(type, info.type))
            return {};
        return fmt::format("the value of {} reduces to\n  {}\nof type\n  {}\ninstead of\n  {}",
                           run_.names().text(info.name), types_.print(value), types_.print(type),
                           types_.print(info.type));
    }

    // Constants without parameters, or with all of them 0, or 1.
    void collect_closed_terms() {
        constexpr std::size_t most = 64;
        run_.begin_questions();
        kernel::TermStore& store = types_.store();
        for (std::uint32_t i = 0; i < run_.environment().size() && closed_.size() < most; ++i) {
            const ConstantInfo& info = run_.environment()[i];
            if (info.safety != DefinitionSafety::safe)
                continue;
            const std::size_t count = store.levels(info.params).size();
            for (const kernel::Level level : {store.zero(), store.one()}) {
                const std::vector<kernel::Level> levels(count, level);
                closed_.push_back(store.constant(info.name, store.list(levels)));
                if (count == 0)
                    break;
            }
        }
    }

    KernelRun& run_;
    kernel::TypeChecker& types_;
    std::vector<Term> closed_;
};

} // namespace

std::string inconsistency(KernelRun& run, bool thorough) {
    ConsistencyCheck check(run);
    if (check.has_axioms())
        return {};
    try {
        std::string found = check.constants();
        if (found.empty() && thorough)
            found = check.applications();
        return found;
    } catch (const kernel::Rejection& rejection) {
        return "what was accepted does not check again: " + rejection.text();
    } catch (const Failure& failure) {
        const ErrorCode code = failure.error().code();
        if (code == ErrorCode::resource_exhausted || code == ErrorCode::deep_recursion)
            return {};
        return failure.what();
    }
}

} // namespace leanhost::fuzz
