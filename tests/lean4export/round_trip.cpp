#include "lean4export/round_trip.hpp"

#include "module/region_registry.hpp"

#include <fmt/format.h>
#include <gmp.h>

namespace leanhost::test {

using namespace module::lean4export;
using object::ConstantKind;
using object::ExprRef;
using object::LevelRef;
using object::NameRef;

module::ImportClosure import_all(const std::filesystem::path& directory,
                                 const Name& root,
                                 module::RegionSource& regions) {
    Monitor monitor;
    module::ClosureRequest request;
    request.search_path = module::SearchPath({directory});
    request.imports = ImportSet{root};
    return module::load_closure(request, regions, monitor);
}

namespace {

// As NatRef writes big ones, from the decimal digits of the export.
std::string as_nat_ref_writes(std::string_view digits) {
    mpz_t number;
    mpz_init_set_str(number, std::string(digits).c_str(), 10);
    std::string text(digits);
    if (mpz_sizeinbase(number, 2) > object::NatRef::max_decimal_bits) {
        std::vector<char> hexadecimal(mpz_sizeinbase(number, 16) + 2);
        text = std::string("0x") + mpz_get_str(hexadecimal.data(), 16, number);
    }
    mpz_clear(number);
    return text;
}

} // namespace

void RoundTrip::differ(const std::string& what) {
    constexpr std::size_t most = 10;
    if (differences_.size() < most)
        differences_.push_back(at_ + ": " + what);
}

void RoundTrip::expect(bool is_same, const char* what) {
    if (!is_same)
        differ(what);
}

void RoundTrip::number(std::uint64_t expected, object::NatRef found, const char* what) {
    if (found.try_uint64() != expected)
        differ(fmt::format("{} {} is {}", what, expected, found.to_string(100)));
}

void RoundTrip::name(NameIndex expected, NameRef found) {
    while (expected != 0) {
        if (found.is_anonymous())
            return differ("a name is shorter");
        if (!names_.emplace(expected, found.object().word()).second)
            return;
        const NameNode& node = table_.names()[expected];
        if (found.cached_hash() != found.recomputed_hash())
            differ("a name's hash is not its own");
        if (node.is_number != found.is_number())
            return differ("a name's component is of another kind");
        if (node.is_number ? found.number_component().try_uint64() != node.number
                           : found.string_component() != node.component)
            return differ("a name's component differs");
        expected = node.prefix;
        found = found.prefix();
    }
    expect(found.is_anonymous(), "a name is longer");
}

void RoundTrip::names(const std::vector<Id>& expected, object::ListRef<NameRef> found) {
    if (found.size() != expected.size())
        return differ("a list of names has another length");
    auto at = found.begin();
    for (const Id index : expected) {
        name(static_cast<NameIndex>(index), *at);
        ++at;
    }
}

void RoundTrip::level(LevelIndex root, LevelRef root_found) {
    std::vector<std::pair<LevelIndex, LevelRef>> todo{{root, root_found}};
    while (!todo.empty()) {
        const auto [expected, found] = todo.back();
        todo.pop_back();
        if (!levels_.emplace(expected, found.object().word()).second)
            continue;
        const LevelNode& node = table_.levels()[expected];
        if (static_cast<int>(found.kind()) != static_cast<int>(node.kind))
            return differ("a level of another kind");
        if (node.kind == LevelKind::succ)
            todo.emplace_back(node.a, found.pred());
        if (node.kind == LevelKind::max || node.kind == LevelKind::imax) {
            todo.emplace_back(node.a, found.lhs());
            todo.emplace_back(node.b, found.rhs());
        }
        if (node.kind == LevelKind::param)
            name(node.a, found.name());
    }
}

void RoundTrip::term(Id root, ExprRef root_found) {
    std::vector<Pair> todo{{static_cast<TermIndex>(root), root_found}};
    while (!todo.empty()) {
        const Pair pair = todo.back();
        todo.pop_back();
        if (terms_.emplace(pair.item, pair.term.object().word()).second)
            one_term(pair, todo);
    }
}

// No help of visit_subterms: that is what modules are made with.
void RoundTrip::one_term(Pair pair, std::vector<Pair>& todo) {
    const TermNode& node = table_.terms()[pair.item];
    const ExprRef found = pair.term;
    const auto of_kind = [&](ExprRef::Kind kind) {
        if (found.kind() == kind)
            return true;
        differ("a term of another kind");
        return false;
    };
    switch (node.kind) {
    case TermKind::bvar:
        if (of_kind(ExprRef::Kind::bvar))
            number(node.a, found.bvar_index(), "bound variable");
        return;
    case TermKind::sort:
        if (of_kind(ExprRef::Kind::sort))
            level(node.a, found.sort_level());
        return;
    case TermKind::constant: {
        if (!of_kind(ExprRef::Kind::constant))
            return;
        name(node.a, found.name());
        const auto levels = table_.level_list(node);
        if (found.const_levels().size() != levels.size())
            return differ("a constant has another number of levels");
        auto at = found.const_levels().begin();
        for (const LevelIndex index : levels) {
            level(index, *at);
            ++at;
        }
        return;
    }
    case TermKind::app:
        if (!of_kind(ExprRef::Kind::app))
            return;
        todo.push_back({node.a, found.app_function()});
        todo.push_back({node.b, found.app_argument()});
        return;
    case TermKind::lam:
    case TermKind::forall_e:
        if (!of_kind(node.kind == TermKind::lam ? ExprRef::Kind::lam : ExprRef::Kind::forall_e))
            return;
        expect(found.binder_info() == node.info, "another binder info");
        name(node.a, found.binder_name());
        todo.push_back({node.b, found.binder_type()});
        todo.push_back({node.c, found.binder_body()});
        return;
    case TermKind::let_e: {
        if (!of_kind(ExprRef::Kind::let_e))
            return;
        const ExportTable::LetTail tail = table_.let_tail(node);
        expect(found.let_non_dep() == node.non_dep, "another nondep");
        name(node.a, found.binder_name());
        todo.push_back({node.b, found.binder_type()});
        todo.push_back({tail.value, found.let_value()});
        todo.push_back({tail.body, found.let_body()});
        return;
    }
    case TermKind::nat_literal:
        if (of_kind(ExprRef::Kind::lit) && found.literal_is_nat())
            expect(found.nat_literal().to_string(std::size_t{64} << 20) ==
                       as_nat_ref_writes(table_.text(node)),
                   "another number");
        else
            differ("no number");
        return;
    case TermKind::string_literal:
        if (of_kind(ExprRef::Kind::lit) && !found.literal_is_nat())
            expect(found.string_literal() == table_.text(node), "another string");
        else
            differ("no string");
        return;
    case TermKind::mdata:
        if (of_kind(ExprRef::Kind::mdata))
            todo.push_back({node.a, found.mdata_expr()});
        return;
    case TermKind::proj:
        if (!of_kind(ExprRef::Kind::proj))
            return;
        name(node.a, found.name());
        number(node.b, found.proj_index(), "field");
        todo.push_back({node.c, found.proj_struct()});
        return;
    }
}

void RoundTrip::fields(const ExportConstant& expected, object::ConstantInfoRef found) {
    switch (expected.kind) {
    case ConstantKind::definition:
        expect(found.hints().kind == expected.hints.kind, "other hints");
        expect(found.hints().kind != object::ReducibilityHints::Kind::regular ||
                   found.hints().height == expected.hints.height,
               "another height");
        expect(found.safety() == expected.safety, "another safety");
        break;
    case ConstantKind::quotient:
        expect(found.quotient_kind() == expected.quotient_kind, "another part of the quotient");
        break;
    case ConstantKind::inductive:
        number(expected.num_params, found.num_params(), "parameters");
        number(expected.num_indices, found.num_indices(), "indices");
        names(expected.constructors, found.constructors());
        expect(found.is_recursive() == expected.is_recursive, "another isRec");
        expect(found.is_reflexive() == expected.is_reflexive, "another isReflexive");
        // ConstantInfoRef does not look at it: the value's sixth field.
        number(expected.num_nested, object::NatRef(found.object().field(0).field(5)), "nested");
        break;
    case ConstantKind::constructor:
        name(static_cast<NameIndex>(expected.inductive), found.inductive_name());
        number(expected.index, found.constructor_index(), "index");
        number(expected.num_params, found.num_params(), "parameters");
        number(expected.num_fields, found.num_constructor_fields(), "fields");
        break;
    case ConstantKind::recursor:
        recursor(expected, found);
        break;
    default:
        break;
    }
    const bool states_safety = expected.kind != ConstantKind::definition &&
                               expected.kind != ConstantKind::theorem &&
                               expected.kind != ConstantKind::quotient;
    if (states_safety)
        expect(found.is_unsafe() == expected.is_unsafe, "another isUnsafe");
}

void RoundTrip::recursor(const ExportConstant& expected, object::ConstantInfoRef found) {
    number(expected.num_params, found.num_params(), "parameters");
    number(expected.num_indices, found.num_indices(), "indices");
    number(expected.num_motives, found.num_motives(), "motives");
    number(expected.num_minors, found.num_minors(), "minors");
    expect(found.has_k() == expected.has_k, "another k");
    if (found.rules().size() != expected.rules.size())
        return differ("another number of rules");
    auto at = found.rules().begin();
    for (const ExportRule& rule : expected.rules) {
        name(static_cast<NameIndex>(rule.constructor), (*at).constructor());
        number(rule.num_fields, (*at).num_fields(), "fields of a rule");
        term(rule.rhs, (*at).rhs());
        ++at;
    }
}

void RoundTrip::constant(const ExportConstant& expected, object::ConstantInfoRef found) {
    if (found.kind() != expected.kind)
        return differ("a constant of another kind");
    name(static_cast<NameIndex>(expected.name), found.name());
    names(expected.universe_params, found.universe_params());
    term(expected.type, found.type());
    const bool has_value = expected.kind == ConstantKind::definition ||
                           expected.kind == ConstantKind::theorem ||
                           expected.kind == ConstantKind::opaque;
    expect(found.has_value() == has_value, "a value too many or missing");
    if (has_value)
        term(expected.value, found.value());
    if (has_value || expected.kind == ConstantKind::inductive ||
        expected.kind == ConstantKind::recursor)
        names(expected.all, found.all());
    fields(expected, found);
}

void RoundTrip::compare(const module::ImportClosure& closure) {
    std::map<std::string, object::ConstantInfoRef> found;
    for (const module::ClosureModule& m : closure.modules()) {
        at_ = m.text;
        const auto constant_names = m.data.constant_names();
        expect(constant_names.size() == m.data.constants().size(), "another number of names");
        for (std::size_t i = 0; i < m.data.constants().size(); ++i) {
            const object::ConstantInfoRef info = m.data.constant(i);
            expect(NameRef(constant_names[i]) == info.name(), "a constant under another's name");
            if (!found.emplace(info.name().to_string(), info).second)
                differ(info.name().to_string() + " is there twice");
        }
    }
    std::size_t declared = 0;
    for (const ExportDeclaration& declaration : table_.declarations()) {
        for (const ExportConstant& expected : declaration.constants) {
            ++declared;
            at_ = table_.name_text(static_cast<NameIndex>(expected.name));
            const auto info = found.find(at_);
            if (info == found.end())
                differ("not there");
            else
                constant(expected, info->second);
        }
    }
    at_ = "all";
    if (declared != found.size())
        differ(fmt::format("{} constants, not {}", found.size(), declared));
}

} // namespace leanhost::test
