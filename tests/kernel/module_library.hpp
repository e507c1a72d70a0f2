#pragma once

#include "kernel/check_modules.hpp"
#include "module/region_registry.hpp"
#include "support/temp_dir.hpp"

namespace leanhost::kernel::test {

/// A folder of modules, imported whole.
class ModuleLibrary {
public:
    explicit ModuleLibrary(const std::filesystem::path& folder, bool allow_missing = false);

    const module::ImportClosure& closure() const { return closure_; }
    const module::ConstantIndex& index() const { return index_; }
    std::vector<std::uint32_t> all_modules() const;
    ModulesReport check(const CheckOptions& options = {}) const;

private:
    Monitor monitor_;
    module::RegionRegistry registry_;
    module::ImportClosure closure_;
    module::ConstantIndex index_;
};

/// Writes the export at `path` as modules of `constants_per_module` below `folder`.
void convert(const std::filesystem::path& path,
             const std::filesystem::path& folder,
             std::uint64_t constants_per_module = 500);

/// What the check says of the export as modules.
ModulesReport check_converted(const std::filesystem::path& path,
                              std::uint64_t constants_per_module = 500,
                              const CheckOptions& options = {});
ModulesReport check_converted_text(const std::string& text);

} // namespace leanhost::kernel::test
