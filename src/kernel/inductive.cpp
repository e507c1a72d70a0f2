#include "kernel/inductive.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::kernel {
namespace {

bool has_parts(TermKind kind) {
    switch (kind) {
    case TermKind::app:
    case TermKind::lam:
    case TermKind::pi:
    case TermKind::let:
    case TermKind::proj:
    case TermKind::fvar:
        return true;
    default:
        return false;
    }
}

} // namespace

InductiveCheck::InductiveCheck(TypeChecker& checker, const Declaration& block)
    : checker_(checker), store_(checker.store()), block_(block), type_idx_(64),
      auxiliary_constructors_(64), replaced_(64), restored_(64), compared_(64), mentions_(64) {}

void InductiveCheck::refuse(RejectReason reason, NameId at, const std::string& why) const {
    reject(reason, fmt::format("{}: {}", checker_.names().text(at), why));
}

Term InductiveCheck::local(Term type) {
    return checker_.local(next_local_++, type);
}

void InductiveCheck::run() {
    read_block();
    open_params();
    for (std::size_t i = 0; i < num_own_; ++i)
        check_type(types_[i], i == 0);
    declare_types();
    checker_.set_overlay(&overlay_);
    // Before anything is replaced, what is written must be well-typed.
    for (std::size_t i = 0; i < num_own_; ++i) {
        for (const Constructor& constructor : types_[i].constructors)
            checker_.check_type(constructor.type);
    }
    replace_nested();
    for (std::size_t i = num_own_; i < types_.size(); ++i)
        check_type(types_[i], false);
    declare_types();
    for (std::size_t i = 0; i < types_.size(); ++i) {
        for (Constructor& constructor : types_[i].constructors)
            check_constructor(types_[i], i, constructor);
    }
    compare_type_facts();
    make_motives();
    make_minors();
    std::size_t num_recursors = 0;
    for (const ConstantInfo& info : block_.constants)
        num_recursors += info.kind == ConstantKind::recursor ? 1 : 0;
    if (num_recursors != types_.size())
        refuse(RejectReason::bad_recursor, types_[0].name,
               fmt::format("{} recursors are stated where there are {}", num_recursors,
                           types_.size()));
    for (std::size_t i = 0; i < types_.size(); ++i) {
        const NameId name = recursor_name(i);
        const ConstantInfo* const info =
            name == anonymous ? nullptr : given(name, ConstantKind::recursor);
        if (info == nullptr)
            refuse(RejectReason::bad_recursor, types_[0].name,
                   fmt::format("the recursor of type {} of the block is missing", i));
        compare_recursor(*info, i);
    }
    checker_.forget_inequalities();
}

// ---- what the block says of itself

const ConstantInfo* InductiveCheck::given(NameId name, ConstantKind kind) const {
    for (const ConstantInfo& info : block_.constants) {
        if (info.name == name && info.kind == kind)
            return &info;
    }
    return nullptr;
}

void InductiveCheck::read_block() {
    std::vector<NameId> all;
    std::size_t num_constructors = 0;
    for (const ConstantInfo& info : block_.constants) {
        if (info.kind == ConstantKind::inductive)
            all.push_back(info.name);
        num_constructors += info.kind == ConstantKind::constructor ? 1 : 0;
    }
    if (all.empty())
        refuse(RejectReason::bad_inductive, block_.constants[0].name,
               "a block without an inductive type");
    const ConstantInfo& first = *given(all[0], ConstantKind::inductive);
    num_params_ = given_facts(first).num_params;
    params_levels_ = first.params;
    safety_ = first.safety;
    for (const NameId name : all) {
        const ConstantInfo& info = *given(name, ConstantKind::inductive);
        const InductiveFacts& facts = given_facts(info);
        if (facts.all != all)
            refuse(RejectReason::bad_inductive, name, "its block is stated to be another");
        if (info.params != params_levels_ || facts.num_params != num_params_ ||
            info.safety != safety_)
            refuse(RejectReason::bad_inductive, name,
                   "parameters and safety must be the same for all types of a block");
        type_idx_.put(name, static_cast<std::uint32_t>(types_.size()));
        Type type{name, info.type, 0, {}, no_term, {}};
        read_constructors(info, type);
        num_constructors -= type.constructors.size();
        types_.push_back(std::move(type));
    }
    num_own_ = types_.size();
    if (num_constructors != 0)
        refuse(RejectReason::bad_constructor, all[0],
               "the constructors stated are not those that the types list");
}

void InductiveCheck::read_constructors(const ConstantInfo& info, Type& type) {
    std::uint32_t index = 0;
    for (const NameId name : given_facts(info).constructors) {
        const ConstantInfo* const constructor = given(name, ConstantKind::constructor);
        if (constructor == nullptr)
            refuse(RejectReason::bad_constructor, name, "a constructor that is not stated");
        const InductiveFacts& facts = given_facts(*constructor);
        if (facts.inductive != info.name || facts.index != index ||
            facts.num_params != num_params_ || constructor->params != params_levels_ ||
            constructor->safety != safety_)
            refuse(RejectReason::bad_constructor, name,
                   "what is stated of it does not agree with its type");
        type.constructors.push_back({name, constructor->type, 0});
        ++index;
    }
}

// ---- types

Term InductiveCheck::pi_or_none(Term type) {
    if (store_.kind(type) != TermKind::pi)
        type = checker_.whnf(type);
    return store_.kind(type) == TermKind::pi ? type : no_term;
}

void InductiveCheck::open_params() {
    Term type = types_[0].type;
    checker_.check_type(type);
    for (std::uint32_t i = 0; i < num_params_; ++i) {
        type = pi_or_none(type);
        if (type == no_term)
            refuse(RejectReason::bad_inductive, types_[0].name,
                   "its type has fewer parameters than are stated");
        params_.push_back(local(store_[type].a));
        type = checker_.instantiate(store_[type].b, params_.back());
    }
}

void InductiveCheck::check_type(Type& type, bool is_first) {
    if (!is_first)
        checker_.check_type(type.type);
    Term at = type.type;
    for (const Term param : params_) {
        at = pi_or_none(at);
        if (at == no_term || !checker_.is_def_eq(store_[at].a, store_[param].a))
            refuse(RejectReason::bad_inductive, type.name,
                   "its parameters are not those of the block");
        at = checker_.instantiate(store_[at].b, param);
    }
    const std::uint32_t mark = next_local_;
    for (Term pi = pi_or_none(at); pi != no_term; pi = pi_or_none(at)) {
        at = checker_.instantiate(store_[pi].b, local(store_[pi].a));
        ++type.num_indices;
    }
    next_local_ = mark;
    const Term sort = checker_.whnf(at);
    if (store_.kind(sort) != TermKind::sort)
        refuse(RejectReason::bad_inductive, type.name, "its type does not end in a sort");
    if (is_first)
        result_level_ = store_[sort].a;
    else if (!checker_.order().equal(result_level_, store_[sort].a))
        refuse(RejectReason::bad_inductive, type.name,
               "the types of a block live in the same universe");
}

void InductiveCheck::declare_types() {
    for (const Type& type : types_) {
        InductiveFacts facts;
        facts.num_params = num_params_;
        facts.num_indices = type.num_indices;
        facts.is_recursive = true; // settled when the constructors are known
        for (const Constructor& constructor : type.constructors)
            facts.constructors.push_back(constructor.name);
        ConstantInfo info;
        info.name = type.name;
        info.kind = ConstantKind::inductive;
        info.safety = safety_;
        info.params = params_levels_;
        info.type = type.type;
        overlay_.add(info, &facts);
    }
}

// ∀ params, B becomes B over the block's own parameters.
Term InductiveCheck::instantiate_params(Term type, NameId at) {
    for (const Term param : params_) {
        if (store_.kind(type) != TermKind::pi)
            refuse(RejectReason::bad_constructor, at, "its type has fewer parameters than stated");
        type = checker_.instantiate(store_[type].b, param);
    }
    return type;
}

// ---- nested occurrences

void InductiveCheck::replace_nested() {
    for (std::size_t i = 0; i < types_.size(); ++i) {
        for (std::size_t k = 0; k < types_[i].constructors.size(); ++k) {
            // Replacing may add types: no reference is held over it.
            const Constructor constructor = types_[i].constructors[k];
            const Term body = instantiate_params(constructor.type, constructor.name);
            const Term replaced = replace_in(body);
            if (replaced != body)
                types_[i].constructors[k].type = checker_.mk_pi(params_, replaced);
        }
    }
}

bool InductiveCheck::mentions_block(Term term) {
    const TermNode& node = store_[term];
    switch (node.kind) {
    case TermKind::constant:
        return is_block_type(node.a);
    case TermKind::app:
    case TermKind::lam:
    case TermKind::pi:
    case TermKind::let:
    case TermKind::let_rest:
    case TermKind::proj:
        break;
    default:
        return false;
    }
    if (const std::uint8_t* const found = mentions_.find(term))
        return *found != 0;
    const bool result =
        mentions_block(node.a) || (node.kind != TermKind::proj && mentions_block(node.b));
    mentions_.put(term, result ? 1 : 0);
    return result;
}

Term InductiveCheck::replace_in(Term term) {
    if (!mentions_block(term))
        return term;
    if (const Term* const found = replaced_.find(term))
        return *found;
    Term result = auxiliary_for(term);
    if (result == no_term)
        result = has_parts(store_.kind(term)) ? map_parts(store_[term], &InductiveCheck::replace_in)
                                              : term;
    replaced_.put(term, result);
    return result;
}

// Rebuilds a term with `map` done to its parts. Loose variables stay as they are.
Term InductiveCheck::map_parts(const TermNode& node, Term (InductiveCheck::*map)(Term)) {
    checker_.check_stack();
    const auto mapped = [&](Term part) { return (this->*map)(part); };
    switch (node.kind) {
    case TermKind::app: {
        const Term function = mapped(node.a);
        return store_.app(function, mapped(node.b));
    }
    case TermKind::lam:
    case TermKind::pi: {
        const Term domain = mapped(node.a);
        return store_.binder(node.kind, domain, mapped(node.b));
    }
    case TermKind::let: {
        const TermNode& rest = store_[node.b];
        const Term value = mapped(node.a);
        const Term type = mapped(rest.a);
        return store_.let(type, value, mapped(rest.b));
    }
    case TermKind::proj:
        return store_.proj(node.b, node.extra, mapped(node.a));
    case TermKind::fvar:
        return store_.fvar(node.b, mapped(node.a));
    default:
        fail(ErrorCode::internal, "a term without parts");
    }
}

// For an earlier inductive type applied to parameters that mention the block: the auxiliary type in
// its place. Otherwise none.
Term InductiveCheck::auxiliary_for(Term app) {
    const TermNode& head = store_[checker_.app_fn(app)];
    if (head.kind != TermKind::constant || is_block_type(head.a))
        return no_term;
    const ConstantInfo* const info = checker_.find(head.a);
    if (info == nullptr || info->kind != ConstantKind::inductive)
        return no_term;
    const std::uint32_t num_params = checker_.facts(*info).num_params;
    std::vector<Term> args;
    checker_.app_args(app, args);
    if (args.size() < num_params)
        return no_term;
    std::vector<Term> params(args.begin(), args.begin() + num_params);
    if (std::none_of(params.begin(), params.end(), [this](Term p) { return mentions_block(p); }))
        return no_term;
    for (const Term param : params) {
        if (store_[param].loose != 0)
            refuse(RejectReason::bad_inductive, types_[0].name,
                   "the parameters of a nested occurrence contain a local variable");
    }
    const Term nested = checker_.mk_app(checker_.app_fn(app), params);
    const auto is_it = [&](const Nested& n) { return n.app == nested; };
    auto found = std::find_if(nested_.begin(), nested_.end(), is_it);
    if (found == nested_.end()) {
        add_auxiliaries(*info, head.b, params);
        found = std::find_if(nested_.begin(), nested_.end(), is_it);
    }
    const auto i = static_cast<std::size_t>(found - nested_.begin());
    Term result = store_.constant(types_[num_own_ + i].name, params_levels_);
    result = checker_.mk_app(result, params_);
    for (std::size_t k = num_params; k < args.size(); ++k)
        result = store_.app(result, args[k]);
    return result;
}

// One for each type of the block of `inductive`, all with these parameters.
void InductiveCheck::add_auxiliaries(const ConstantInfo& inductive,
                                     Levels levels,
                                     const std::vector<Term>& params) {
    const std::vector<NameId> all = checker_.facts(inductive).all;
    const auto specialise = [&](const ConstantInfo& info) {
        if (store_.levels(info.params).size() != store_.levels(levels).size())
            refuse(RejectReason::wrong_number_of_levels, types_[0].name, "in a nested occurrence");
        Term type = checker_.instantiate_params(info.type, info.params, levels);
        for (const Term param : params) {
            type = pi_or_none(type);
            if (type == no_term)
                refuse(RejectReason::bad_inductive, types_[0].name,
                       "a nested occurrence has too many parameters");
            type = checker_.instantiate(store_[type].b, param);
        }
        return checker_.mk_pi(params_, type);
    };
    for (const NameId name : all) {
        const ConstantInfo* const info = checker_.find(name);
        if (info == nullptr || info->kind != ConstantKind::inductive)
            refuse(RejectReason::bad_inductive, types_[0].name,
                   "a nested occurrence of what is no inductive type");
        Type type{checker_.fresh_name(), specialise(*info), 0, {}, no_term, {}};
        Nested nested{name, levels, params, no_term};
        nested.app = checker_.mk_app(store_.constant(name, levels), params);
        type_idx_.put(type.name, static_cast<std::uint32_t>(types_.size()));
        for (const NameId constructor : checker_.facts(*info).constructors) {
            const ConstantInfo* const at = checker_.find(constructor);
            if (at == nullptr)
                refuse(RejectReason::bad_inductive, constructor, "is not declared");
            const NameId fresh = checker_.fresh_name();
            auxiliary_constructors_.put(fresh, (std::uint64_t{types_.size()} << 32) |
                                                   type.constructors.size());
            type.constructors.push_back({fresh, specialise(*at), 0});
        }
        types_.push_back(std::move(type));
        nested_.push_back(std::move(nested));
    }
    mentions_.clear(); // there are more names of the block now
}

// Back from auxiliary types and constructors to what they stand for.
Term InductiveCheck::restore(Term term) {
    if (!has_parts(store_.kind(term)) && store_.kind(term) != TermKind::constant)
        return term;
    if (const Term* const found = restored_.find(term))
        return *found;
    Term result = restore_app(term);
    if (result == no_term)
        result =
            has_parts(store_.kind(term)) ? map_parts(store_[term], &InductiveCheck::restore) : term;
    restored_.put(term, result);
    return result;
}

Term InductiveCheck::restore_app(Term term) {
    const TermNode& head = store_[checker_.app_fn(term)];
    if (head.kind != TermKind::constant || (head.a & scratch_bit) == 0)
        return no_term;
    std::vector<Term> args;
    checker_.app_args(term, args);
    if (args.size() < num_params_)
        fail(ErrorCode::internal, "an auxiliary constant without its parameters");
    const std::uint64_t* const constructor = auxiliary_constructors_.find(head.a);
    const std::size_t idx = constructor != nullptr ? static_cast<std::size_t>(*constructor >> 32)
                                                   : *type_idx_.find(head.a);
    const Nested& nested = nested_[idx - num_own_];
    Term result = nested.app;
    if (constructor != nullptr) {
        const ConstantInfo& info = *checker_.find(nested.inductive);
        const auto k = static_cast<std::uint32_t>(*constructor);
        result = checker_.mk_app(
            store_.constant(checker_.facts(info).constructors[k], nested.levels), nested.params);
    }
    // The parameters of an auxiliary are the free variables of the block, at every place.
    for (std::size_t i = 0; i < num_params_; ++i)
        LEANHOST_REQUIRE(args[i] == params_[i]);
    result = restore(result);
    for (std::size_t i = num_params_; i < args.size(); ++i)
        result = store_.app(result, restore(args[i]));
    return result;
}

// ---- constructors

// I params indices with a type of the block: which one.
std::optional<std::size_t> InductiveCheck::valid_app(Term type) {
    const TermNode& head = store_[checker_.app_fn(type)];
    if (head.kind != TermKind::constant || head.b != params_levels_)
        return std::nullopt;
    const std::uint32_t* const idx = type_idx_.find(head.a);
    if (idx == nullptr)
        return std::nullopt;
    std::vector<Term> args;
    checker_.app_args(type, args);
    if (args.size() != num_params_ + types_[*idx].num_indices)
        return std::nullopt;
    for (std::size_t i = 0; i < args.size(); ++i) {
        if (i < num_params_ ? args[i] != params_[i] : mentions_block(args[i]))
            return std::nullopt;
    }
    return *idx;
}

void InductiveCheck::check_constructor(const Type& type,
                                       std::size_t type_idx,
                                       Constructor& constructor) {
    if (!nested_.empty()) // else it was checked as it was written
        checker_.check_type(constructor.type);
    const std::uint32_t mark = next_local_;
    Term at = constructor.type;
    for (const Term param : params_) {
        if (store_.kind(at) != TermKind::pi || !checker_.is_def_eq(store_[at].a, store_[param].a))
            refuse(RejectReason::bad_constructor, constructor.name,
                   "its parameters are not those of the type");
        at = checker_.instantiate(store_[at].b, param);
    }
    const bool is_prop = checker_.order().is_zero(result_level_);
    for (; store_.kind(at) == TermKind::pi; ++constructor.num_fields) {
        const Term domain = store_[at].a;
        const Level level = checker_.ensure_sort(checker_.infer(domain));
        if (!is_prop && !checker_.order().leq(level, result_level_))
            refuse(RejectReason::universe_too_small, constructor.name,
                   fmt::format("field {} lives in a universe above that of the type",
                               constructor.num_fields));
        is_recursive_ = is_recursive_ || mentions_block(domain);
        is_reflexive_ =
            is_reflexive_ || (store_.kind(domain) == TermKind::pi && mentions_block(domain));
        if (safety_ != DefinitionSafety::unsafe)
            check_positivity(domain, constructor.name);
        at = checker_.instantiate(store_[at].b, local(domain));
    }
    if (valid_app(at) != type_idx)
        refuse(RejectReason::bad_constructor, constructor.name,
               fmt::format("its result is not {} applied to the parameters",
                           checker_.names().text(type.name)));
    next_local_ = mark;
}

void InductiveCheck::check_positivity(Term type, NameId constructor) {
    type = checker_.whnf(type);
    if (!mentions_block(type))
        return;
    while (store_.kind(type) == TermKind::pi) {
        if (mentions_block(store_[type].a))
            refuse(RejectReason::positivity, constructor,
                   "a type of the block stands to the left of an arrow");
        type = checker_.whnf(checker_.instantiate(store_[type].b, local(store_[type].a)));
        if (!mentions_block(type))
            return;
    }
    if (!valid_app(type))
        refuse(RejectReason::positivity, constructor,
               fmt::format("a type of the block occurs where it must not: {}",
                           checker_.print(type, 200)));
}

void InductiveCheck::compare_type_facts() {
    for (std::size_t i = 0; i < num_own_; ++i) {
        const Type& type = types_[i];
        const InductiveFacts& facts = given_facts(*given(type.name, ConstantKind::inductive));
        const auto compare = [&](std::uint64_t stated, std::uint64_t is, const char* what) {
            if (stated != is)
                refuse(RejectReason::bad_inductive, type.name,
                       fmt::format("{} is stated to be {}, and is {}", what, stated, is));
        };
        compare(facts.num_indices, type.num_indices, "the number of indices");
        compare(facts.num_nested, nested_.size(), "the number of nested occurrences");
        compare(facts.is_recursive ? 1 : 0, is_recursive_ ? 1 : 0, "isRec");
        compare(facts.is_reflexive ? 1 : 0, is_reflexive_ ? 1 : 0, "isReflexive");
        for (const Constructor& constructor : type.constructors) {
            const auto& stated = given_facts(*given(constructor.name, ConstantKind::constructor));
            if (stated.num_fields != constructor.num_fields)
                refuse(RejectReason::bad_constructor, constructor.name,
                       fmt::format("{} fields are stated where there are {}", stated.num_fields,
                                   constructor.num_fields));
        }
    }
}

// ---- recursors

std::vector<Term> InductiveCheck::open_telescope(Term type, std::uint32_t count, Term& result) {
    std::vector<Term> locals;
    for (std::uint32_t i = 0; i < count; ++i) {
        type = pi_or_none(type);
        LEANHOST_REQUIRE(type != no_term);
        locals.push_back(local(store_[type].a));
        type = checker_.instantiate(store_[type].b, locals.back());
    }
    result = type;
    return locals;
}

std::vector<Term> InductiveCheck::open_fields(const Constructor& constructor, Term& result) {
    return open_telescope(instantiate_params(constructor.type, constructor.name),
                          constructor.num_fields, result);
}

// A type that may be Prop eliminates to all universes only if nothing but proofs, and what the
// result's indices show, could be told from it.
bool InductiveCheck::eliminates_only_to_prop() {
    if (checker_.order().leq(store_.one(), result_level_))
        return false;
    if (types_.size() > 1 || types_[0].constructors.size() > 1)
        return true;
    if (types_[0].constructors.empty())
        return false;
    const std::uint32_t mark = next_local_;
    Term result = no_term;
    const std::vector<Term> fields = open_fields(types_[0].constructors[0], result);
    std::vector<Term> args;
    checker_.app_args(result, args);
    next_local_ = mark;
    return std::any_of(fields.begin(), fields.end(), [&](Term field) {
        const Level level = checker_.ensure_sort(checker_.infer(store_[field].a));
        return !checker_.order().is_zero(level) &&
               std::find(args.begin(), args.end(), field) == args.end();
    });
}

void InductiveCheck::make_motives() {
    has_k_ = types_.size() == 1 && checker_.order().is_zero(result_level_) &&
             types_[0].constructors.size() == 1 && types_[0].constructors[0].num_fields == 0;
    const bool only_prop = eliminates_only_to_prop();
    const NameId name = recursor_name(0);
    const ConstantInfo* const info =
        name == anonymous ? nullptr : given(name, ConstantKind::recursor);
    if (info == nullptr)
        refuse(RejectReason::bad_recursor, types_[0].name, "its recursor is missing");
    // The recursor's own name for the universe it eliminates to, then the type's parameters.
    const auto stated = store_.levels(info->params);
    const auto own = store_.levels(params_levels_);
    const std::size_t extra = only_prop ? 0 : 1;
    if (stated.size() != own.size() + extra ||
        !std::equal(own.begin(), own.end(), stated.begin() + static_cast<std::ptrdiff_t>(extra)))
        refuse(RejectReason::bad_recursor, name,
               only_prop ? "it must eliminate to Prop only"
                         : "its universe parameters must be one more than those of the type");
    elim_level_ = only_prop ? store_.zero() : stated[0];
    recursor_levels_ = info->params;
    for (Type& type : types_) {
        const std::uint32_t mark = next_local_;
        Term rest = type.type;
        for (const Term param : params_)
            rest = checker_.instantiate(store_[pi_or_none(rest)].b, param);
        std::vector<Term> locals = open_telescope(rest, type.num_indices, rest);
        Term major = store_.constant(type.name, params_levels_);
        major = checker_.mk_app(checker_.mk_app(major, params_), locals);
        locals.push_back(local(major));
        const Term motive_type = checker_.mk_pi(locals, store_.sort(elim_level_));
        next_local_ = mark;
        type.motive = local(motive_type);
    }
}

void InductiveCheck::make_minors() {
    for (Type& type : types_) {
        for (const Constructor& constructor : type.constructors) {
            const std::uint32_t mark = next_local_;
            const Term minor = minor_type(type, constructor);
            next_local_ = mark;
            type.minors.push_back(local(minor));
        }
    }
}

std::optional<InductiveCheck::RecursiveArg> InductiveCheck::recursive_arg(Term type) {
    RecursiveArg arg;
    type = checker_.whnf(type);
    while (store_.kind(type) == TermKind::pi) {
        arg.xs.push_back(local(store_[type].a));
        type = checker_.whnf(checker_.instantiate(store_[type].b, arg.xs.back()));
    }
    const auto idx = valid_app(type);
    if (!idx)
        return std::nullopt;
    arg.type_idx = *idx;
    checker_.app_args(type, arg.indices);
    arg.indices.erase(arg.indices.begin(), arg.indices.begin() + num_params_);
    return arg;
}

// ∀ fields, (∀ xs, motive (field xs)) → … → motive (constructor fields)
Term InductiveCheck::minor_type(const Type& type, const Constructor& constructor) {
    Term result = no_term;
    std::vector<Term> locals = open_fields(constructor, result);
    std::vector<Term> args;
    checker_.app_args(result, args);
    args.erase(args.begin(), args.begin() + num_params_);
    Term value = checker_.mk_app(store_.constant(constructor.name, params_levels_), params_);
    value = checker_.mk_app(value, locals);
    const Term conclusion = store_.app(checker_.mk_app(type.motive, args), value);
    const std::vector<Term> fields = locals;
    for (const Term field : fields) {
        const auto arg = recursive_arg(store_[field].a);
        if (!arg)
            continue;
        const Term motive = checker_.mk_app(types_[arg->type_idx].motive, arg->indices);
        const Term applied = store_.app(motive, checker_.mk_app(field, arg->xs));
        locals.push_back(local(checker_.mk_pi(arg->xs, applied)));
    }
    return checker_.mk_pi(locals, conclusion);
}

Term InductiveCheck::recursor_type(const Type& type) {
    const std::uint32_t mark = next_local_;
    std::vector<Term> locals = params_;
    for (const Type& t : types_)
        locals.push_back(t.motive);
    for (const Type& t : types_)
        locals.insert(locals.end(), t.minors.begin(), t.minors.end());
    Term rest = type.type;
    for (const Term param : params_)
        rest = checker_.instantiate(store_[pi_or_none(rest)].b, param);
    const std::vector<Term> indices = open_telescope(rest, type.num_indices, rest);
    Term major = checker_.mk_app(store_.constant(type.name, params_levels_), params_);
    major = local(checker_.mk_app(major, indices));
    locals.insert(locals.end(), indices.begin(), indices.end());
    locals.push_back(major);
    const Term conclusion = store_.app(checker_.mk_app(type.motive, indices), major);
    std::vector<Term> restored;
    Term result = conclusion;
    next_local_ = mark;
    if (nested_.empty())
        return checker_.mk_pi(locals, result);
    result = restore(result);
    for (const Term l : locals)
        restored.push_back(restore(l));
    return checker_.mk_pi(restored, result);
}

// λ params motives minors fields, minor fields (λ xs, rec … indices (field xs)) …
Term InductiveCheck::rule_rhs(const Type& type, std::size_t constructor_idx) {
    const std::uint32_t mark = next_local_;
    std::vector<Term> before = params_;
    for (const Type& t : types_)
        before.push_back(t.motive);
    for (const Type& t : types_)
        before.insert(before.end(), t.minors.begin(), t.minors.end());
    Term result = no_term;
    const std::vector<Term> fields = open_fields(type.constructors[constructor_idx], result);
    Term rhs = checker_.mk_app(type.minors[constructor_idx], fields);
    for (const Term field : fields) {
        const auto arg = recursive_arg(store_[field].a);
        if (!arg)
            continue;
        Term call = store_.constant(recursor_name(arg->type_idx), recursor_levels_);
        call = checker_.mk_app(checker_.mk_app(call, before), arg->indices);
        call = store_.app(call, checker_.mk_app(field, arg->xs));
        rhs = store_.app(rhs, checker_.mk_lam(arg->xs, call));
    }
    before.insert(before.end(), fields.begin(), fields.end());
    next_local_ = mark;
    if (nested_.empty())
        return checker_.mk_lam(before, rhs);
    rhs = restore(rhs);
    for (Term& l : before)
        l = restore(l);
    return checker_.mk_lam(before, rhs);
}

NameId InductiveCheck::major_inductive(std::size_t type_idx) const {
    return type_idx < num_own_ ? types_[type_idx].name : nested_[type_idx - num_own_].inductive;
}

NameId InductiveCheck::recursor_name(std::size_t type_idx) const {
    if (type_idx < num_own_)
        return checker_.names().find_str(types_[type_idx].name, "rec");
    return checker_.names().find_str(types_[0].name,
                                     fmt::format("rec_{}", type_idx - num_own_ + 1));
}

// Lean's kernel drops `outParam` and the like from some binders' types: which, has changed over the
// years. So what is generated may have some that what is stated has not. Never the other way round:
// every part of what is stated is a part of what was generated from checked terms, since nothing
// else checks it before it stands in the environment.
bool InductiveCheck::is_same(Term stated, Term is) {
    if (stated == is)
        return true;
    const std::uint64_t pair = std::uint64_t{stated} << 32U | is;
    if (const bool* const found = compared_.find(pair))
        return *found;
    const Term inner = annotated(is);
    const bool result = (inner != no_term && is_same(stated, inner)) || have_same_parts(stated, is);
    compared_.put(pair, result);
    return result;
}

bool InductiveCheck::have_same_parts(Term stated, Term is) {
    checker_.check_stack();
    const TermNode& t = store_[stated];
    const TermNode& s = store_[is];
    if (t.kind != s.kind || !has_parts(t.kind))
        return false;
    switch (t.kind) {
    case TermKind::app:
    case TermKind::lam:
    case TermKind::pi:
        return is_same(t.a, s.a) && is_same(t.b, s.b);
    case TermKind::let: {
        const TermNode& t_rest = store_[t.b];
        const TermNode& s_rest = store_[s.b];
        return is_same(t.a, s.a) && is_same(t_rest.a, s_rest.a) && is_same(t_rest.b, s_rest.b);
    }
    case TermKind::proj:
        return t.b == s.b && t.extra == s.extra && is_same(t.a, s.a);
    default:
        return false;
    }
}

// α of `outParam α`, `optParam α v` and their kind, if that is what these unfold to.
Term InductiveCheck::annotated(Term term) {
    const KernelNames& known = checker_.known();
    const TermNode& head = store_[checker_.app_fn(term)];
    if (head.kind != TermKind::constant)
        return no_term;
    const bool takes_two = head.a == known.opt_param || head.a == known.auto_param;
    const bool takes_one = head.a == known.out_param || head.a == known.semi_out_param;
    const unsigned num_args = takes_two ? 2 : 1;
    if ((!takes_two && !takes_one) || checker_.num_args(term) != num_args)
        return no_term;
    const ConstantInfo* const info = checker_.find(head.a);
    if (info == nullptr || info->kind != ConstantKind::definition)
        return no_term;
    Term body = info->value;
    for (unsigned i = 0; i < num_args; ++i) {
        if (store_.kind(body) != TermKind::lam)
            return no_term;
        body = store_[body].b;
    }
    const TermNode& result = store_[body];
    if (result.kind != TermKind::bvar || result.a != num_args - 1)
        return no_term;
    return takes_two ? store_[store_[term].a].b : store_[term].b;
}

void InductiveCheck::compare_recursor(const ConstantInfo& info, std::size_t type_idx) {
    const Type& type = types_[type_idx];
    const InductiveFacts& facts = given_facts(info);
    const auto compare = [&](std::uint64_t stated, std::uint64_t is, const char* what) {
        if (stated != is)
            refuse(RejectReason::bad_recursor, info.name,
                   fmt::format("{} is stated to be {}, and is {}", what, stated, is));
    };
    std::size_t num_minors = 0;
    for (const Type& t : types_)
        num_minors += t.minors.size();
    compare(facts.num_params, num_params_, "the number of parameters");
    compare(facts.num_indices, type.num_indices, "the number of indices");
    compare(facts.num_motives, types_.size(), "the number of motives");
    compare(facts.num_minors, num_minors, "the number of minor premises");
    compare(facts.has_k ? 1 : 0, has_k_ ? 1 : 0, "k");
    compare(facts.rules.size(), type.constructors.size(), "the number of rules");
    const auto& own = given_facts(*given(types_[0].name, ConstantKind::inductive));
    if (facts.all != own.all || info.params != recursor_levels_ || info.safety != safety_)
        refuse(RejectReason::bad_recursor, info.name,
               "block, universe parameters and safety must be those of the type");
    if (facts.inductive != major_inductive(type_idx))
        refuse(RejectReason::bad_recursor, info.name, "its major premise is of another type");
    const Term generated = recursor_type(type);
    if (!is_same(info.type, generated))
        refuse(RejectReason::bad_recursor, info.name,
               fmt::format("its type is stated to be\n  {}\nand is\n  {}",
                           checker_.print(info.type), checker_.print(generated)));
    for (std::size_t i = 0; i < facts.rules.size(); ++i) {
        const RecursorRule& rule = facts.rules[i];
        NameId constructor = type.constructors[i].name;
        if (type_idx >= num_own_) {
            const Nested& nested = nested_[type_idx - num_own_];
            constructor = checker_.facts(*checker_.find(nested.inductive)).constructors[i];
        }
        if (rule.constructor != constructor || rule.num_fields != type.constructors[i].num_fields)
            refuse(RejectReason::bad_recursor, info.name,
                   fmt::format("rule {} is not that of {}", i, checker_.names().text(constructor)));
        const Term rhs = rule_rhs(type, i);
        if (!is_same(rule.rhs, rhs))
            refuse(RejectReason::bad_recursor, info.name,
                   fmt::format("rule {} is stated to be\n  {}\nand is\n  {}", i,
                               checker_.print(rule.rhs), checker_.print(rhs)));
    }
}

} // namespace leanhost::kernel
