#pragma once

#include "kernel/environment.hpp"
#include "kernel/inductive_lines.hpp"
#include "module/lean4export/export_sink.hpp"
#include "module/lean4export/id_map.hpp"

#include <array>
#include <functional>

namespace leanhost::kernel {

/// Puts an export's names, levels and terms into a persistent store as its lines come, and hands
/// each declaration on. References that lead nowhere and ids given twice are refused (BadLine).
class ExportLoader final : public module::lean4export::ExportSink {
public:
    using Id = module::lean4export::Id;
    using OnDeclaration = std::function<void(Declaration&)>;

    /// `expected_terms`: about how many there will be; saves growing.
    ExportLoader(TermStore& store,
                 NameTable& names,
                 std::size_t expected_terms,
                 OnDeclaration on_declaration);

    void meta(const module::lean4export::ExportMeta& meta) override { meta_ = meta; }
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
    void declaration(const module::lean4export::ExportDeclaration& declaration) override;
    /// No line comes any more: hands on what waits for others.
    void finish() { inductive_lines_.finish(); }

    /// `meter` is called again and again as terms, levels and names are added.
    void set_meter(std::function<void()> meter) { meter_ = std::move(meter); }

    const module::lean4export::ExportMeta& export_meta() const noexcept { return meta_; }
    std::size_t bytes() const noexcept;

private:
    /// A term whose line was read and that is not made yet. Its parts have these handles if no
    /// term that waits before it is there already.
    struct Pending {
        TermKind kind;
        Id a;
        Id b;
        Term expected_a;
        Term expected_b;
    };

    NameId name_of(Id id) const;
    Level level_of(Id id) const;
    Term term_of(Id id) const;
    void add_term(Id id, Term term);
    void add_later(TermKind kind, Id id, Id a, Id b);
    Term expected_term(Id id) const;
    void make_pending();
    void count_item() {
        constexpr std::uint32_t looks_every = 1024;
        if (++num_items_ % looks_every == 0 && meter_)
            meter_();
    }
    ConstantInfo constant(const module::lean4export::ExportConstant& from, Declaration& into);
    InductiveFacts facts(const module::lean4export::ExportConstant& from, Term type);

    TermStore& store_;
    NameTable& names_;
    OnDeclaration on_declaration_;
    std::function<void()> meter_;
    std::uint32_t num_items_ = 0;
    InductiveLines inductive_lines_; ///< of formats before 3.0
    module::lean4export::ExportMeta meta_;
    module::lean4export::IdMap name_ids_;
    module::lean4export::IdMap level_ids_;
    module::lean4export::IdMap term_ids_;
    std::vector<Level> levels_; ///< scratch
    /// Looking for a term costs a look at far memory. A few are gathered, so that these looks go on
    /// side by side.
    static constexpr std::size_t max_pending = 12;
    std::array<Pending, max_pending> pending_{};
    std::size_t num_pending_ = 0;
    Id first_pending_id_ = 0;      ///< the others' follow it one by one
    Term first_pending_ = no_term; ///< handle of the first, if none of them is there already
};

} // namespace leanhost::kernel
