#include "lean4export/converted.hpp"

#include "base/failure.hpp"
#include "module/typed_objects.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

namespace leanhost::test {

using namespace module::lean4export;

namespace {

const Name root_module("Converted.All");

ConvertReport convert_into(const std::filesystem::path& folder,
                           const ExportTable& table,
                           std::uint64_t constants_per_module) {
    Monitor monitor;
    return convert_export(table, {folder, root_module, constants_per_module}, monitor);
}

} // namespace

Converted::Converted(const ExportTable& table, std::uint64_t constants_per_module)
    : report_(convert_into(folder_.path(), table, constants_per_module)),
      closure_(import_all(folder_.path(), root_module, registry_)) {}

std::map<std::string, std::string> Converted::files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
        if (!entry.is_regular_file())
            continue;
        std::ifstream in(entry.path(), std::ios::binary);
        files[std::filesystem::relative(entry.path(), folder_.path()).string()] =
            std::string(std::istreambuf_iterator<char>(in), {});
    }
    return files;
}

void expect_round_trip(const ExportTable& table, const Converted& converted) {
    RoundTrip round_trip(table);
    round_trip.compare(converted.closure());
    for (const std::string& difference : round_trip.differences())
        ADD_FAILURE() << difference;
    const ConvertReport& report = converted.report();
    EXPECT_EQ(report.modules, converted.closure().modules().size());
    EXPECT_EQ(report.constants, converted.closure().num_constants());
    EXPECT_EQ(report.file_bytes, converted.closure().size_bytes());
    std::size_t declared = 0;
    for (const ExportDeclaration& declaration : table.declarations())
        declared += declaration.constants.size();
    EXPECT_EQ(report.constants, declared);
}

void expect_imports_cover_mentions(const Converted& converted) {
    const auto& modules = converted.closure().modules();
    std::map<std::string, std::size_t> declared_in;
    for (std::size_t i = 0; i < modules.size(); ++i) {
        for (std::size_t k = 0; k < modules[i].data.constants().size(); ++k)
            declared_in[modules[i].data.constant(k).name().to_string()] = i;
    }
    std::vector<std::set<std::size_t>> visible(modules.size());
    for (std::size_t i = 0; i < modules.size(); ++i) {
        visible[i] = {i};
        for (const std::uint32_t import : modules[i].imports) {
            // Text order is the file's order while there are less than 10,000 modules.
            if (modules[i].name != root_module) {
                EXPECT_LT(modules[import].text, modules[i].text);
            }
            visible[i].insert(visible[import].begin(), visible[import].end());
        }
        const module::TypedObjects objects(*modules[i].region, 0);
        objects.terms().sweep([&](object::ObjectRef object) {
            const object::ExprRef term(object);
            if (term.kind() != object::ExprRef::Kind::constant &&
                term.kind() != object::ExprRef::Kind::proj)
                return;
            const auto found = declared_in.find(term.name().to_string());
            EXPECT_TRUE(found == declared_in.end() || visible[i].count(found->second) == 1)
                << modules[i].text << " mentions " << term.name().to_string();
        });
    }
}

std::optional<Error> conversion_error(const ExportTable& table,
                                      std::uint64_t constants_per_module) {
    const TempDir folder;
    try {
        convert_into(folder.path(), table, constants_per_module);
    } catch (const Failure& failure) {
        return failure.error();
    }
    return std::nullopt;
}

} // namespace leanhost::test
