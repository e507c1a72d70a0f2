#pragma once

#include "module/lean4export/export_sink.hpp"

namespace leanhost::test {

/// Keeps every call as one line of text, such as "app 9: 8 1".
class RecordingSink final : public module::lean4export::ExportSink {
public:
    using Id = module::lean4export::Id;

    std::vector<std::string> calls;

    void meta(const module::lean4export::ExportMeta& meta) override;
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
};

/// All fields of a constant, those of other kinds too: they must not be left over from another
/// line.
std::string describe(const module::lean4export::ExportConstant& constant);
std::string describe(const module::lean4export::ExportDeclaration& declaration);

} // namespace leanhost::test
