#pragma once

#include "kernel/term.hpp"
#include "module/lean4export/export_sink.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leanhost::fuzz {

using kernel::LevelKind;
using kernel::TermKind;
using module::lean4export::ExportConstant;
using module::lean4export::ExportDeclaration;

/// A position in one of the model's lists.
using Index = std::uint32_t;

struct ModelName {
    Index prefix = 0;
    bool is_number = false;
    std::uint64_t number = 0;
    std::string text;
};

struct ModelLevel {
    LevelKind kind = LevelKind::zero;
    Index a = 0; ///< succ, max, imax: a level; param: a name
    Index b = 0;
    auto operator<=>(const ModelLevel&) const = default;
};

/// bvar: a is the index. sort: a. constant: a a name, levels. app: a b. lam, pi: a the domain, b.
/// let: a type, b value, c body. proj: a structure, b name, c index. nat, string: text.
struct ModelTerm {
    TermKind kind = TermKind::sort;
    Index a = 0;
    Index b = 0;
    Index c = 0;
    std::vector<Index> levels;
    std::string text;
    auto operator<=>(const ModelTerm&) const = default;
};

/// An export as lists that can be changed: a part stands before what it is part of, so a term
/// refers to smaller positions only. Name 0 is the anonymous one, level 0 is zero. Ids within
/// `declarations` are positions. Binder names and annotations are left out.
struct ExportModel {
    std::vector<ModelName> names{ModelName{}};
    std::vector<ModelLevel> levels{ModelLevel{}};
    std::vector<ModelTerm> terms;
    std::vector<ExportDeclaration> declarations;

    /// None: not an export. Lines of more than a few hundred KiB in all are not taken.
    static std::optional<ExportModel> parse(std::string_view text);

    /// The lines of an export; only what the declarations refer to.
    std::string text() const;
    /// The same, told to a sink; ids are positions. May throw what the sink throws.
    void tell(module::lean4export::ExportSink& sink) const;

    // Adding finds what is there.
    Index name(std::string_view dotted);
    Index name(Index prefix, std::string_view component);
    Index level(ModelLevel level);
    Index term(ModelTerm term);

    Index bvar(Index index) { return term({TermKind::bvar, index, 0, 0, {}, {}}); }
    Index sort(Index of) { return term({TermKind::sort, of, 0, 0, {}, {}}); }
    Index constant(Index of, std::vector<Index> of_levels) {
        return term({TermKind::constant, of, 0, 0, std::move(of_levels), {}});
    }
    Index app(Index f, Index x) { return term({TermKind::app, f, x, 0, {}, {}}); }
    Index binder(TermKind kind, Index domain, Index body) {
        return term({kind, domain, body, 0, {}, {}});
    }

    std::string dotted(Index name) const;

    /// Positions of the terms that `of` is made of, none twice in a row.
    std::vector<Index> parts(Index of) const;
    /// `of` with part number `which` (as in `parts`) replaced.
    Index with_part(Index of, std::size_t which, Index part);

private:
    std::map<ModelTerm, Index> term_index_;
    std::map<ModelLevel, Index> level_index_;
    std::map<std::pair<Index, std::string>, Index> name_index_;
};

/// Every term that a constant refers to: its type, its value, its rules.
std::vector<module::lean4export::Id*> terms_of(ExportConstant& constant);

} // namespace leanhost::fuzz
