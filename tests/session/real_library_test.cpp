// A whole real library: Batteries, without what it imports.
#include "session/session_fixture.hpp"
#include "support/test_data.hpp"

#include <algorithm>
#include <set>

namespace leanhost {
namespace {

constexpr const char* library = "olean/4.28.0/batteries";

class RealLibrary : public testing::Test {
protected:
    static test::SessionHandle open() {
        return test::open_session(test::test_data(library), {"Batteries"});
    }
};

TEST_F(RealLibrary, PagesCoverEveryDeclarationOnceAndEachIsFound) {
    LEANHOST_NEEDS_DATA(library);
    const auto session = open();
    std::vector<Name> names;
    for (std::uint64_t offset = 0;; offset += 97) {
        const auto page = session->list_declarations(offset, 97);
        ASSERT_TRUE(page);
        if (page->empty())
            break;
        names.insert(names.end(), page->begin(), page->end());
    }
    EXPECT_EQ(names, test::all_names(*session));
    const std::set<Name> distinct(names.begin(), names.end());
    EXPECT_EQ(distinct.size(), session->import_facts().constants);
    EXPECT_GT(distinct.size(), 1'000U);
    const auto rows = session->query_declarations(names, {.type = true, .max_type_bytes = 1000});
    ASSERT_TRUE(rows) << rows.error().message();
    EXPECT_TRUE(std::all_of(rows->begin(), rows->end(), [](const DeclarationRow& row) {
        return row.has_value() && !row->type.empty() && row->type.size() <= 1003;
    }));
}

TEST_F(RealLibrary, KnownDeclarationsAreWhatTheyAre) {
    LEANHOST_NEEDS_DATA(library);
    const auto session = open();
    struct Known {
        Name name;
        DeclarationKind kind;
        const char* module;
        std::vector<std::string> universe_params;
    };
    const Known known[] = {
        {"Batteries.PairingHeapImp.Heap",
         DeclarationKind::inductive,
         "Batteries.Data.PairingHeap",
         {"u"}},
        {"Batteries.PairingHeapImp.Heap.node",
         DeclarationKind::constructor,
         "Batteries.Data.PairingHeap",
         {"u"}},
        {"Batteries.PairingHeapImp.Heap.rec",
         DeclarationKind::recursor,
         "Batteries.Data.PairingHeap",
         {"u_1", "u"}},
        {"pickle.unsafe_impl_3", DeclarationKind::opaque, "Batteries.Util.Pickle", {}},
        {"Batteries.RBMap.modify._proof_1",
         DeclarationKind::axiom,
         "Batteries.Data.RBMap.Alter",
         {"u_1", "u_2"}},
        {"Nat.xor_left_inj", DeclarationKind::theorem, "Batteries.Data.Nat.Bitwise", {}},
    };
    for (const Known& k : known) {
        const auto rows = session->query_declarations(std::span(&k.name, 1));
        ASSERT_TRUE(rows && (*rows)[0]) << k.name.to_string();
        EXPECT_EQ((*rows)[0]->kind, k.kind) << k.name.to_string();
        EXPECT_EQ((*rows)[0]->module, k.module);
        EXPECT_EQ((*rows)[0]->universe_params, k.universe_params) << k.name.to_string();
    }
}

TEST_F(RealLibrary, WhatIsMissingIsListed) {
    LEANHOST_NEEDS_DATA(library);
    const auto session = open();
    const auto& missing = session->import_facts().missing_modules;
    EXPECT_NE(std::find(missing.begin(), missing.end(), Name("Init")), missing.end());
    const auto strict =
        Runtime::init({.search_path = {test::test_data(library)}})->open_session({"Batteries"});
    ASSERT_FALSE(strict);
    EXPECT_EQ(strict.error().code(), ErrorCode::missing_module);
}

} // namespace
} // namespace leanhost
