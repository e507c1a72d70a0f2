// Dependencies, dependents and axioms of every constant of a real library, against what a slow and
// obvious implementation finds in the export that the library was converted from.
#include "base/guard.hpp"
#include "engine_native/native_engine.hpp"
#include "module/lean4export/convert_export.hpp"
#include "module/lean4export/export_reader.hpp"
#include "support/temp_dir.hpp"
#include "support/test_data.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>

namespace leanhost::engine_native {
namespace {

namespace lean4export = module::lean4export;
using lean4export::ExportConstant;
using lean4export::ExportTable;
using lean4export::TermIndex;
using lean4export::TermKind;
using lean4export::TermNode;
using object::ConstantKind;

struct Mentions {
    std::set<std::string> in_type;
    std::set<std::string> elsewhere;
};

class SlowLibrary {
public:
    explicit SlowLibrary(const ExportTable& table) : table_(table) {
        for (const auto& declaration : table.declarations()) {
            for (const ExportConstant& constant : declaration.constants)
                add(constant);
        }
    }

    const std::map<std::string, Mentions>& mentions() const { return mentions_; }

    std::set<std::string> dependencies(const std::string& name) const {
        std::set<std::string> all = mentions_.at(name).in_type;
        all.insert(mentions_.at(name).elsewhere.begin(), mentions_.at(name).elsewhere.end());
        return all;
    }

    std::set<std::string> axioms(const std::string& name) const {
        std::set<std::string> met{name};
        std::vector<std::string> todo{name};
        std::set<std::string> result;
        while (!todo.empty()) {
            const std::string at = todo.back();
            todo.pop_back();
            if (axioms_.contains(at))
                result.insert(at);
            for (const std::string& below : dependencies(at)) {
                if (met.insert(below).second)
                    todo.push_back(below);
            }
        }
        return result;
    }

private:
    void add(const ExportConstant& constant) {
        const std::string name = text(constant.name);
        Mentions& mentions = mentions_[name];
        collect(constant.type, mentions.in_type);
        const bool has_value = constant.kind == ConstantKind::definition ||
                               constant.kind == ConstantKind::theorem ||
                               constant.kind == ConstantKind::opaque;
        if (has_value)
            collect(constant.value, mentions.elsewhere);
        for (const auto& rule : constant.rules)
            collect(rule.rhs, mentions.elsewhere);
        for (const auto constructor : constant.constructors)
            mentions.elsewhere.insert(text(constructor));
        if (constant.kind == ConstantKind::axiom)
            axioms_.insert(name);
    }

    void collect(lean4export::Id root, std::set<std::string>& names) const {
        std::set<TermIndex> met;
        std::vector<TermIndex> todo{static_cast<TermIndex>(root)};
        while (!todo.empty()) {
            const TermIndex at = todo.back();
            todo.pop_back();
            if (!met.insert(at).second)
                continue;
            const TermNode& node = table_.terms()[at];
            if (node.kind == TermKind::constant || node.kind == TermKind::proj)
                names.insert(text(node.a));
            lean4export::visit_subterms(table_, node,
                                        [&](TermIndex below) { todo.push_back(below); });
        }
    }

    std::string text(lean4export::Id name) const {
        return table_.name_text(static_cast<lean4export::NameIndex>(name));
    }

    const ExportTable& table_;
    std::map<std::string, Mentions> mentions_;
    std::set<std::string> axioms_;
};

std::set<std::string> texts(const std::vector<Name>& names) {
    std::set<std::string> result;
    for (const Name& name : names)
        result.insert(name.to_string());
    return result;
}

std::set<std::string> names_of(const std::vector<Reference>& references, bool only_in_type) {
    std::set<std::string> result;
    for (const Reference& reference : references) {
        if (reference.is_in_type || !only_in_type)
            result.insert(reference.name.to_string());
    }
    return result;
}

class RealReferences : public testing::TestWithParam<const char*> {};

TEST_P(RealReferences, EqualThoseOfASlowImplementation) {
    LEANHOST_NEEDS_DATA(GetParam());
    Monitor monitor;
    ExportTable table;
    lean4export::read_export(test::test_data(GetParam()), table, monitor);
    const test::TempDir folder;
    lean4export::convert_export(table, {.directory = folder.path(), .root_module = "Lib"}, monitor);
    NativeEngineOptions options;
    options.search_path = {folder.path()};
    NativeEngine engine(options);
    const auto session = engine.open({"Lib"}, {});
    const SlowLibrary slow(table);

    std::vector<Name> names;
    std::map<std::string, std::set<std::string>> dependents;
    for (const auto& [name, mentions] : slow.mentions()) {
        names.emplace_back(name);
        for (const std::string& below : slow.dependencies(name))
            dependents[below].insert(name);
    }
    ASSERT_EQ(session->import_facts().constants, names.size());
    const auto below = *session->dependencies(names);
    const auto above = *session->dependents(names);
    const auto axioms = *session->axioms(names);
    std::size_t edges = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string name = names[i].to_string();
        ASSERT_TRUE(below[i] && above[i] && axioms[i]) << name;
        EXPECT_EQ(names_of(*below[i], false), slow.dependencies(name)) << name;
        EXPECT_EQ(names_of(*below[i], true), slow.mentions().at(name).in_type) << name;
        EXPECT_EQ(names_of(*above[i], false), dependents[name]) << name;
        EXPECT_EQ(texts(axioms[i]->axioms), slow.axioms(name)) << name;
        EXPECT_TRUE(axioms[i]->is_complete) << name;
        edges += below[i]->size();
    }
    std::printf("%s: %zu constants, %zu dependencies\n", GetParam(), names.size(), edges);
}

INSTANTIATE_TEST_SUITE_P(Exports,
                         RealReferences,
                         testing::Values("init-prelude.ndjson", "init-medium.ndjson"));

} // namespace
} // namespace leanhost::engine_native
