#include "kernel/export_text.hpp"

#include <gtest/gtest.h>

namespace leanhost::kernel::test {
namespace {

// theorem t : Nat.add 2 3 = n := Eq.refl n
ExportText& sum_is(ExportText& text, const std::string& n) {
    const auto nat = text.constant("Nat");
    const auto one = text.level_succ(0);
    const auto sum = text.app(text.constant("Nat.add"), {text.nat("2"), text.nat("3")});
    const auto result = text.nat(n);
    const auto type = text.app(text.constant("Eq", {one}), {nat, sum, result});
    return text.theorem("t", type, text.app(text.constant("Eq.refl", {one}), {nat, result}));
}

TEST(Builtin, LiteralsOfTheExpectedNatAreAdded) {
    ExportText text;
    text.nat_type().eq_type().nat_add(false);
    EXPECT_EQ(sum_is(text, "5").check().verdict.kind, VerdictKind::accepted);
}

TEST(Builtin, AWrongSumIsRejected) {
    ExportText text;
    text.nat_type().eq_type().nat_add(false);
    EXPECT_EQ(sum_is(text, "6").check().verdict.reason, "value_type_mismatch");
}

// A rule that went by the name would prove 2 + 3 = 5 beside 2 + 3 = 10.
TEST(Builtin, AnAdditionThatIsNoneIsLeftToItsDefinition) {
    ExportText wrong;
    wrong.nat_type().eq_type().nat_add(true);
    EXPECT_EQ(sum_is(wrong, "5").check().verdict.reason, "value_type_mismatch");
    ExportText right;
    right.nat_type().eq_type().nat_add(true);
    EXPECT_EQ(sum_is(right, "10").check().verdict.kind, VerdictKind::accepted);
}

TEST(Builtin, ANatLiteralWithoutNatIsRejected) {
    ExportText text;
    text.definition("n", text.constant("Nat"), text.nat("1"));
    EXPECT_EQ(text.check().verdict.reason, "unknown_constant");
    ExportText axiomatic;
    axiomatic.axiom("Nat", axiomatic.sort(axiomatic.level_succ(0)));
    axiomatic.definition("n", axiomatic.constant("Nat"), axiomatic.nat("1"));
    EXPECT_EQ(axiomatic.check().verdict.reason, "bad_literal");
}

TEST(Builtin, AStringLiteralWithoutStringIsRejected) {
    ExportText text;
    text.nat_type();
    text.axiom("String", text.sort(text.level_succ(0)));
    text.definition("s", text.constant("String"), text.string("a"));
    EXPECT_EQ(text.check().verdict.reason, "bad_literal");
}

TEST(Builtin, SuccOfALiteralIsTheNextOne) {
    ExportText text;
    text.nat_type().eq_type();
    const auto nat = text.constant("Nat");
    const auto one = text.level_succ(0);
    const auto next = text.app(text.constant("Nat.succ"), {text.nat("18446744073709551615")});
    const auto big = text.nat("18446744073709551616");
    const auto type = text.app(text.constant("Eq", {one}), {nat, next, big});
    text.theorem("t", type, text.app(text.constant("Eq.refl", {one}), {nat, big}));
    EXPECT_EQ(text.check().verdict.kind, VerdictKind::accepted) << text.check().verdict.message;
}

} // namespace
} // namespace leanhost::kernel::test
