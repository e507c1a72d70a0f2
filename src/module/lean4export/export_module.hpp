#pragma once

#include "module/constant_builder.hpp"
#include "module/lean4export/export_table.hpp"

#include <span>
#include <string>

namespace leanhost::module::lean4export {

/// For each item of the table what it has become in the module that is being built; one for all
/// modules, so that nothing of the table's size is made anew for each.
class BuiltItems {
public:
    explicit BuiltItems(std::size_t size) : refs_(size), modules_(size) {}

    bool is_built(std::uint32_t item) const { return modules_[item] == module_; }
    BuiltRef operator[](std::uint32_t item) const { return refs_[item]; }
    void set(std::uint32_t item, BuiltRef ref) {
        refs_[item] = ref;
        modules_[item] = module_;
    }
    void begin_module() { ++module_; }

private:
    std::vector<BuiltRef> refs_;
    std::vector<std::uint32_t> modules_;
    std::uint32_t module_ = 0;
};

/// What the modules of one conversion share.
struct ExportScratch {
    explicit ExportScratch(const ExportTable& table)
        : names(table.names().size()), levels(table.levels().size()), terms(table.terms().size()) {}

    BuiltItems names;
    BuiltItems levels;
    BuiltItems terms;
};

/// One module of a conversion, as the bytes of its file. `declarations` are some of the table's.
/// Throws Failure(invalid_input): a term that the layout cannot hold.
BuiltPart mk_export_module(const ExportTable& table,
                           std::span<const ExportDeclaration> declarations,
                           const Name& module,
                           std::span<const Name> imports,
                           ExportScratch& scratch);

} // namespace leanhost::module::lean4export
