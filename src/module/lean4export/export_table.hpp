#pragma once

#include "module/lean4export/export_sink.hpp"
#include "module/lean4export/id_map.hpp"

#include <memory>
#include <span>

namespace leanhost::module::lean4export {

/// A position in one of ExportTable's three arrays.
using NameIndex = std::uint32_t;
using LevelIndex = std::uint32_t;
using TermIndex = std::uint32_t;

/// Numbers as the kinds of ExprRef have them, but that literals are two and `mdata` comes without
/// its annotation.
enum class TermKind : std::uint8_t {
    bvar,
    sort,
    constant,
    app,
    lam,
    forall_e,
    let_e,
    nat_literal,
    string_literal,
    mdata,
    proj
};
inline constexpr std::size_t num_term_kinds = 11;
enum class LevelKind : std::uint8_t { zero, succ, max, imax, param };
inline constexpr std::size_t num_level_kinds = 5;

struct NameNode {
    NameIndex prefix;
    bool is_number;
    std::uint16_t num_components;
    std::uint32_t text_bytes;   ///< of the whole name
    std::string_view component; ///< in the table
    std::uint64_t number;
};

struct LevelNode {
    LevelKind kind;
    std::uint32_t a = 0; ///< succ, max, imax: a level; param: a name
    std::uint32_t b = 0; ///< max, imax: a level
};

struct TermNode {
    TermKind kind;
    object::BinderInfo info = object::BinderInfo::explicit_; ///< lam, forall_e
    bool non_dep = false;                                    ///< let_e
    /// bvar: its index. sort: a level. constant: a name; `b` and `c`: begin and number of its
    /// levels in `level_lists`. app: function, argument. lam, forall_e: name, type, body. let_e:
    /// name, type and, in `c`, a position in `let_tails`. literals: a position in `texts`. mdata: a
    /// term. proj: a name, an index, a term.
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::uint32_t c = 0;
};
static_assert(sizeof(TermNode) == 16);

/// Everything that an export holds, compactly: 16 bytes a term. Every reference is checked as it is
/// read: it leads to an item of the right kind that stood before. Not thread-safe while it is
/// filled.
///
/// Throws BadLine: an id that was not given out or is given out twice; more than 2^32 - 2 items; a
/// name of more than 16 KiB or 1,024 components; a number literal of more than 16 MiB.
class ExportTable final : public ExportSink {
public:
    ExportTable();

    const ExportMeta& meta_line() const noexcept { return meta_; }
    std::span<const NameNode> names() const noexcept { return names_; }
    std::span<const LevelNode> levels() const noexcept { return levels_; }
    std::span<const TermNode> terms() const noexcept { return terms_; }
    /// With positions in place of ids.
    const std::vector<ExportDeclaration>& declarations() const noexcept { return declarations_; }
    std::span<const LevelIndex> level_list(const TermNode& constant) const noexcept {
        return std::span(level_lists_).subspan(constant.b, constant.c);
    }
    struct LetTail {
        TermIndex value;
        TermIndex body;
    };
    LetTail let_tail(const TermNode& let_term) const noexcept { return let_tails_[let_term.c]; }
    std::string_view text(const TermNode& literal) const noexcept { return texts_[literal.a]; }
    /// nullopt without a line of the kind.
    std::optional<Id> greatest_name_id() const noexcept {
        return names_.size() > 1 ? name_ids_.greatest() : std::nullopt;
    }
    std::optional<Id> greatest_level_id() const noexcept {
        return levels_.size() > 1 ? level_ids_.greatest() : std::nullopt;
    }
    std::optional<Id> greatest_term_id() const noexcept { return term_ids_.greatest(); }
    /// Dotted, for messages.
    std::string name_text(NameIndex name) const;

    /// Without allocator overhead.
    std::size_t memory_bytes() const noexcept;

    void meta(const ExportMeta& meta) override;
    void name_str(Id id, Id prefix, std::string_view component) override;
    void name_num(Id id, Id prefix, std::uint64_t component) override;
    void level_succ(Id id, Id of) override;
    void level_max(Id id, Id lhs, Id rhs) override;
    void level_imax(Id id, Id lhs, Id rhs) override;
    void level_param(Id id, Id name) override;
    void bvar(Id id, std::uint64_t index) override;
    void sort(Id id, Id level) override;
    void constant_term(Id id, Id name, const std::vector<Id>& levels) override;
    void app(Id id, Id function, Id argument) override;
    void lam(Id id, object::BinderInfo info, Id name, Id type, Id body) override;
    void forall_e(Id id, object::BinderInfo info, Id name, Id type, Id body) override;
    void let_e(Id id, Id name, Id type, Id value, Id body, bool non_dep) override;
    void proj(Id id, Id type_name, std::uint64_t index, Id structure) override;
    void nat_literal(Id id, std::string_view digits) override;
    void string_literal(Id id, std::string_view text) override;
    void mdata(Id id, Id term) override;
    void declaration(const ExportDeclaration& declaration) override;

private:
    NameIndex name_at(Id id) const;
    LevelIndex level_at(Id id) const;
    TermIndex term_at(Id id) const;
    void to_names(std::vector<Id>& ids) const;
    void add_name(Id id, NameNode node);
    void add_level(Id id, LevelNode node);
    void add_term(Id id, TermNode node);
    std::uint32_t keep_text(std::string_view text);
    std::string_view keep(std::string_view text);

    ExportMeta meta_;
    std::vector<NameNode> names_;
    std::vector<LevelNode> levels_;
    std::vector<TermNode> terms_;
    IdMap name_ids_;
    IdMap level_ids_;
    IdMap term_ids_;
    std::vector<LevelIndex> level_lists_;
    std::vector<LetTail> let_tails_;
    std::vector<std::string_view> texts_;
    std::vector<ExportDeclaration> declarations_;

    // Texts, in blocks that never move.
    struct Block {
        std::unique_ptr<char[]> bytes; // not zeroed
        std::size_t size;
        std::size_t used;
    };
    std::vector<Block> blocks_;
};

/// Calls `visit` for each term directly below `node`.
template <class Visit>
void visit_subterms(const ExportTable& table, const TermNode& node, Visit&& visit) {
    switch (node.kind) {
    case TermKind::bvar:
    case TermKind::sort:
    case TermKind::constant:
    case TermKind::nat_literal:
    case TermKind::string_literal:
        return;
    case TermKind::app:
        visit(node.a);
        visit(node.b);
        return;
    case TermKind::lam:
    case TermKind::forall_e:
        visit(node.b);
        visit(node.c);
        return;
    case TermKind::let_e:
        visit(node.b);
        visit(table.let_tail(node).value);
        visit(table.let_tail(node).body);
        return;
    case TermKind::mdata:
        visit(node.a);
        return;
    case TermKind::proj:
        visit(node.c);
        return;
    }
}

} // namespace leanhost::module::lean4export
