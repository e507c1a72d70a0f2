#include "module/typed_objects.hpp"

// Accessors whose value is not wanted are called for their check of the object's kind.
namespace leanhost::module {
namespace {

using object::ConstantInfoRef;
using object::ConstantKind;
using object::ExprRef;
using object::LevelRef;
using object::ListRef;
using object::ModuleDataRef;
using object::NameRef;
using object::ObjectRef;
using object::RecursorRuleRef;

// Calls f for the elements of the cells that are not in `seen`, adding those.
template <class View, class F>
void for_each_new(ObjectMarks& seen, ListRef<View> list, F&& f) {
    for (auto it = list.begin(); it != list.end() && seen.add(it.cell()); ++it)
        f(*it);
}

} // namespace

TypedObjects::TypedObjects(const Region& region, std::size_t part)
    : names_(region, part + 1), levels_(names_), terms_(names_), name_lists_(names_),
      level_lists_(names_), rule_lists_(names_) {
    const ObjectRef root = region.root(part);
    const ModuleDataRef data = reading_inside(region, root, "module data", [&] {
        const ModuleDataRef result(root);
        add_roots(result);
        return result;
    });
    for (const ObjectRef constant :
         reading_inside(region, root, "constants", [&] { return data.constants(); })) {
        reading_inside(region, constant.is_scalar() ? root : constant, "constant",
                       [&] { add_constant(ConstantInfoRef(constant)); });
    }
    terms_.sweep([&](ObjectRef term) {
        reading_inside(region, term, "term", [&] { add_below_term(ExprRef(term)); });
    });
    levels_.sweep([&](ObjectRef level) {
        reading_inside(region, level, "universe level", [&] { add_below_level(LevelRef(level)); });
    });
    names_.sweep([&](ObjectRef name) {
        reading_inside(region, name, "name", [&] { add_below_name(NameRef(name)); });
    });
}

void TypedObjects::add_roots(const ModuleDataRef& data) {
    for (const ObjectRef import : data.imports())
        add(object::ImportRef(import).module());
    for (const ObjectRef name : data.constant_names())
        add(NameRef(name));
    for (const ObjectRef name : data.extra_constant_names())
        add(NameRef(name));
    for (const ObjectRef entries : data.entries()) {
        add(object::ExtensionEntriesRef(entries).extension());
    }
}

void TypedObjects::add_constant(ConstantInfoRef constant) {
    add(constant.name());
    add_names(constant.universe_params());
    add(constant.type());
    if (constant.has_value())
        add(constant.value());
    if (constant.has_all())
        add_names(constant.all());
    switch (constant.kind()) {
    case ConstantKind::inductive:
        add_names(constant.constructors());
        break;
    case ConstantKind::constructor:
        add(constant.inductive_name());
        break;
    case ConstantKind::recursor:
        for_each_new(rule_lists_, constant.rules(), [&](RecursorRuleRef rule) { add_rule(rule); });
        break;
    default:
        break;
    }
}

void TypedObjects::add_rule(RecursorRuleRef rule) {
    add(rule.constructor());
    add(rule.rhs());
}

void TypedObjects::add_below_term(ExprRef term) {
    static_cast<void>(term.cached_data());
    switch (term.kind()) {
    case ExprRef::Kind::bvar:
        static_cast<void>(term.bvar_index());
        break;
    case ExprRef::Kind::sort:
        add(term.sort_level());
        break;
    case ExprRef::Kind::constant:
        add(term.name());
        for_each_new(level_lists_, term.const_levels(), [&](LevelRef level) { add(level); });
        break;
    case ExprRef::Kind::fvar:
    case ExprRef::Kind::mvar:
        add(term.name());
        break;
    case ExprRef::Kind::lam:
    case ExprRef::Kind::forall_e:
        add(term.binder_name());
        static_cast<void>(term.binder_info());
        break;
    case ExprRef::Kind::let_e:
        add(term.binder_name());
        static_cast<void>(term.let_non_dep());
        break;
    case ExprRef::Kind::lit:
        if (term.literal_is_nat()) {
            static_cast<void>(term.nat_literal());
        } else {
            static_cast<void>(term.string_literal());
        }
        break;
    case ExprRef::Kind::proj:
        add(term.name());
        static_cast<void>(term.proj_index());
        break;
    default:
        break;
    }
    const ExprRef::ChildFields children = term.child_fields();
    for (unsigned i = 0; i < children.count; ++i)
        add(term.child(children.first + i));
}

void TypedObjects::add_below_level(LevelRef level) {
    static_cast<void>(level.cached_data());
    switch (level.kind()) {
    case LevelRef::Kind::zero:
        break;
    case LevelRef::Kind::succ:
        add(level.pred());
        break;
    case LevelRef::Kind::max:
    case LevelRef::Kind::imax:
        add(level.lhs());
        add(level.rhs());
        break;
    default:
        add(level.name());
        break;
    }
}

void TypedObjects::add_below_name(NameRef name) {
    name.require_well_formed();
    static_cast<void>(name.cached_hash());
    add(name.prefix());
    if (name.is_string()) {
        static_cast<void>(name.string_component());
    } else {
        static_cast<void>(name.number_component());
    }
}

void TypedObjects::add(NameRef name) {
    if (name.is_anonymous()) {
        name.require_well_formed();
    } else {
        names_.add(name.object());
    }
}

void TypedObjects::add(LevelRef level) {
    if (!level.object().is_scalar()) {
        levels_.add(level.object());
    } else if (level.kind() == LevelRef::Kind::zero) { // throws for any other scalar
        has_scalar_level_zero_ = true;
    }
}

void TypedObjects::add(ExprRef term) {
    if (term.object().is_scalar())
        static_cast<void>(term.kind()); // throws
    terms_.add(term.object());
}

void TypedObjects::add_names(ListRef<NameRef> list) {
    for_each_new(name_lists_, list, [&](NameRef name) { add(name); });
}

} // namespace leanhost::module
