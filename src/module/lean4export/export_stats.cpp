#include "module/lean4export/export_stats.hpp"

namespace leanhost::module::lean4export {
namespace {

using object::ConstantKind;

void count_declaration(const ExportDeclaration& declaration, ExportStats& stats) {
    for (const ExportConstant& constant : declaration.constants) {
        ++stats.constants;
        ++stats.constants_by_kind[static_cast<std::size_t>(constant.kind)];
        stats.recursor_rules += constant.rules.size();
    }
    stats.inductive_blocks += declaration.is_inductive_block ? 1 : 0;
    const ConstantKind kind = declaration.constants.front().kind;
    const bool is_part_of_block =
        !declaration.is_inductive_block &&
        (kind == ConstantKind::inductive || kind == ConstantKind::constructor ||
         kind == ConstantKind::recursor);
    stats.declarations += is_part_of_block ? 0 : 1;
}

} // namespace

ExportStats export_stats_of(const ExportTable& table, const ReadFacts& read) {
    ExportStats stats;
    stats.meta = table.meta_line();
    stats.read = read;
    // The anonymous name and level zero have no line.
    stats.names = table.names().size() - 1;
    for (const NameNode& name : table.names())
        stats.numeric_names += name.is_number ? 1 : 0;
    stats.levels = table.levels().size() - 1;
    for (const LevelNode& level : table.levels())
        ++stats.levels_by_kind[static_cast<std::size_t>(level.kind)];
    stats.terms = table.terms().size();
    for (const TermNode& term : table.terms())
        ++stats.terms_by_kind[static_cast<std::size_t>(term.kind)];
    for (const ExportDeclaration& declaration : table.declarations())
        count_declaration(declaration, stats);
    if (read.lines_with_plain_id == 0) {
        stats.greatest_name_id = table.greatest_name_id();
        stats.greatest_level_id = table.greatest_level_id();
        stats.greatest_term_id = table.greatest_term_id();
    }
    return stats;
}

} // namespace leanhost::module::lean4export
