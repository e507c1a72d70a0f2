// Names, levels, terms and constants built by kind, against those that Lean made.
#include "base/failure.hpp"
#include "module/constant_builder.hpp"
#include "module/module_rewriter.hpp"
#include "module/real_modules.hpp"
#include "support/test_data.hpp"

#include <absl/container/flat_hash_map.h>
#include <gtest/gtest.h>

#include <array>

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

// Builds a module's constants from what their views say, into a builder that holds a plain copy of
// the module already. As equal objects are one, what is built is equal to the original exactly when
// it is the same object as the copy.
class Rebuilder {
public:
    explicit Rebuilder(std::uint64_t base_address)
        : objects(base_address), copier(objects), terms(objects), constants(terms) {}

    BuiltRef name(NameRef n) {
        if (n.is_anonymous())
            return TermBuilder::anonymous_name();
        const BuiltRef prefix = name(n.prefix());
        return n.is_string() ? terms.mk_name_str(prefix, n.string_component())
                             : terms.mk_name_num(prefix, n.number_component().uint64());
    }

    BuiltRef level(LevelRef l) {
        switch (l.kind()) {
        case LevelRef::Kind::zero:
            return TermBuilder::level_zero();
        case LevelRef::Kind::succ:
            return terms.mk_level_succ(level(l.pred()));
        case LevelRef::Kind::max:
            return terms.mk_level_max(level(l.lhs()), level(l.rhs()));
        case LevelRef::Kind::imax:
            return terms.mk_level_imax(level(l.lhs()), level(l.rhs()));
        case LevelRef::Kind::param:
            return terms.mk_level_param(name(l.name()));
        default:
            return terms.mk_level_mvar(name(l.name()));
        }
    }

    BuiltRef term(ExprRef e) {
        if (const auto known = terms_.find(e.object().word()); known != terms_.end())
            return known->second;
        const BuiltRef result = mk_term(e);
        terms_.emplace(e.object().word(), result);
        return result;
    }

    BuiltRef names(ListRef<NameRef> list) {
        std::vector<BuiltRef> refs;
        for (const NameRef n : list)
            refs.push_back(name(n));
        return terms.mk_list(refs);
    }

    BuiltRef constant(ConstantInfoRef c) {
        const BuiltConstantHead head{name(c.name()), names(c.universe_params()), term(c.type())};
        switch (c.kind()) {
        case ConstantKind::axiom:
            return constants.mk_axiom(head, c.is_unsafe()).info;
        case ConstantKind::definition:
            return constants
                .mk_definition(head, {term(c.value()), c.hints(), c.safety(), names(c.all())})
                .info;
        case ConstantKind::theorem:
            return constants.mk_theorem(head, term(c.value()), names(c.all())).info;
        case ConstantKind::opaque:
            return constants.mk_opaque(head, term(c.value()), names(c.all()), c.is_unsafe()).info;
        case ConstantKind::quotient:
            return constants.mk_quotient(head, c.quotient_kind()).info;
        case ConstantKind::inductive:
            return inductive(head, c);
        case ConstantKind::constructor:
            return constants
                .mk_constructor(head, {name(c.inductive_name()), c.constructor_index().uint64(),
                                       c.num_params().uint64(), c.num_constructor_fields().uint64(),
                                       c.is_unsafe()})
                .info;
        case ConstantKind::recursor:
            return recursor(head, c);
        }
        return {};
    }

    ObjectBuilder objects;
    ObjectCopier copier;
    TermBuilder terms;
    ConstantBuilder constants;

private:
    BuiltRef mk_term(ExprRef e) {
        switch (e.kind()) {
        case ExprRef::Kind::bvar:
            return terms.mk_bvar(e.bvar_index().uint64());
        case ExprRef::Kind::fvar:
            return terms.mk_fvar(name(e.name()));
        case ExprRef::Kind::mvar:
            return terms.mk_mvar(name(e.name()));
        case ExprRef::Kind::sort:
            return terms.mk_sort(level(e.sort_level()));
        case ExprRef::Kind::constant: {
            std::vector<BuiltRef> levels;
            for (const LevelRef l : e.const_levels())
                levels.push_back(level(l));
            return terms.mk_const(name(e.name()), levels);
        }
        case ExprRef::Kind::app:
            return terms.mk_app(term(e.app_function()), term(e.app_argument()));
        case ExprRef::Kind::lam:
            return terms.mk_lam(binder(e), term(e.binder_body()));
        case ExprRef::Kind::forall_e:
            return terms.mk_forall(binder(e), term(e.binder_body()));
        case ExprRef::Kind::let_e:
            return terms.mk_let(name(e.binder_name()), term(e.binder_type()), term(e.let_value()),
                                term(e.let_body()), e.let_non_dep());
        case ExprRef::Kind::lit:
            return literal(e);
        case ExprRef::Kind::mdata:
            return terms.mk_mdata(copier.copy(e.mdata_entries()), term(e.mdata_expr()));
        case ExprRef::Kind::proj:
            return terms.mk_proj(name(e.name()), e.proj_index().uint64(), term(e.proj_struct()));
        }
        return {};
    }

    BuiltRef literal(ExprRef e) {
        if (!e.literal_is_nat())
            return terms.mk_string_lit(e.string_literal());
        const ObjectRef number = e.nat_literal().object();
        return number.is_scalar() ? terms.mk_nat_lit(number.scalar()) : copier.copy(e.object());
    }

    BuiltBinder binder(ExprRef e) {
        return {name(e.binder_name()), term(e.binder_type()), e.binder_info()};
    }

    BuiltRef inductive(const BuiltConstantHead& head, ConstantInfoRef c) {
        const ObjectRef nested = c.object().field(0).field(5);
        return constants
            .mk_inductive(head, {.num_params = c.num_params().uint64(),
                                 .num_indices = c.num_indices().uint64(),
                                 .all = names(c.all()),
                                 .constructors = names(c.constructors()),
                                 .num_nested = nested.scalar(),
                                 .is_recursive = c.is_recursive(),
                                 .is_unsafe = c.is_unsafe(),
                                 .is_reflexive = c.is_reflexive()})
            .info;
    }

    BuiltRef recursor(const BuiltConstantHead& head, ConstantInfoRef c) {
        std::vector<BuiltRef> rules;
        for (const object::RecursorRuleRef rule : c.rules()) {
            rules.push_back(constants.mk_recursor_rule(
                name(rule.constructor()), rule.num_fields().uint64(), term(rule.rhs())));
        }
        return constants
            .mk_recursor(head, {.all = names(c.all()),
                                .num_params = c.num_params().uint64(),
                                .num_indices = c.num_indices().uint64(),
                                .num_motives = c.num_motives().uint64(),
                                .num_minors = c.num_minors().uint64(),
                                .rules = terms.mk_list(rules),
                                .has_k = c.has_k(),
                                .is_unsafe = c.is_unsafe()})
            .info;
    }

    absl::flat_hash_map<std::uint64_t, BuiltRef> terms_;
};

// Before 2023 words were computed otherwise; before 4.12 an inductive type had one field less.
bool has_todays_layout(ConstantInfoRef c, bool has_todays_words) {
    const bool is_old_inductive =
        c.kind() == ConstantKind::inductive && c.object().field(0).num_fields() != 6;
    return has_todays_words && !is_old_inductive;
}

TEST(TypedBuilders, RebuildTheConstantsOfEveryRealModule) {
    LEANHOST_NEEDS_DATA("olean");
    RegionRegistry registry;
    std::array<std::uint64_t, object::num_constant_kinds> rebuilt{};
    for (const test::ModuleFiles& files : test::find_modules(test::test_data("olean"))) {
        const RegionHandle region = registry.acquire(test::open_module(files), Trust::stable);
        Rebuilder rebuilder(base_address_of(1));
        const std::size_t last = region->parts().size() - 1;
        rebuilder.copier.copy(region->root(last));
        const std::uint64_t objects = rebuilder.objects.num_objects();
        const ModuleDataRef data(region->root(last));
        for (std::size_t i = 0; i < data.constants().size(); ++i) {
            const ConstantInfoRef constant = data.constant(i);
            if (!has_todays_layout(constant, data.has_constant_names()))
                continue;
            ASSERT_EQ(rebuilder.constant(constant), rebuilder.copier.copy(constant.object()))
                << files.back() << ": " << constant.name().to_string();
            ++rebuilt[static_cast<std::size_t>(constant.kind())];
        }
        EXPECT_EQ(rebuilder.objects.num_objects(), objects) << files.back();
    }
    EXPECT_GT(rebuilt[static_cast<std::size_t>(ConstantKind::theorem)], 2000U);
    EXPECT_GT(rebuilt[static_cast<std::size_t>(ConstantKind::definition)], 4000U);
    EXPECT_GT(rebuilt[static_cast<std::size_t>(ConstantKind::recursor)], 70U);
}

TEST(TypedBuilders, RebuildTheImportsAndTheRootOfEveryRealModule) {
    LEANHOST_NEEDS_DATA("olean");
    RegionRegistry registry;
    std::uint64_t rebuilt = 0;
    for (const test::ModuleFiles& files : test::find_modules(test::test_data("olean"))) {
        const RegionHandle region = registry.acquire(test::open_module(files), Trust::stable);
        for (std::size_t part = 0; part < region->parts().size(); ++part) {
            const ModuleDataRef data(region->root(part));
            if (!data.states_is_module())
                continue; // before 4.20
            Rebuilder r(base_address_of(1));
            const BuiltRef copy = r.copier.copy(region->root(part));
            std::vector<BuiltImport> imports;
            std::vector<BuiltConstant> constants;
            std::vector<BuiltRef> extra;
            std::vector<BuiltEntries> entries;
            for (std::size_t i = 0; i < data.imports().size(); ++i) {
                const object::ImportRef import = data.import(i);
                imports.push_back({r.name(import.module()), import.import_all(),
                                   import.is_exported(), import.is_meta()});
            }
            for (std::size_t i = 0; i < data.constants().size(); ++i) {
                constants.push_back(
                    {r.copier.copy(data.constant_names()[i]), r.copier.copy(data.constants()[i])});
            }
            for (const ObjectRef name : data.extra_constant_names())
                extra.push_back(r.copier.copy(name));
            for (const ObjectRef entry : data.entries()) {
                entries.push_back({r.copier.copy(entry.field(0)), r.copier.copy(entry.field(1))});
            }
            ASSERT_EQ(
                r.constants.mk_module_data({imports, constants, extra, entries, data.is_module()}),
                copy)
                << files[part];
            ++rebuilt;
        }
    }
    EXPECT_GE(rebuilt, 250U);
}

TEST(TypedBuilders, RefuseWhatAWordHasNoRoomFor) {
    ObjectBuilder objects(base_address_of(1));
    TermBuilder terms(objects);
    EXPECT_NO_THROW(terms.mk_bvar((std::uint64_t{1} << 20U) - 2));
    EXPECT_THROW(terms.mk_bvar((std::uint64_t{1} << 20U) - 1), Failure);
}

} // namespace
} // namespace leanhost::module
