#include "kernel/term_lifter.hpp"

#include "base/utf8.hpp"

#include <limits>

namespace leanhost::kernel {
namespace {

using object::ExprRef;
using object::LevelRef;
using object::NameRef;

constexpr std::uint32_t first_slots = 1024;
constexpr std::size_t terms_between_looks = 8192; // at the limits

} // namespace

TermLifter::TermLifter(TypeChecker& types, NameTable& names)
    : types_(types), store_(types.store()), names_(names), terms_(first_slots), levels_(64),
      name_ids_(first_slots) {}

std::size_t TermLifter::bytes() const noexcept {
    return terms_.bytes() + levels_.bytes() + name_ids_.bytes();
}

Term TermLifter::term(ExprRef expr) {
    const std::uint64_t address = expr.object().word();
    if (const Term* const found = terms_.find(address))
        return *found;
    types_.check_stack();
    const Term term = make(expr);
    terms_.put(address, term);
    if (terms_.size() % terms_between_looks == 0)
        types_.check_limits();
    return term;
}

Term TermLifter::make(ExprRef expr) {
    switch (expr.kind()) {
    case ExprRef::Kind::bvar:
        return store_.bvar(
            expr.bvar_index().try_uint64().value_or(std::numeric_limits<std::uint64_t>::max()));
    case ExprRef::Kind::fvar:
        reject(RejectReason::free_variable, "a free variable");
    case ExprRef::Kind::mvar:
        reject(RejectReason::metavariable, "a metavariable");
    case ExprRef::Kind::sort:
        return store_.sort(level(expr.sort_level()));
    case ExprRef::Kind::constant: {
        const NameId id = name(expr.name());
        return store_.constant(id, levels(expr.const_levels()));
    }
    case ExprRef::Kind::app: {
        const Term function = term(expr.app_function());
        return store_.app(function, term(expr.app_argument()));
    }
    case ExprRef::Kind::lam:
    case ExprRef::Kind::forall_e: {
        const Term domain = term(expr.binder_type());
        const Term body = term(expr.binder_body());
        return expr.kind() == ExprRef::Kind::lam ? store_.lam(domain, body)
                                                 : store_.pi(domain, body);
    }
    case ExprRef::Kind::let_e: {
        const Term type = term(expr.binder_type());
        const Term value = term(expr.let_value());
        return store_.let(type, value, term(expr.let_body()));
    }
    case ExprRef::Kind::lit:
        return make_literal(expr);
    case ExprRef::Kind::mdata:
        return term(expr.mdata_expr());
    case ExprRef::Kind::proj: {
        const Term structure = term(expr.proj_struct());
        const auto index =
            expr.proj_index().try_uint64().value_or(std::numeric_limits<std::uint64_t>::max());
        return store_.proj(name(expr.name()), index, structure);
    }
    }
    throw object::MalformedObject(expr.object().word(), "term", expr.object().describe());
}

Term TermLifter::make_literal(ExprRef expr) {
    if (expr.literal_is_nat())
        return store_.nat(expr.nat_literal().words());
    const std::string_view text = expr.string_literal();
    if (!is_utf8(text))
        reject(RejectReason::bad_literal, "a string literal that is no UTF-8");
    return store_.string(text);
}

Level TermLifter::level(LevelRef level) {
    if (level.object().is_scalar())
        return make(level);
    const std::uint64_t address = level.object().word();
    if (const Level* const found = levels_.find(address))
        return *found;
    types_.check_stack();
    const Level made = make(level);
    levels_.put(address, made);
    return made;
}

Level TermLifter::make(LevelRef of) {
    switch (of.kind()) {
    case LevelRef::Kind::zero:
        return store_.zero();
    case LevelRef::Kind::succ:
        return store_.succ(level(of.pred()));
    case LevelRef::Kind::max: {
        const Level lhs = level(of.lhs());
        return store_.max(lhs, level(of.rhs()));
    }
    case LevelRef::Kind::imax: {
        const Level lhs = level(of.lhs());
        return store_.imax_as_stated(lhs, level(of.rhs()));
    }
    case LevelRef::Kind::param:
        return store_.param(name(of.name()));
    case LevelRef::Kind::mvar:
        break;
    }
    reject(RejectReason::metavariable, "a universe metavariable");
}

Levels TermLifter::levels(object::ListRef<LevelRef> list) {
    if (list.empty())
        return no_levels;
    std::vector<Level> all;
    for (const LevelRef one : list)
        all.push_back(level(one));
    return store_.list(all);
}

Levels TermLifter::params(object::ListRef<NameRef> names) {
    std::vector<Level> all;
    for (const NameRef one : names)
        all.push_back(store_.param(name(one)));
    return store_.list(all);
}

// From the last component back to one that is known, and forth again: a chain of any length costs
// no stack.
NameId TermLifter::name(NameRef name) {
    name_chain_.clear();
    NameId id = anonymous;
    for (; !name.is_anonymous(); name = name.prefix()) {
        if (const NameId* const found = name_ids_.find(name.object().word())) {
            id = *found;
            break;
        }
        name.require_well_formed();
        name_chain_.push_back(name);
    }
    for (std::size_t i = name_chain_.size(); i-- > 0;) {
        const NameRef part = name_chain_[i];
        if (part.is_string())
            id = names_.str(id, part.string_component());
        else if (const auto number = part.number_component().try_uint64())
            id = names_.num(id, *number);
        else // its text would be another name
            fail(ErrorCode::resource_exhausted, "a name with a number of 2^64 or more");
        name_ids_.put(part.object().word(), id);
    }
    return id;
}

} // namespace leanhost::kernel
