// The recursors that the generator derives, against those that Lean's kernel
// did, for every real inductive type.
#include "module/fixture/declaration_emitter.hpp"
#include "module/fixture/inductive_type.hpp"
#include "module/module_rewriter.hpp"
#include "module/real_modules.hpp"
#include "support/test_data.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <set>

namespace leanhost::module::fixture {
namespace {

using object::ConstantInfoRef;
using object::ConstantKind;
using object::ExprRef;
using object::LevelRef;
using object::ModuleDataRef;
using object::NameRef;

struct NotOurs {}; // a term or level that the generator's syntax has no words for

// Real terms as the generator writes them.
class Reader {
public:
    explicit Reader(Syntax& syntax) : s_(syntax) {}

    Term term(ExprRef e, const Locals& scope) {
        switch (e.kind()) {
        case ExprRef::Kind::bvar:
            return scope[scope.size() - 1 - e.bvar_index().uint64()];
        case ExprRef::Kind::sort:
            return s_.sort(level(e.sort_level()));
        case ExprRef::Kind::constant: {
            std::vector<Level> levels;
            for (const LevelRef l : e.const_levels())
                levels.push_back(level(l));
            return s_.constant(text(e.name()), levels);
        }
        case ExprRef::Kind::app:
            return s_.app(term(e.app_function(), scope), term(e.app_argument(), scope));
        case ExprRef::Kind::lam:
            return bind(e, scope, [&](Local x, Term body) { return s_.lam({x}, body); });
        case ExprRef::Kind::forall_e:
            return bind(e, scope, [&](Local x, Term body) { return s_.pi({x}, body); });
        default:
            throw NotOurs{};
        }
    }

    // Opens the first `count` binders of a function type.
    ExprRef open(ExprRef type, std::uint64_t count, Locals& scope) {
        for (std::uint64_t i = 0; i < count; ++i) {
            if (type.kind() != ExprRef::Kind::forall_e)
                throw NotOurs{};
            scope.push_back(local(type, scope));
            type = type.binder_body();
        }
        return type;
    }

    Level level(LevelRef l) {
        switch (l.kind()) {
        case LevelRef::Kind::zero:
            return s_.zero();
        case LevelRef::Kind::succ:
            return s_.succ(level(l.pred()));
        case LevelRef::Kind::max:
            return s_.max(level(l.lhs()), level(l.rhs()));
        case LevelRef::Kind::param:
            return s_.param(text(l.name()));
        default:
            throw NotOurs{};
        }
    }

    std::string_view text(NameRef name) { return s_.text(name.to_string()); }

private:
    Local local(ExprRef binder, const Locals& scope) {
        return s_.local(text(binder.binder_name()), term(binder.binder_type(), scope),
                        binder.binder_info());
    }
    template <class F>
    Term bind(ExprRef e, const Locals& scope, F&& f) {
        Locals inner = scope;
        inner.push_back(local(e, scope));
        return f(inner.back(), term(e.binder_body(), inner));
    }
    Syntax& s_;
};

using Constants = std::map<std::string, ConstantInfoRef>;

InductiveSpec
spec_of(ConstantInfoRef type, ConstantInfoRef recursor, const Constants& all, Syntax& syntax) {
    Reader reader(syntax);
    InductiveSpec spec;
    spec.name = reader.text(type.name());
    for (const NameRef u : type.universe_params())
        spec.universe_params.push_back(reader.text(u));
    Locals scope;
    const ExprRef below_params = reader.open(type.type(), type.num_params().uint64(), scope);
    spec.params = scope;
    const ExprRef sort = reader.open(below_params, type.num_indices().uint64(), scope);
    spec.indices.assign(scope.begin() + static_cast<std::ptrdiff_t>(spec.params.size()),
                        scope.end());
    spec.sort_level = reader.level(sort.sort_level());
    spec.has_k = recursor.has_k();
    spec.eliminates_into_types = recursor.universe_params().size() > spec.universe_params.size();
    for (const NameRef name : type.constructors()) {
        const ConstantInfoRef constructor = all.at(name.to_string());
        Locals params; // the constructor's own; terms are to mention the type's
        ExprRef rest = reader.open(constructor.type(), spec.params.size(), params);
        Locals fields = spec.params;
        rest = reader.open(rest, constructor.num_constructor_fields().uint64(), fields);
        ConstructorSpec built{reader.text(name), {}, {}};
        built.fields.assign(fields.begin() + static_cast<std::ptrdiff_t>(spec.params.size()),
                            fields.end());
        for (std::size_t i = 0; i < spec.indices.size(); ++i) {
            built.indices.insert(built.indices.begin(), reader.term(rest.app_argument(), fields));
            rest = rest.app_function();
        }
        spec.constructors.push_back(std::move(built));
    }
    return spec;
}

Constants constants_of(const ModuleDataRef& data) {
    Constants constants;
    for (std::size_t i = 0; i < data.constants().size(); ++i) {
        constants.emplace(data.constant(i).name().to_string(), data.constant(i));
    }
    return constants;
}

Declaration derived_recursor(const InductiveSpec& spec, Syntax& syntax) {
    std::vector<Declaration> declarations;
    InductiveType(syntax, spec).declare(declarations);
    return declarations.back();
}

TEST(InductiveType, DerivesTheRecursorsOfEveryRealType) {
    LEANHOST_NEEDS_DATA("olean");
    RegionRegistry registry;
    std::uint64_t same = 0;
    std::uint64_t not_ours = 0;
    for (const test::ModuleFiles& files : test::find_modules(test::test_data("olean"))) {
        const RegionHandle region = registry.acquire(test::open_module(files), Trust::stable);
        const ModuleDataRef data(region->root(files.size() - 1));
        if (!data.has_constant_names())
            continue; // words of before 2023
        const Constants constants = constants_of(data);
        for (const auto& [name, type] : constants) {
            const auto recursor = constants.find(name + ".rec");
            if (type.kind() != ConstantKind::inductive || recursor == constants.end())
                continue;
            if (recursor->second.num_motives().uint64() != 1)
                continue; // mutual or nested
            Syntax syntax;
            ObjectBuilder objects(base_address_of(1));
            DeclarationEmitter emitter(objects);
            ObjectCopier copier(objects);
            try {
                const InductiveSpec spec = spec_of(type, recursor->second, constants, syntax);
                const BuiltConstant derived = emitter.emit(derived_recursor(spec, syntax));
                EXPECT_EQ(derived.info, copier.copy(recursor->second.object()))
                    << files.back() << ": " << name;
                ++same;
            } catch (const NotOurs&) {
                ++not_ours;
            }
        }
    }
    std::printf("recursors: %lu derived as Lean's kernel did, %lu types beyond "
                "the generator's syntax\n",
                same, not_ours);
    EXPECT_GE(same, 60U);
}

} // namespace
} // namespace leanhost::module::fixture
