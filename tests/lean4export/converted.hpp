#pragma once

#include "lean4export/round_trip.hpp"
#include "module/lean4export/convert_export.hpp"
#include "module/region_registry.hpp"
#include "support/temp_dir.hpp"

#include <leanhost/error.hpp>

#include <map>

namespace leanhost::test {

/// A table as modules in a folder of their own, and what importing them gives.
class Converted {
public:
    /// Throws Failure as convert_export and load_closure do.
    explicit Converted(const module::lean4export::ExportTable& table,
                       std::uint64_t constants_per_module = 500);

    const module::lean4export::ConvertReport& report() const noexcept { return report_; }
    const module::ImportClosure& closure() const noexcept { return closure_; }
    const std::filesystem::path& folder() const noexcept { return folder_.path(); }
    /// Relative path and bytes of every file.
    std::map<std::string, std::string> files() const;

private:
    TempDir folder_;
    module::lean4export::ConvertReport report_;
    module::RegionRegistry registry_;
    module::ImportClosure closure_;
};

/// Fails the test unless the modules hold what the table says and the report counts them.
void expect_round_trip(const module::lean4export::ExportTable& table, const Converted& converted);

/// Fails the test unless imports lead to earlier modules of the order of the file, and each
/// constant that a module's terms mention, if any module declares it, is its own or of a module
/// that it imports, directly or not.
void expect_imports_cover_mentions(const Converted& converted);

/// The error of a conversion, nullopt when it went well.
std::optional<Error> conversion_error(const module::lean4export::ExportTable& table,
                                      std::uint64_t constants_per_module = 500);

} // namespace leanhost::test
