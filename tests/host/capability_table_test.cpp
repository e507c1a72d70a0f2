#include "base/guard.hpp"
#include "host/capability_table.hpp"

#include <gmock/gmock.h>

#include <functional>

namespace leanhost::host {
namespace {

using testing::HasSubstr;

std::int32_t nothing(leanhost_bytes, const leanhost_capability_sink*) {
    return 0;
}

class CapabilityTableTest : public testing::Test {
protected:
    Expected<CapabilityTable> read() const {
        return guarded("test", [&] { return read_capability_table(&table, "lib.so"); });
    }
    void expect_refused(std::string_view why) const {
        const auto result = read();
        ASSERT_FALSE(result) << why;
        EXPECT_EQ(result.error().code(), ErrorCode::invalid_input) << why;
        EXPECT_THAT(result.error().message(), HasSubstr(std::string(why)));
        EXPECT_THAT(result.error().message(), HasSubstr("lib.so"));
    }

    leanhost_capability_function functions[2] = {
        {"first", LEANHOST_CAPABILITY_GIVES_BYTES, nothing},
        {"second", LEANHOST_CAPABILITY_GIVES_ROWS, nothing}};
    leanhost_capability_table table = {LEANHOST_CAPABILITY_ABI_VERSION,
                                       sizeof(leanhost_capability_table),
                                       "library",
                                       "1.0 beta",
                                       2,
                                       functions};
};

TEST_F(CapabilityTableTest, GoodTableIsCopied) {
    const auto result = read();
    ASSERT_TRUE(result) << result.error().message();
    functions[0] = {};
    EXPECT_EQ(result->name, "library");
    EXPECT_EQ(result->version, "1.0 beta");
    ASSERT_EQ(result->functions.size(), 2U);
    EXPECT_EQ(result->functions[0].name, "first");
    EXPECT_FALSE(result->functions[0].gives_rows);
    EXPECT_TRUE(result->functions[1].gives_rows);
}

TEST_F(CapabilityTableTest, TableWithoutFunctionsAndALongerOneAreGood) {
    table.num_functions = 0;
    table.functions = nullptr;
    table.struct_size += 64; // a later header's
    ASSERT_TRUE(read());
    EXPECT_TRUE(read()->functions.empty());
}

TEST_F(CapabilityTableTest, OtherVersionIsUnsupportedAndNothingElseIsLookedAt) {
    table = {};
    table.abi_version = 2;
    const auto result = read();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::unsupported_version);
    EXPECT_EQ(std::get<std::uint64_t>(*result.error().find_fact("found")), 2U);
    EXPECT_EQ(std::get<std::uint64_t>(*result.error().find_fact("known")), 1U);
}

TEST_F(CapabilityTableTest, NoTableIsRefused) {
    const auto read_at = [](const leanhost_capability_table* at) {
        return guarded("test", [&] { return read_capability_table(at, "lib.so"); });
    };
    EXPECT_THAT(read_at(nullptr).error().message(), HasSubstr("no table"));
    const auto* const odd = reinterpret_cast<const leanhost_capability_table*>(
        reinterpret_cast<const char*>(&table) + 1);
    EXPECT_THAT(read_at(odd).error().message(), HasSubstr("no table"));
}

TEST_F(CapabilityTableTest, TableThatIsTooSmallIsRefused) {
    for (const std::uint32_t size :
         {0U, 8U, std::uint32_t{sizeof(leanhost_capability_table)} - 1}) {
        table.struct_size = size;
        expect_refused("struct_size is " + std::to_string(size));
    }
}

TEST_F(CapabilityTableTest, FunctionsThatAreNotThereAreRefused) {
    table.functions = nullptr;
    expect_refused("functions are not there");
    table.functions = reinterpret_cast<const leanhost_capability_function*>(
        reinterpret_cast<const char*>(functions) + 4);
    expect_refused("functions are not there");
    table.functions = functions;
    table.num_functions = SIZE_MAX;
    expect_refused("expected at most 4096");
}

TEST_F(CapabilityTableTest, NullPointersAreRefused) {
    const auto with = [&](const std::function<void()>& change, std::string_view why) {
        const auto good_functions = std::to_array(functions);
        const leanhost_capability_table good_table = table;
        change();
        expect_refused(why);
        std::copy(good_functions.begin(), good_functions.end(), functions);
        table = good_table;
    };
    with([&] { table.name = nullptr; }, "the library's name is null");
    with([&] { table.version = nullptr; }, "the library's version is null");
    with([&] { functions[1].name = nullptr; }, "the name of function 1 is null");
    with([&] { functions[1].call = nullptr; }, "function 'second' has no code");
    EXPECT_TRUE(read());
}

TEST_F(CapabilityTableTest, TwoFunctionsOfOneNameAreRefused) {
    functions[1].name = "first";
    expect_refused("two functions are named 'first'");
}

TEST_F(CapabilityTableTest, UnknownKindIsRefused) {
    for (const std::uint32_t kind : {0U, 3U, UINT32_MAX}) {
        functions[0].kind = kind;
        expect_refused("function 'first' has kind " + std::to_string(kind));
    }
}

TEST_F(CapabilityTableTest, NamesThatAreNoneAreRefused) {
    const std::string longest(255, 'x');
    functions[0].name = longest.c_str();
    EXPECT_TRUE(read());
    const std::string too_long(256, 'x');
    functions[0].name = too_long.c_str();
    expect_refused("the name of function 0 is longer");
    functions[0].name = "";
    expect_refused("the name of function 0 is empty");
    for (const char* name : {"a b", "a\n", "ä", "a/b", "\x1b[31m"}) {
        functions[0].name = name;
        expect_refused("not allowed");
    }
    functions[0].name = "Good_name-1.0";
    EXPECT_TRUE(read());
    table.version = "1.0\n";
    expect_refused("the library's version");
}

} // namespace
} // namespace leanhost::host
