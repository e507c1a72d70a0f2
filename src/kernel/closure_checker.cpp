#include "kernel/closure_checker.hpp"

#include <algorithm>
#include <limits>

namespace leanhost::kernel {

using module::ConstantPlace;
using object::ConstantInfoRef;

namespace {

std::uint32_t count(object::NatRef number) {
    const auto value = number.try_uint64();
    if (!value || *value > std::numeric_limits<std::uint32_t>::max() / 8)
        reject(RejectReason::bad_block, "a count beyond all bounds");
    return static_cast<std::uint32_t>(*value);
}

DefinitionSafety safety_of(ConstantInfoRef info) {
    if (info.kind() == ConstantKind::definition)
        return info.safety();
    return info.is_unsafe() ? DefinitionSafety::unsafe : DefinitionSafety::safe;
}

// Of memory, steps or depth.
bool is_limit(const Failure& failure) {
    const ErrorCode code = failure.error().code();
    return code == ErrorCode::resource_exhausted || code == ErrorCode::deep_recursion;
}

bool is_inductive_kind(ConstantKind kind) {
    return kind == ConstantKind::inductive || kind == ConstantKind::constructor ||
           kind == ConstantKind::recursor;
}

std::vector<Ordinal> first_ordinals_of(const module::ImportClosure& closure) {
    std::vector<Ordinal> first{1};
    for (const module::ClosureModule& module : closure.modules()) {
        const std::uint64_t next = std::uint64_t{first.back()} + module.data.constants().size() + 1;
        if (next > std::numeric_limits<Ordinal>::max() / 2)
            fail(ErrorCode::resource_exhausted, "a closure of 2^31 constants and more");
        first.push_back(static_cast<Ordinal>(next));
    }
    return first;
}

} // namespace

/// Everything that is lifted, and what was found out about it. Ordinals count through the closure:
/// a declaration has its module's first and its place in the plan; a constant of a module before
/// the one at hand has its module's first.
class ClosureChecker::State final : public ConstantSource {
    // Calls `body` with the constant; an object of the wrong kind is told with file and offset.
    template <class F>
    auto reading(ConstantPlace place, F&& body) {
        const module::ClosureModule& module = owner_.closure_.modules()[place.module];
        return module::reading(*module.region, "constant",
                               [&] { return body(module.data.constant(place.constant)); });
    }

public:
    State(ClosureChecker& owner, Ordinal ordinal)
        : owner_(owner), known_(names_), persistent_(0, 64), first_terms_(persistent_),
          checker_(environment_, names_, known_, persistent_, limits(owner.limits_)),
          lifter_(checker_.types(), names_), now_(ordinal), is_looked_at_(known_.eq_refl + 1) {
        environment_.set_source(this);
        checker_.types().set_stack_limit(owner.stack_limit_);
        checker_.types().set_token(owner.token_);
        checker_.types().set_stop_token(owner.stop_token_);
        checker_.types().set_monitor(owner.monitor_);
    }

    TypeChecker& types() noexcept { return checker_.types(); }
    const TypeChecker& types() const noexcept { return checker_.types(); }
    TermLifter& lifter() noexcept { return lifter_; }
    NameTable& names() noexcept { return names_; }
    Ordinal now() const noexcept { return now_; }

    /// Constants of modules up to `module` may be found from now on. Null: all of them.
    void enter(std::uint32_t module, const ModulePlan* plan) {
        if (module_ == module && plan_ == plan)
            return;
        module_ = module;
        plan_ = plan;
        find_builtins();
    }

    /// To a declaration not before the last one. Rules that what stands before makes hold are
    /// learnt.
    void move_to(Ordinal ordinal) {
        now_ = ordinal;
        while (!builtins_.empty() && builtins_.back().first < ordinal) {
            const NameId name = builtins_.back().second;
            builtins_.pop_back();
            is_looked_at_[name] = true;
            learn_builtin(name);
        }
        types().begin_declaration(ordinal, no_levels, DefinitionSafety::safe);
    }

    Verdict check(std::span<const std::uint32_t> places, Ordinal ordinal) {
        try {
            return checker_.check(lift_declaration(places, ordinal), ordinal);
        } catch (const Rejection& rejection) {
            return refusal(VerdictKind::rejected, reject_reason_id(rejection.reason()),
                           rejection.text());
        } catch (const Failure& failure) {
            if (!is_limit(failure))
                throw;
            return refusal(VerdictKind::declined, std::string(failure.error().id()),
                           failure.error().message());
        }
    }

    Verdict check_new(const Declaration& declaration) { return checker_.check(declaration, now_); }

    void set_limits(const ClosureLimits& from) noexcept { types().set_limits(limits(from)); }

    const ConstantInfo* load(NameId name) override {
        if ((name & scratch_bit) != 0 || name == anonymous)
            return nullptr;
        const auto place = owner_.index_.find(names_.to_name(name));
        if (!place || place->module > module_)
            return nullptr;
        InductiveFacts facts;
        ConstantInfo info = reading(*place, [&](ConstantInfoRef from) {
            return lift_constant(from, ordinal_of(*place), facts);
        });
        LEANHOST_REQUIRE(info.name == name);
        info.origin = static_cast<std::uint32_t>(origins_.size());
        origins_.push_back(*place);
        return environment_.add(info, is_inductive_kind(info.kind) ? &facts : nullptr);
    }

    Term load_value(const ConstantInfo& info) override {
        const Term value = reading(origins_[info.origin],
                                   [&](ConstantInfoRef from) { return closed_term(from.value()); });
        environment_.set_value(info.name, value);
        return value;
    }

    std::size_t load_bytes() const noexcept {
        return types().load_bytes() + names_.bytes() + environment_.bytes() + lifter_.bytes();
    }
    std::size_t bytes() const noexcept {
        return types().scratch_bytes() + persistent_.bytes() + names_.bytes() +
               environment_.bytes() + lifter_.bytes();
    }

private:
    static Limits limits(const ClosureLimits& from) noexcept {
        // What is lifted stands in the scratch: it goes with this state, never alone.
        return {from.max_heartbeats, from.max_scratch_bytes, Limits::keep_all};
    }

    // What cannot even be lifted makes no rule hold. Who mentions it, or is it, is told so.
    void learn_builtin(NameId name) {
        try {
            if (const ConstantInfo* const info = environment_.find(name))
                types().learn_builtin(*info, std::max(info->ordinal + 1, first_of_module()));
        } catch (const Rejection&) {
            return;
        } catch (const Failure& failure) {
            if (!is_limit(failure))
                throw;
        }
    }

    // All of the modules before stand before it, however much of them was met while one of them was
    // being checked.
    Ordinal first_of_module() const { return owner_.first_ordinals_[module_]; }

    // What the plan leaves out is found too, so that it can be refused for what it is.
    Ordinal ordinal_of(ConstantPlace place) const {
        const Ordinal first = owner_.first_ordinals_[place.module];
        if (place.module != module_ || plan_ == nullptr)
            return first;
        const std::uint32_t declaration = plan_->declaration_of(place.constant);
        return declaration == ModulePlan::none ? first : first + 1 + declaration;
    }

    // What has loose variables is not even looked at, whether it is to be checked or taken as
    // given.
    Term closed_term(object::ExprRef expr) {
        const Term term = lifter_.term(expr);
        if (types().store()[term].loose != 0)
            reject(RejectReason::loose_bound_variable, "a bound variable that nothing binds");
        return term;
    }

    // The value is left out.
    ConstantInfo lift_constant(ConstantInfoRef from, Ordinal ordinal, InductiveFacts& facts) {
        ConstantInfo info;
        info.name = lifter_.name(from.name());
        info.kind = from.kind();
        info.safety = safety_of(from);
        if (info.kind == ConstantKind::quotient)
            info.quotient_kind = from.quotient_kind();
        if (info.kind == ConstantKind::definition) {
            const object::ReducibilityHints hints = from.hints();
            info.hints = hints.kind;
            info.height = hints.height;
        }
        info.params = lifter_.params(from.universe_params());
        info.type = closed_term(from.type());
        info.ordinal = ordinal;
        if (is_inductive_kind(info.kind))
            facts = lift_facts(from, info.type);
        return info;
    }

    InductiveFacts lift_facts(ConstantInfoRef from, Term type) {
        InductiveFacts facts;
        facts.num_params = count(from.num_params());
        switch (from.kind()) {
        case ConstantKind::inductive: {
            facts.all = lift_names(from.all());
            facts.constructors = lift_names(from.constructors());
            facts.num_indices = count(from.num_indices());
            const auto num_nested = from.num_nested();
            facts.num_nested = num_nested ? count(*num_nested) : InductiveFacts::unstated;
            facts.is_recursive = from.is_recursive();
            facts.is_reflexive = from.is_reflexive();
            break;
        }
        case ConstantKind::constructor:
            facts.inductive = lifter_.name(from.inductive_name());
            facts.index = count(from.constructor_index());
            facts.num_fields = count(from.num_constructor_fields());
            break;
        default:
            facts.all = lift_names(from.all());
            facts.num_indices = count(from.num_indices());
            facts.num_motives = count(from.num_motives());
            facts.num_minors = count(from.num_minors());
            facts.has_k = from.has_k();
            for (const object::RecursorRuleRef rule : from.rules())
                facts.rules.push_back({lifter_.name(rule.constructor()), count(rule.num_fields()),
                                       closed_term(rule.rhs())});
            facts.inductive = major_inductive(checker_.types().store(), facts, type);
            break;
        }
        return facts;
    }

    std::vector<NameId> lift_names(object::ListRef<object::NameRef> names) {
        std::vector<NameId> ids;
        for (const object::NameRef name : names)
            ids.push_back(lifter_.name(name));
        return ids;
    }

    Declaration lift_declaration(std::span<const std::uint32_t> places, Ordinal ordinal) {
        Declaration declaration;
        for (const std::uint32_t constant : places) {
            const ConstantPlace place{module_, constant};
            reading(place, [&](ConstantInfoRef from) {
                InductiveFacts facts;
                ConstantInfo info = lift_constant(from, ordinal, facts);
                if (from.has_value())
                    info.value = closed_term(from.value());
                if (is_inductive_kind(info.kind)) {
                    info.facts = static_cast<std::uint32_t>(declaration.facts.size());
                    declaration.facts.push_back(std::move(facts));
                    declaration.is_inductive_block = true;
                }
                declaration.constants.push_back(info);
            });
        }
        const auto known = owner_.index_.find(names_.to_name(declaration.constants[0].name));
        declaration.is_restated = known && known->module < module_;
        return declaration;
    }

    // Constants that may make a built-in rule hold, the last first. All of them were named before
    // anything else; within a module before, they come in the order of their rules.
    void find_builtins() {
        builtins_.clear();
        for (NameId name = 1; name <= known_.eq_refl; ++name) {
            const auto place = owner_.index_.find(names_.to_name(name));
            if (!is_looked_at_[name] && place && place->module <= module_)
                builtins_.emplace_back(ordinal_of(*place), name);
        }
        std::sort(builtins_.rbegin(), builtins_.rend());
    }

    ClosureChecker& owner_;
    NameTable names_;
    KernelNames known_;
    Environment environment_;
    TermArena persistent_; ///< only what every store needs
    TermStore first_terms_;
    Checker checker_;
    TermLifter lifter_;
    std::vector<ConstantPlace> origins_;
    std::uint32_t module_ = std::numeric_limits<std::uint32_t>::max();
    const ModulePlan* plan_ = nullptr;
    Ordinal now_;
    std::vector<std::pair<Ordinal, NameId>> builtins_; ///< still to be looked at
    std::vector<bool> is_looked_at_;                   ///< by name
};

ClosureChecker::ClosureChecker(const module::ImportClosure& closure,
                               const module::ConstantIndex& index,
                               PlanOf plan_of,
                               const ClosureLimits& limits)
    : closure_(closure), index_(index), plan_of_(std::move(plan_of)),
      first_ordinals_(first_ordinals_of(closure)), spare_(limits.spare_bytes) {
    set_limits(limits);
}

ClosureChecker::~ClosureChecker() = default;

Verdict ClosureChecker::check(std::uint32_t module, std::uint32_t declaration) {
    const ModulePlan& plan = plan_of_(module);
    const Ordinal ordinal = first_ordinals_[module] + 1 + declaration;
    const SpareRanges::Use use(spare_);
    try {
        State& state = state_for(ordinal);
        state.enter(module, &plan);
        state.move_to(ordinal);
        return state.check(plan.constants_of(declaration), ordinal);
    } catch (...) {
        is_broken_ = true; // it may be half way through something
        throw;
    }
}

TypeChecker& ClosureChecker::open_all() {
    const Ordinal ordinal = first_ordinals_.back();
    const SpareRanges::Use use(spare_);
    State& state = state_for(ordinal);
    state.enter(static_cast<std::uint32_t>(closure_.modules().size()), nullptr);
    state.move_to(ordinal);
    return state.types();
}

Term ClosureChecker::lift(const module::Region& region, object::ExprRef expr) {
    LEANHOST_REQUIRE(state_ != nullptr);
    return module::reading(region, "term", [&] { return state_->lifter().term(expr); });
}

NameId ClosureChecker::name(const Name& name) {
    LEANHOST_REQUIRE(state_ != nullptr);
    return state_->names().intern(name);
}

void ClosureChecker::begin_query(Levels params) {
    LEANHOST_REQUIRE(state_ != nullptr);
    state_->types().begin_declaration(state_->now(), params, DefinitionSafety::safe);
}

Verdict ClosureChecker::check_new(const Declaration& declaration) {
    LEANHOST_REQUIRE(state_ != nullptr);
    return state_->check_new(declaration);
}

// What was found out with the constants before one declaration holds for all that come after, not
// for those before it.
ClosureChecker::State& ClosureChecker::state_for(Ordinal ordinal) {
    if (state_ != nullptr &&
        (is_broken_ || state_->now() > ordinal || state_->load_bytes() > limits_.keep_bytes)) {
        end_state();
        ++num_drops_;
    }
    if (state_ == nullptr)
        state_ = std::make_unique<State>(*this, ordinal);
    return *state_;
}

void ClosureChecker::end_state() {
    past_heartbeats_ = total_heartbeats();
    past_reductions_ = total_reductions();
    state_.reset();
    is_broken_ = false;
}

void ClosureChecker::drop() {
    end_state();
    spare_.clear();
}

void ClosureChecker::set_stack_limit(std::uintptr_t limit) noexcept {
    stack_limit_ = limit;
    if (state_ != nullptr)
        state_->types().set_stack_limit(limit);
}

void ClosureChecker::set_token(CancellationToken token) {
    token_ = std::move(token);
    if (state_ != nullptr)
        state_->types().set_token(token_);
}

void ClosureChecker::set_stop_token(CancellationToken token) {
    stop_token_ = std::move(token);
    if (state_ != nullptr)
        state_->types().set_stop_token(stop_token_);
}

void ClosureChecker::set_monitor(Monitor* monitor) noexcept {
    monitor_ = monitor;
    if (state_ != nullptr)
        state_->types().set_monitor(monitor);
}

void ClosureChecker::set_limits(const ClosureLimits& limits) noexcept {
    limits_ = limits;
    if (limits_.max_scratch_bytes != 0)
        limits_.keep_bytes = std::min(limits_.keep_bytes, limits_.max_scratch_bytes / 2);
    if (state_ != nullptr)
        state_->set_limits(limits_);
}

std::uint64_t ClosureChecker::total_heartbeats() const noexcept {
    return past_heartbeats_ + (state_ == nullptr ? 0 : state_->types().total_heartbeats());
}

std::uint64_t ClosureChecker::total_reductions() const noexcept {
    return past_reductions_ + (state_ == nullptr ? 0 : state_->types().total_reductions());
}

std::size_t ClosureChecker::bytes() const noexcept {
    return first_ordinals_.capacity() * sizeof(Ordinal) + spare_.bytes() +
           (state_ == nullptr ? 0 : state_->bytes());
}

} // namespace leanhost::kernel
