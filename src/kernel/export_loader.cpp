#include "kernel/export_loader.hpp"

#include "kernel/big_integer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace leanhost::kernel {

namespace lean4export = module::lean4export;
using lean4export::BadLine;
using lean4export::IdMap;

namespace {

std::uint32_t find_or_throw(const IdMap& ids, ExportLoader::Id id, const char* what) {
    const std::uint32_t found = ids.find(id);
    if (found == IdMap::none)
        throw BadLine{fmt::format("no {} with the id {} stands before", what, id), {}, id};
    return found;
}

void add_or_throw(IdMap& ids, ExportLoader::Id id, std::uint32_t handle, const char* what) {
    if (!ids.add(id, handle))
        throw BadLine{fmt::format("a second {} with the id {}", what, id), {}, id};
}

std::uint32_t small(std::uint64_t count) {
    if (count > std::numeric_limits<std::uint32_t>::max() / 8)
        throw BadLine{"a count beyond all bounds", {}, count};
    return static_cast<std::uint32_t>(count);
}

} // namespace

ExportLoader::ExportLoader(TermStore& store,
                           NameTable& names,
                           std::size_t expected_terms,
                           OnDeclaration on_declaration)
    : store_(store), names_(names), on_declaration_(std::move(on_declaration)),
      inductive_lines_([this](Declaration& d) { on_declaration_(d); }) {
    term_ids_.reserve(expected_terms);
    name_ids_.add(0, anonymous);
    level_ids_.add(0, store.zero());
}

NameId ExportLoader::name_of(Id id) const {
    return find_or_throw(name_ids_, id, "name");
}
Level ExportLoader::level_of(Id id) const {
    return find_or_throw(level_ids_, id, "level");
}
Term ExportLoader::term_of(Id id) const {
    return find_or_throw(term_ids_, id, "term");
}
void ExportLoader::add_term(Id id, Term term) {
    add_or_throw(term_ids_, id, term, "term");
}

// The handle that `id` has or, for one that waits, will have unless an equal term is there;
// IdMap::none if there is no such term.
Term ExportLoader::expected_term(Id id) const {
    const Id place = id - first_pending_id_;
    return place < num_pending_ ? first_pending_ + static_cast<Term>(place) : term_ids_.find(id);
}

void ExportLoader::add_later(TermKind kind, Id id, Id a, Id b) {
    // As a rule ids are dense, and a line refers to one just before it.
    if (id != first_pending_id_ + num_pending_ || num_pending_ == max_pending)
        make_pending();
    if (num_pending_ == 0) {
        first_pending_ = store_.next_term();
        first_pending_id_ = id;
    }
    const Term left = expected_term(a);
    const Term right = expected_term(b);
    if (left == IdMap::none || right == IdMap::none) {
        make_pending();
        static_cast<void>(term_of(left == IdMap::none ? a : b)); // throws
    }
    if (term_ids_.find(id) != IdMap::none) {
        make_pending();
        add_term(id, no_term); // throws
    }
    store_.prefetch(kind, left, right);
    pending_[num_pending_++] = {kind, a, b, left, right};
}

void ExportLoader::make_pending() {
    count_item();
    bool is_as_expected = true;
    for (std::size_t i = 0; i < num_pending_; ++i) {
        const Pending& line = pending_[i];
        const Term a = is_as_expected ? line.expected_a : term_of(line.a);
        const Term b = is_as_expected ? line.expected_b : term_of(line.b);
        const Term term =
            line.kind == TermKind::app ? store_.app(a, b) : store_.binder(line.kind, a, b);
        is_as_expected = is_as_expected && term == first_pending_ + i;
        add_term(first_pending_id_ + i, term);
    }
    num_pending_ = 0;
}

void ExportLoader::name_str(Id id, Id prefix, std::string_view component) {
    count_item();
    add_or_throw(name_ids_, id, names_.str(name_of(prefix), component), "name");
}
void ExportLoader::name_num(Id id, Id prefix, std::uint64_t component) {
    count_item();
    add_or_throw(name_ids_, id, names_.num(name_of(prefix), component), "name");
}

void ExportLoader::level_succ(Id id, Id of) {
    count_item();
    add_or_throw(level_ids_, id, store_.succ(level_of(of)), "level");
}
void ExportLoader::level_max(Id id, Id lhs, Id rhs) {
    count_item();
    add_or_throw(level_ids_, id, store_.max(level_of(lhs), level_of(rhs)), "level");
}
void ExportLoader::level_imax(Id id, Id lhs, Id rhs) {
    count_item();
    add_or_throw(level_ids_, id, store_.imax_as_stated(level_of(lhs), level_of(rhs)), "level");
}
void ExportLoader::level_param(Id id, Id name) {
    count_item();
    add_or_throw(level_ids_, id, store_.param(name_of(name)), "level");
}

void ExportLoader::bvar(Id id, std::uint64_t index) {
    make_pending();
    add_term(id, store_.bvar(index));
}
void ExportLoader::sort(Id id, Id level) {
    make_pending();
    add_term(id, store_.sort(level_of(level)));
}
void ExportLoader::constant_term(Id id, Id name, const std::vector<Id>& levels) {
    make_pending();
    levels_.clear();
    for (const Id level : levels)
        levels_.push_back(level_of(level));
    add_term(id, store_.constant(name_of(name), store_.list(levels_)));
}
void ExportLoader::app(Id id, Id function, Id argument) {
    add_later(TermKind::app, id, function, argument);
}
void ExportLoader::lam(Id id, object::BinderInfo /*info*/, Id name, Id type, Id body) {
    static_cast<void>(name_of(name));
    add_later(TermKind::lam, id, type, body);
}
void ExportLoader::forall_e(Id id, object::BinderInfo /*info*/, Id name, Id type, Id body) {
    static_cast<void>(name_of(name));
    add_later(TermKind::pi, id, type, body);
}
void ExportLoader::let_e(Id id, Id name, Id type, Id value, Id body, bool /*non_dep*/) {
    make_pending();
    static_cast<void>(name_of(name));
    add_term(id, store_.let(term_of(type), term_of(value), term_of(body)));
}
void ExportLoader::proj(Id id, Id type_name, std::uint64_t index, Id structure) {
    make_pending();
    add_term(id, store_.proj(name_of(type_name), index, term_of(structure)));
}
void ExportLoader::mdata(Id id, Id term) {
    make_pending();
    add_term(id, term_of(term));
}
void ExportLoader::string_literal(Id id, std::string_view text) {
    make_pending();
    add_term(id, store_.string(text));
}

void ExportLoader::nat_literal(Id id, std::string_view digits) {
    make_pending();
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit))
        throw BadLine{"a natural number is written in decimal digits", {}, {}};
    constexpr std::size_t surely_small = 19;
    if (digits.size() <= surely_small) {
        std::uint64_t value = 0;
        for (const char digit : digits)
            value = value * 10 + static_cast<unsigned>(digit - '0');
        add_term(id, store_.nat(value));
        return;
    }
    constexpr std::size_t most_digits = max_literal_bytes * 241 / 100; // 256 is 10 to the 2.408
    if (digits.size() > most_digits)
        fail(ErrorCode::resource_exhausted, "a natural number of more than 16 MiB");
    Integer value;
    mpz_set_str(value, std::string(digits).c_str(), 10);
    add_term(id,
             store_.nat(std::span<const std::uint64_t>(mpz_limbs_read(value), mpz_size(value))));
}

InductiveFacts ExportLoader::facts(const lean4export::ExportConstant& from, Term type) {
    InductiveFacts facts;
    for (const Id id : from.all)
        facts.all.push_back(name_of(id));
    for (const Id id : from.constructors)
        facts.constructors.push_back(name_of(id));
    for (const lean4export::ExportRule& rule : from.rules)
        facts.rules.push_back(
            {name_of(rule.constructor), small(rule.num_fields), term_of(rule.rhs)});
    facts.num_params = small(from.num_params);
    facts.num_indices = small(from.num_indices);
    facts.num_nested = small(from.num_nested);
    facts.index = small(from.index);
    facts.num_fields = small(from.num_fields);
    facts.num_motives = small(from.num_motives);
    facts.num_minors = small(from.num_minors);
    facts.is_recursive = from.is_recursive;
    facts.is_reflexive = from.is_reflexive;
    facts.has_k = from.has_k;
    if (from.kind == ConstantKind::constructor)
        facts.inductive = name_of(from.inductive);
    if (from.kind == ConstantKind::recursor)
        facts.inductive = major_inductive(store_, facts, type);
    return facts;
}

ConstantInfo ExportLoader::constant(const lean4export::ExportConstant& from, Declaration& into) {
    ConstantInfo info;
    info.name = name_of(from.name);
    info.kind = from.kind;
    info.safety = from.kind == ConstantKind::definition ? from.safety
                  : from.is_unsafe                      ? DefinitionSafety::unsafe
                                                        : DefinitionSafety::safe;
    info.quotient_kind = from.quotient_kind;
    info.hints = from.hints.kind;
    info.height = from.hints.height;
    levels_.clear();
    for (const Id id : from.universe_params)
        levels_.push_back(store_.param(name_of(id)));
    info.params = store_.list(levels_);
    info.type = term_of(from.type);
    switch (from.kind) {
    case ConstantKind::definition:
    case ConstantKind::theorem:
    case ConstantKind::opaque:
        info.value = term_of(from.value);
        break;
    case ConstantKind::inductive:
    case ConstantKind::constructor:
    case ConstantKind::recursor:
        info.facts = static_cast<std::uint32_t>(into.facts.size());
        into.facts.push_back(facts(from, info.type));
        break;
    default:
        break;
    }
    return info;
}

void ExportLoader::declaration(const lean4export::ExportDeclaration& from) {
    make_pending();
    const ConstantKind kind = from.constants.front().kind;
    if (!from.is_inductive_block &&
        (kind == ConstantKind::inductive || kind == ConstantKind::constructor ||
         kind == ConstantKind::recursor)) {
        for (const lean4export::ExportConstant& constant_from : from.constants) {
            Declaration alone;
            const ConstantInfo info = constant(constant_from, alone);
            inductive_lines_.add(info, alone.facts.front());
        }
        return;
    }
    Declaration declaration;
    declaration.is_inductive_block = from.is_inductive_block;
    for (const lean4export::ExportConstant& constant_from : from.constants) {
        declaration.constants.push_back(constant(constant_from, declaration));
        // An array of safe ones (format 3.0) is a sequence: only unsafe ones may refer to each
        // other.
        if (!from.is_inductive_block &&
            declaration.constants.back().safety == DefinitionSafety::safe) {
            on_declaration_(declaration);
            declaration = {};
        }
    }
    if (!declaration.constants.empty())
        on_declaration_(declaration);
}

std::size_t ExportLoader::bytes() const noexcept {
    return name_ids_.memory_bytes() + level_ids_.memory_bytes() + term_ids_.memory_bytes() +
           inductive_lines_.bytes();
}

} // namespace leanhost::kernel
