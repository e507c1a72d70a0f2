#include "kernel/inductive.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::kernel {
InductiveCheck::InductiveCheck(TypeChecker& checker, const Declaration& block)
    : checker_(checker), store_(checker.store()), block_(block), type_idx_(64),
      auxiliary_constructors_(64), replaced_(64), restored_(64), compared_(64), mentions_(64) {}

void InductiveCheck::refuse(RejectReason reason, NameId at, const std::string& why) const {
    reject(reason, fmt::format("{}: {}", checker_.names().text(at), why));
}

// `type` should be a function of that parameter.
void InductiveCheck::refuse_param(RejectReason reason, NameId at, Term type, Term param) const {
    const bool has_it = type != no_term && store_.kind(type) == TermKind::pi;
    refuse(reason, at,
           fmt::format(
               "its parameters are not those of the block: one is\n  {}\nwhere it has\n  {}",
               checker_.print(store_[param].a), has_it ? checker_.print(store_[type].a) : "none"));
}

Term InductiveCheck::local(Term type) {
    return checker_.local(next_local_++, type);
}

void InductiveCheck::run() {
    derive_types();
    compare_type_facts();
    const auto is_recursor = [](const ConstantInfo& i) { return i.kind == ConstantKind::recursor; };
    const bool has_recursors =
        std::any_of(block_.constants.begin(), block_.constants.end(), is_recursor);
    if (has_recursors || !block_.do_recursors_follow) {
        derive_recursors();
        compare_recursors();
    }
    checker_.forget_inequalities();
}

void InductiveCheck::derive_types() {
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
}

void InductiveCheck::derive_recursors() {
    make_motives();
    make_minors();
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
            refuse_param(RejectReason::bad_inductive, type.name, at, param);
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
        refuse(
            RejectReason::bad_inductive, type.name,
            fmt::format("the types of a block live in the same universe, not in\n  {}\nand\n  {}",
                        checker_.print(sort), checker_.print(store_.sort(result_level_))));
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
            refuse_param(RejectReason::bad_constructor, constructor.name, at, param);
        at = checker_.instantiate(store_[at].b, param);
    }
    const bool is_prop = checker_.order().is_zero(result_level_);
    for (; store_.kind(at) == TermKind::pi; ++constructor.num_fields) {
        const Term domain = store_[at].a;
        const Level level = checker_.ensure_sort(checker_.infer(domain));
        if (!is_prop && !checker_.order().leq(level, result_level_))
            refuse(
                RejectReason::universe_too_small, constructor.name,
                fmt::format("field {} of type\n  {}\nlives in\n  {}\nabove that of the type\n  {}",
                            constructor.num_fields, checker_.print(domain),
                            checker_.print(store_.sort(level)),
                            checker_.print(store_.sort(result_level_))));
        is_recursive_ = is_recursive_ || mentions_block(domain);
        is_reflexive_ =
            is_reflexive_ || (store_.kind(domain) == TermKind::pi && mentions_block(domain));
        if (safety_ != DefinitionSafety::unsafe)
            check_positivity(domain, constructor.name);
        at = checker_.instantiate(store_[at].b, local(domain));
    }
    if (valid_app(at) != type_idx)
        refuse(RejectReason::bad_constructor, constructor.name,
               fmt::format("its result is not {} applied to the parameters, but\n  {}",
                           checker_.names().text(type.name), checker_.print(at)));
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
        if (facts.num_nested != InductiveFacts::unstated)
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

} // namespace leanhost::kernel
