#include "kernel/targeted_mutations.hpp"

#include <algorithm>
#include <set>

namespace leanhost::kernel::test {
namespace {

using fuzz::ExportConstant;
using fuzz::ExportDeclaration;
using fuzz::ExportModel;
using fuzz::Index;
using fuzz::LevelKind;
using fuzz::ModelTerm;
using fuzz::TermKind;
using module::lean4export::Id;
using object::ConstantKind;
using object::DefinitionSafety;

struct Place {
    std::size_t declaration;
    std::size_t constant;
};

/// Changes a constant; false: does not apply.
using Change = bool (*)(ExportModel& model, ExportConstant& constant);
struct NamedChange {
    const char* name;
    Change change;
};

bool is_of(const ExportConstant& c, std::initializer_list<ConstantKind> kinds) {
    return std::find(kinds.begin(), kinds.end(), c.kind) != kinds.end();
}
bool is_of_block(const ExportConstant& c) {
    return is_of(c, {ConstantKind::inductive, ConstantKind::constructor, ConstantKind::recursor});
}
bool has_value(const ExportConstant& c) {
    return is_of(c, {ConstantKind::definition, ConstantKind::theorem, ConstantKind::opaque});
}

bool add_one(bool applies, std::uint64_t& count) {
    count += 1;
    return applies;
}
bool turn(bool applies, bool& flag) {
    flag = !flag;
    return applies;
}
template <class T>
bool drop_last(std::vector<T>& list) {
    if (list.empty())
        return false;
    list.pop_back();
    return true;
}
template <class T>
bool reverse(std::vector<T>& list) {
    std::reverse(list.begin(), list.end());
    return list.size() > 1;
}
bool change_kind(ExportConstant& c, ConstantKind kind) {
    const bool applies = has_value(c) && c.kind != kind;
    c.kind = kind;
    c.hints = {object::ReducibilityHints::Kind::regular, 1};
    return applies;
}

// What is stated of a constant.
const NamedChange of_constants[] = {
    {"one more parameter is stated",
     [](ExportModel&, ExportConstant& c) { return add_one(is_of_block(c), c.num_params); }},
    {"one more index is stated",
     [](ExportModel&, ExportConstant& c) {
         return add_one(is_of(c, {ConstantKind::inductive, ConstantKind::recursor}), c.num_indices);
     }},
    {"one more nested occurrence is stated",
     [](ExportModel&, ExportConstant& c) {
         return add_one(c.kind == ConstantKind::inductive, c.num_nested);
     }},
    {"one more field is stated",
     [](ExportModel&, ExportConstant& c) {
         return add_one(c.kind == ConstantKind::constructor, c.num_fields);
     }},
    {"one more motive is stated",
     [](ExportModel&, ExportConstant& c) {
         return add_one(c.kind == ConstantKind::recursor, c.num_motives);
     }},
    {"one more minor premise is stated",
     [](ExportModel&, ExportConstant& c) {
         return add_one(c.kind == ConstantKind::recursor, c.num_minors);
     }},
    {"the constructor's index is one more",
     [](ExportModel&, ExportConstant& c) {
         return add_one(c.kind == ConstantKind::constructor, c.index);
     }},
    {"k is turned",
     [](ExportModel&, ExportConstant& c) {
         return turn(c.kind == ConstantKind::recursor, c.has_k);
     }},
    {"isRec is turned",
     [](ExportModel&, ExportConstant& c) {
         return turn(c.kind == ConstantKind::inductive, c.is_recursive);
     }},
    {"isReflexive is turned",
     [](ExportModel&, ExportConstant& c) {
         return turn(c.kind == ConstantKind::inductive, c.is_reflexive);
     }},
    {"isUnsafe is turned",
     [](ExportModel&, ExportConstant& c) {
         return turn(is_of_block(c) || c.kind == ConstantKind::opaque, c.is_unsafe);
     }},
    {"a rule has one more field",
     [](ExportModel&, ExportConstant& c) {
         return !c.rules.empty() && add_one(true, c.rules.back().num_fields);
     }},
    {"a rule is missing", [](ExportModel&, ExportConstant& c) { return drop_last(c.rules); }},
    {"the rules are reversed", [](ExportModel&, ExportConstant& c) { return reverse(c.rules); }},
    {"two rules give the same",
     [](ExportModel&, ExportConstant& c) {
         if (c.rules.size() < 2)
             return false;
         c.rules[0].rhs = c.rules[1].rhs;
         return true;
     }},
    {"a rule gives the recursor's type",
     [](ExportModel&, ExportConstant& c) {
         if (c.rules.empty())
             return false;
         c.rules[0].rhs = c.type;
         return true;
     }},
    {"a constructor is missing in the list",
     [](ExportModel&, ExportConstant& c) { return drop_last(c.constructors); }},
    {"the constructors are reversed",
     [](ExportModel&, ExportConstant& c) { return reverse(c.constructors); }},
    {"a constructor is listed twice",
     [](ExportModel&, ExportConstant& c) {
         if (c.constructors.empty())
             return false;
         c.constructors.push_back(c.constructors.front());
         return true;
     }},
    {"the block has one more type",
     [](ExportModel&, ExportConstant& c) {
         c.all.push_back(c.name);
         return is_of(c, {ConstantKind::inductive, ConstantKind::recursor});
     }},
    {"the constructor is of another type",
     [](ExportModel& model, ExportConstant& c) {
         c.inductive = model.name("Other");
         return c.kind == ConstantKind::constructor;
     }},
    {"the name is one that is taken",
     [](ExportModel& model, ExportConstant& c) {
         const Id taken = model.declarations.front().constants.front().name;
         const bool applies = c.name != taken;
         c.name = taken;
         return applies;
     }},
    {"there is no name",
     [](ExportModel&, ExportConstant& c) {
         c.name = 0;
         return true;
     }},
    {"a universe parameter is missing",
     [](ExportModel&, ExportConstant& c) { return drop_last(c.universe_params); }},
    {"a universe parameter is there twice",
     [](ExportModel&, ExportConstant& c) {
         if (c.universe_params.empty())
             return false;
         c.universe_params.push_back(c.universe_params.front());
         return true;
     }},
    {"a universe parameter has no name",
     [](ExportModel&, ExportConstant& c) {
         c.universe_params.push_back(0);
         return true;
     }},
    {"one more universe parameter",
     [](ExportModel& model, ExportConstant& c) {
         c.universe_params.push_back(model.name("more"));
         return true;
     }},
    {"the type is Prop",
     [](ExportModel& model, ExportConstant& c) {
         c.type = model.sort(0);
         return true;
     }},
    {"the type has an argument more",
     [](ExportModel& model, ExportConstant& c) {
         c.type = model.binder(fuzz::TermKind::pi, model.sort(0), static_cast<Index>(c.type));
         return true;
     }},
    {"the value is the type",
     [](ExportModel&, ExportConstant& c) {
         c.value = c.type;
         return has_value(c);
     }},
    {"the value is Prop",
     [](ExportModel& model, ExportConstant& c) {
         c.value = model.sort(0);
         return has_value(c);
     }},
    {"the value is the constant itself",
     [](ExportModel& model, ExportConstant& c) {
         std::vector<Index> levels;
         for (const Id param : c.universe_params)
             levels.push_back(model.level({LevelKind::param, static_cast<Index>(param), 0}));
         c.value = model.constant(static_cast<Index>(c.name), levels);
         return has_value(c);
     }},
    {"it is a theorem",
     [](ExportModel&, ExportConstant& c) { return change_kind(c, ConstantKind::theorem); }},
    {"it is a definition",
     [](ExportModel&, ExportConstant& c) { return change_kind(c, ConstantKind::definition); }},
    {"it is opaque",
     [](ExportModel&, ExportConstant& c) { return change_kind(c, ConstantKind::opaque); }},
    {"it is unsafe",
     [](ExportModel&, ExportConstant& c) {
         const bool applies = c.safety == DefinitionSafety::safe;
         c.safety = DefinitionSafety::unsafe;
         return applies && c.kind == ConstantKind::definition;
     }},
    {"it is safe",
     [](ExportModel&, ExportConstant& c) {
         const bool applies = c.safety != DefinitionSafety::safe;
         c.safety = DefinitionSafety::safe;
         return applies && c.kind == ConstantKind::definition;
     }},
    {"it is partial",
     [](ExportModel&, ExportConstant& c) {
         const bool applies = c.safety == DefinitionSafety::safe;
         c.safety = DefinitionSafety::partial;
         return applies && c.kind == ConstantKind::definition;
     }},
    {"it is another part of the quotient package",
     [](ExportModel&, ExportConstant& c) {
         c.quotient_kind = (c.quotient_kind + 1U) & 3U;
         return c.kind == ConstantKind::quotient;
     }},
};

/// Changes a term; the same term: does not apply.
using TermChange = Index (*)(ExportModel& model, Index at);
struct NamedTermChange {
    const char* name;
    TermChange change;
};

bool is(const ExportModel& model, Index at, fuzz::TermKind kind) {
    return model.terms[at].kind == kind;
}

// Single places in its terms.
const NamedTermChange of_terms[] = {
    {"a variable beyond all binders",
     [](ExportModel& model, Index at) {
         return is(model, at, TermKind::bvar) ? model.bvar(model.terms[at].a + 40) : at;
     }},
    {"a constant that is not declared",
     [](ExportModel& model, Index at) {
         return is(model, at, TermKind::constant)
                    ? model.constant(model.name("undeclared"), model.terms[at].levels)
                    : at;
     }},
    {"a constant with one more level",
     [](ExportModel& model, Index at) {
         ModelTerm term = model.terms[at];
         term.levels.push_back(0);
         return is(model, at, TermKind::constant) ? model.term(term) : at;
     }},
    {"a level that is not declared",
     [](ExportModel& model, Index at) {
         const Index level = model.level({LevelKind::param, model.name("undeclared"), 0});
         return is(model, at, TermKind::sort) ? model.sort(level) : at;
     }},
    {"a universe one higher",
     [](ExportModel& model, Index at) {
         const Index level = model.level({LevelKind::succ, model.terms[at].a, 0});
         return is(model, at, TermKind::sort) ? model.sort(level) : at;
     }},
    {"an application turned round",
     [](ExportModel& model, Index at) {
         const ModelTerm& term = model.terms[at];
         return is(model, at, TermKind::app) ? model.app(term.b, term.a) : at;
     }},
    {"an application to itself",
     [](ExportModel& model, Index at) {
         return is(model, at, TermKind::app) ? model.app(at, at) : at;
     }},
    {"a function for a function type",
     [](ExportModel& model, Index at) {
         const ModelTerm& term = model.terms[at];
         return is(model, at, TermKind::pi) ? model.binder(TermKind::lam, term.a, term.b) : at;
     }},
    {"a function type for a function",
     [](ExportModel& model, Index at) {
         const ModelTerm& term = model.terms[at];
         return is(model, at, TermKind::lam) ? model.binder(TermKind::pi, term.a, term.b) : at;
     }},
    {"a projection one further",
     [](ExportModel& model, Index at) {
         ModelTerm term = model.terms[at];
         term.c += 2;
         return is(model, at, TermKind::proj) ? model.term(term) : at;
     }},
    {"a number one greater",
     [](ExportModel& model, Index at) {
         ModelTerm term = model.terms[at];
         term.text += "1";
         return is(model, at, TermKind::nat) ? model.term(term) : at;
     }},
};

class Targeting {
public:
    Targeting(const ExportModel& model, const std::function<void(const Targeted&)>& take)
        : model_(model), take_(take) {}

    void all() {
        for (std::size_t i = 0; i < model_.declarations.size(); ++i) {
            for (std::size_t k = 0; k < model_.declarations[i].constants.size(); ++k) {
                constants({i, k});
                places({i, k});
            }
            order(i);
        }
    }

private:
    static ExportConstant& at(ExportModel& model, Place place) {
        return model.declarations[place.declaration].constants[place.constant];
    }
    void tell(const char* mutation, Place place, ExportModel changed) {
        const Id name = model_.declarations[place.declaration].constants[place.constant].name;
        take_({mutation, model_.dotted(static_cast<Index>(name)), std::move(changed)});
    }

    void constants(Place place) {
        for (const NamedChange& named : of_constants) {
            ExportModel changed = model_;
            if (named.change(changed, at(changed, place)))
                tell(named.name, place, std::move(changed));
        }
    }

    // Each place once for each term that stands there.
    void places(Place place) {
        ExportModel model = model_;
        const std::size_t num_roots = fuzz::terms_of(at(model, place)).size();
        for (std::size_t root = 0; root < num_roots; ++root) {
            place_ = place;
            root_ = root;
            seen_.clear();
            path_.clear();
            walk(static_cast<Index>(*fuzz::terms_of(at(model, place))[root]));
        }
    }

    struct Step {
        Index term;
        std::size_t which;
    };

    void walk(Index term) {
        if (!seen_.insert(term).second)
            return;
        for (const NamedTermChange& named : of_terms)
            change(named, term);
        const std::vector<Index> parts = model_.parts(term);
        for (std::size_t which = 0; which < parts.size(); ++which) {
            path_.push_back({term, which});
            walk(parts[which]);
            path_.pop_back();
        }
    }

    void change(const NamedTermChange& named, Index term) {
        ExportModel changed = model_;
        Index result = named.change(changed, term);
        if (result == term)
            return;
        for (auto step = path_.rbegin(); step != path_.rend(); ++step)
            result = changed.with_part(step->term, step->which, result);
        ExportConstant& constant = at(changed, place_);
        *fuzz::terms_of(constant)[root_] = result;
        tell(named.name, place_, std::move(changed));
    }

    void order(std::size_t i) {
        ExportModel twice = model_;
        twice.declarations.push_back(model_.declarations[i]);
        tell("it is declared twice", {i, 0}, std::move(twice));
        ExportModel last = model_;
        std::rotate(last.declarations.begin() + static_cast<std::ptrdiff_t>(i),
                    last.declarations.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                    last.declarations.end());
        if (i + 1 < model_.declarations.size())
            tell("it comes last", {i, 0}, std::move(last));
    }

    const ExportModel& model_;
    const std::function<void(const Targeted&)>& take_;
    Place place_{};
    std::size_t root_ = 0;
    std::vector<Step> path_;
    std::set<Index> seen_;
};

} // namespace

void for_each_targeted(const ExportModel& model, const std::function<void(const Targeted&)>& take) {
    Targeting(model, take).all();
}

} // namespace leanhost::kernel::test
