#include "module/lean4export/export_module.hpp"

#include "base/failure.hpp"
#include "module/olean_writer.hpp"

#include <fmt/format.h>
#include <gmp.h>

#include <algorithm>

namespace leanhost::module::lean4export {
namespace {

using object::ConstantKind;

// The limbs of a decimal number, whose size the table has bounded.
std::vector<std::uint64_t> limbs_of(std::string_view digits) {
    constexpr std::size_t surely_one_limb = 18;
    if (digits.size() <= surely_one_limb)
        return {std::stoull(std::string(digits))};
    mpz_t number;
    mpz_init_set_str(number, std::string(digits).c_str(), 10);
    std::vector<std::uint64_t> limbs(mpz_size(number));
    static_assert(sizeof(mp_limb_t) == sizeof(std::uint64_t));
    std::copy_n(mpz_limbs_read(number), limbs.size(), limbs.begin());
    mpz_clear(number);
    return limbs;
}

// Builds what declarations need of the table. References lead to earlier positions only, so what is
// needed is collected first and then built in order: no recursion, however deep a term is.
class ModuleMaker {
public:
    ModuleMaker(const ExportTable& table, const Name& module, ExportScratch& scratch)
        : table_(table), scratch_(scratch), objects_(base_address_of(module.hash())),
          terms_(objects_), constants_(terms_) {
        scratch_.names.begin_module();
        scratch_.levels.begin_module();
        scratch_.terms.begin_module();
    }

    BuiltPart make(std::span<const ExportDeclaration> declarations, std::span<const Name> imports) {
        std::vector<BuiltImport> import_lines;
        for (const Name& import : imports)
            import_lines.push_back({.module = terms_.mk_name(import)});
        std::vector<BuiltConstant> built;
        for (const ExportDeclaration& declaration : declarations) {
            for (const ExportConstant& constant : declaration.constants)
                built.push_back(mk_constant(constant));
        }
        sort_by_hash(built);
        objects_.finish_part(constants_.mk_module_data({.imports = import_lines,
                                                        .constants = built,
                                                        .extra_constant_names = {},
                                                        .entries = {},
                                                        .is_module = false}));
        BuiltPart part = std::move(std::move(objects_).take_parts().front());
        write_header_v2(part, stamp());
        return part;
    }

private:
    // As lean4export's meta line says, cut to what the header holds.
    LeanStamp stamp() const {
        constexpr std::size_t version_bytes = 33;
        constexpr std::size_t githash_bytes = 40;
        return {table_.meta_line().lean_version.substr(0, version_bytes),
                table_.meta_line().lean_githash.substr(0, githash_bytes)};
    }

    // Lean keeps a module's constants in the order of its hash map.
    void sort_by_hash(std::vector<BuiltConstant>& constants) const {
        std::sort(constants.begin(), constants.end(),
                  [&](const BuiltConstant& a, const BuiltConstant& b) {
                      return std::pair(terms_.name_hash(a.name), a.name.word()) <
                             std::pair(terms_.name_hash(b.name), b.name.word());
                  });
    }

    BuiltRef name(NameIndex index) {
        if (index == 0)
            return TermBuilder::anonymous_name();
        std::vector<NameIndex> missing;
        for (; index != 0 && !scratch_.names.is_built(index); index = table_.names()[index].prefix)
            missing.push_back(index);
        BuiltRef built = index == 0 ? TermBuilder::anonymous_name() : scratch_.names[index];
        for (auto at = missing.rbegin(); at != missing.rend(); ++at) {
            const NameNode& node = table_.names()[*at];
            built = node.is_number ? terms_.mk_name_num(built, node.number)
                                   : terms_.mk_name_str(built, node.component);
            scratch_.names.set(*at, built);
        }
        return built;
    }

    // `needs(item, visit)` visits what an item refers to; `build(item)` makes it once that is
    // there.
    template <class Needs, class Build>
    BuiltRef with_needs(BuiltItems& items, std::uint32_t root, Needs needs, Build build) {
        if (items.is_built(root))
            return items[root];
        std::vector<std::uint32_t> wanted{root};
        constexpr BuiltRef pending;
        items.set(root, pending);
        for (std::size_t next = 0; next < wanted.size(); ++next) {
            needs(wanted[next], [&](std::uint32_t below) {
                if (!items.is_built(below)) {
                    items.set(below, pending);
                    wanted.push_back(below);
                }
            });
        }
        std::sort(wanted.begin(), wanted.end());
        for (const std::uint32_t item : wanted)
            items.set(item, build(item));
        return items[root];
    }

    BuiltRef level(LevelIndex root) {
        const auto needs = [&](LevelIndex at, auto visit) {
            const LevelNode& node = table_.levels()[at];
            if (node.kind != LevelKind::zero && node.kind != LevelKind::param)
                visit(node.a);
            if (node.kind == LevelKind::max || node.kind == LevelKind::imax)
                visit(node.b);
        };
        return with_needs(scratch_.levels, root, needs,
                          [&](LevelIndex at) { return mk_level(table_.levels()[at]); });
    }

    BuiltRef mk_level(const LevelNode& node) {
        switch (node.kind) {
        case LevelKind::zero:
            return TermBuilder::level_zero();
        case LevelKind::succ:
            return terms_.mk_level_succ(scratch_.levels[node.a]);
        case LevelKind::max:
            return terms_.mk_level_max(scratch_.levels[node.a], scratch_.levels[node.b]);
        case LevelKind::imax:
            return terms_.mk_level_imax(scratch_.levels[node.a], scratch_.levels[node.b]);
        case LevelKind::param:
            return terms_.mk_level_param(name(node.a));
        }
        fail(ErrorCode::internal, "a level of no kind");
    }

    BuiltRef term(TermIndex root) {
        const auto needs = [&](TermIndex at, auto visit) {
            visit_subterms(table_, table_.terms()[at], visit);
        };
        return with_needs(scratch_.terms, root, needs,
                          [&](TermIndex at) { return mk_term(table_.terms()[at]); });
    }

    BuiltRef built_term(TermIndex at) const { return scratch_.terms[at]; }

    BuiltBinder binder(const TermNode& node) {
        return {name(node.a), built_term(node.b), node.info};
    }

    BuiltRef mk_term(const TermNode& node) {
        switch (node.kind) {
        case TermKind::bvar:
            return terms_.mk_bvar(node.a);
        case TermKind::sort:
            return terms_.mk_sort(level(node.a));
        case TermKind::constant: {
            std::vector<BuiltRef> levels;
            for (const LevelIndex at : table_.level_list(node))
                levels.push_back(level(at));
            return terms_.mk_const(name(node.a), levels);
        }
        case TermKind::app:
            return terms_.mk_app(built_term(node.a), built_term(node.b));
        case TermKind::lam:
            return terms_.mk_lam(binder(node), built_term(node.c));
        case TermKind::forall_e:
            return terms_.mk_forall(binder(node), built_term(node.c));
        case TermKind::let_e: {
            const auto tail = table_.let_tail(node);
            return terms_.mk_let(name(node.a), built_term(node.b), built_term(tail.value),
                                 built_term(tail.body), node.non_dep);
        }
        case TermKind::nat_literal:
            return terms_.mk_nat_lit(limbs_of(table_.text(node)));
        case TermKind::string_literal:
            return terms_.mk_string_lit(table_.text(node));
        case TermKind::mdata:
            return terms_.mk_mdata(terms_.mk_list({}), built_term(node.a));
        case TermKind::proj:
            return terms_.mk_proj(name(node.a), node.b, built_term(node.c));
        }
        fail(ErrorCode::internal, "a term of no kind");
    }

    BuiltRef names_list(const std::vector<Id>& names) {
        std::vector<BuiltRef> refs;
        for (const Id index : names)
            refs.push_back(name(static_cast<NameIndex>(index)));
        return terms_.mk_list(refs);
    }

    BuiltRef term_of(Id index) { return term(static_cast<TermIndex>(index)); }
    BuiltRef name_of(Id index) { return name(static_cast<NameIndex>(index)); }

    BuiltConstant mk_constant(const ExportConstant& c) {
        const BuiltConstantHead head{name_of(c.name), names_list(c.universe_params),
                                     term_of(c.type)};
        switch (c.kind) {
        case ConstantKind::axiom:
            return constants_.mk_axiom(head, c.is_unsafe);
        case ConstantKind::definition:
            return constants_.mk_definition(
                head, {term_of(c.value), c.hints, c.safety, names_list(c.all)});
        case ConstantKind::theorem:
            return constants_.mk_theorem(head, term_of(c.value), names_list(c.all));
        case ConstantKind::opaque:
            return constants_.mk_opaque(head, term_of(c.value), names_list(c.all), c.is_unsafe);
        case ConstantKind::quotient:
            return constants_.mk_quotient(head, c.quotient_kind);
        case ConstantKind::inductive:
            return constants_.mk_inductive(head, {.num_params = c.num_params,
                                                  .num_indices = c.num_indices,
                                                  .all = names_list(c.all),
                                                  .constructors = names_list(c.constructors),
                                                  .num_nested = c.num_nested,
                                                  .is_recursive = c.is_recursive,
                                                  .is_unsafe = c.is_unsafe,
                                                  .is_reflexive = c.is_reflexive});
        case ConstantKind::constructor:
            return constants_.mk_constructor(head, {.inductive = name_of(c.inductive),
                                                    .index = c.index,
                                                    .num_params = c.num_params,
                                                    .num_fields = c.num_fields,
                                                    .is_unsafe = c.is_unsafe});
        case ConstantKind::recursor:
            return mk_recursor(head, c);
        }
        fail(ErrorCode::internal, "a constant of no kind");
    }

    BuiltConstant mk_recursor(const BuiltConstantHead& head, const ExportConstant& c) {
        std::vector<BuiltRef> rules;
        for (const ExportRule& rule : c.rules) {
            rules.push_back(constants_.mk_recursor_rule(name_of(rule.constructor), rule.num_fields,
                                                        term_of(rule.rhs)));
        }
        return constants_.mk_recursor(head, {.all = names_list(c.all),
                                             .num_params = c.num_params,
                                             .num_indices = c.num_indices,
                                             .num_motives = c.num_motives,
                                             .num_minors = c.num_minors,
                                             .rules = terms_.mk_list(rules),
                                             .has_k = c.has_k,
                                             .is_unsafe = c.is_unsafe});
    }

    const ExportTable& table_;
    ExportScratch& scratch_;
    ObjectBuilder objects_;
    TermBuilder terms_;
    ConstantBuilder constants_;
};

} // namespace

BuiltPart mk_export_module(const ExportTable& table,
                           std::span<const ExportDeclaration> declarations,
                           const Name& module,
                           std::span<const Name> imports,
                           ExportScratch& scratch) {
    try {
        return ModuleMaker(table, module, scratch).make(declarations, imports);
    } catch (const Failure& failure) {
        // The builders blame their caller for what they cannot hold; here the export has it.
        if (failure.error().code() != ErrorCode::invalid_argument)
            throw;
        fail(ErrorCode::invalid_input, failure.error().message(), failure.error().facts());
    }
}

} // namespace leanhost::module::lean4export
