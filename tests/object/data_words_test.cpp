// The words below were read from real modules: 2020 is 4.0.0-pre-2020-10-31, 2022 is
// 4.0.0-nightly-2022-04-28, 2023 is 4.28.0 (Batteries.Data.Fin.Fold).
// tests/module/real_data_words_test.cpp recomputes all that there are.
#include "base/lean_hash.hpp"
#include "object/data_words.hpp"
#include "object/old_lean_hash.hpp"
#include "object/raw_objects.hpp"

#include <gtest/gtest.h>

namespace leanhost::object {
namespace {

using test::RawObjects;

constexpr auto box = RawObjects::box;
constexpr DataWords in_2020(HashMode::lean_2020);
constexpr DataWords in_2022(HashMode::lean_2022);
constexpr DataWords in_2023(HashMode::lean_2023);
constexpr std::uint64_t zero = LevelRef::zero_data;
constexpr auto explicit_ = BinderInfo::explicit_;

TEST(DataWords, HashStringsOfEveryTailLength) {
    EXPECT_EQ(old_string_hash(""), 0x257057e4U);
    EXPECT_EQ(old_string_hash("Init"), 0x9803a452U);
    EXPECT_EQ(old_string_hash("twelve bytes"), 0x13c83d84U);
    EXPECT_EQ(old_string_hash("Nat.add_comm and more than sixteen bytes"), 0xa8ccba5dU);
    EXPECT_EQ(old_string_hash("αβγ"), 0x4f923d28U);
    EXPECT_EQ(string_hash(""), 0x89133354f2041b41U);
    EXPECT_EQ(string_hash("αβγ"), 0x96de413d7646e6e6U);
}

TEST(DataWords, HashNames) {
    EXPECT_EQ(in_2020.str_name(anonymous_name_hash, "Init"), 0x9eb17d53af313473U);
    EXPECT_EQ(in_2022.str_name(anonymous_name_hash, "Init"), 0x9eb17d53af313473U);
    EXPECT_EQ(in_2023.str_name(anonymous_name_hash, "Init"), 0x1a1edcc8b30c6698U);
    EXPECT_EQ(in_2022.str_name(0xa1a63f84e8d8514bU, "succ"), 0x8ae4f5554bef2e8fU);
    EXPECT_EQ(in_2023.str_name(0x9ecc0d3a68dfdd9bU, "succ"), 0xdf9c287df649a55dU);
    EXPECT_EQ(in_2023.num_name(anonymous_name_hash, 7), name_hash_num(anonymous_name_hash, 7));
}

TEST(DataWords, HashBigNumbersInNamesAsSeventeen) {
    RawObjects raw;
    const NameRef name{ObjectRef(raw.ctor_with_word(2, {box(0), raw.gmp({3, 1})}, 0))};
    EXPECT_EQ(in_2023.of_name(name), in_2023.num_name(anonymous_name_hash, 17));
    EXPECT_EQ(in_2023.of_name(name), name.recomputed_hash());
}

TEST(DataWords, OfLevels) {
    EXPECT_EQ(in_2020.succ(zero), 0x10063e9f711U);
    EXPECT_EQ(in_2022.succ(0x10063e9f711U), 0x2007105d3d9U);
    EXPECT_EQ(in_2022.level_param(0xcb55b08738c210edU), 0x269ea079dU);
    EXPECT_EQ(in_2023.succ(zero), 0x1005aaf11b4U);
    EXPECT_EQ(in_2023.level_param(0xbf9fe1a54e22d972U), 0x241558bb2U);
    EXPECT_EQ(in_2023.succ(0x241558bb2U), 0x1026d181e4aU);
    const std::uint64_t max = in_2023.max(in_2023.succ(zero), 0x241558bb2U);
    EXPECT_EQ(max >> 32U, 0x202U); // depth 2, a parameter
    EXPECT_NE(max, in_2023.imax(in_2023.succ(zero), 0x241558bb2U));
    EXPECT_EQ(in_2023.level_mvar(1) >> 32U, 1U);
}

TEST(DataWords, OfTermsIn2020) {
    EXPECT_EQ(in_2020.bvar(5), 0x600ff61fff5U);
    EXPECT_EQ(in_2020.nat_lit(10), 0xffc6000bU);
    EXPECT_EQ(in_2020.str_lit("[]"), 0xc8169c1bU);
    const std::uint64_t levels[] = {zero, zero};
    EXPECT_EQ(in_2020.constant(0x1906f9e66832a28bU, levels), 0x9899a6dbU);
    EXPECT_EQ(in_2020.app(0x100fbf5be63U, 0x15ee857dU), 0x10049099f4bU);
    EXPECT_EQ(in_2020.lam(0x3684c733U, 0x10049099f4bU, explicit_), 0x7e9bd19dU);
    EXPECT_EQ(in_2020.forall_e(0x3684c733U, 0x41b008bbU, explicit_), 0x30ad774bU);
    EXPECT_EQ(in_2020.let_e(0x83b3acdbU, 0x3a244ff3U, 0x300cb448c37U, false), 0x20021cc94b7U);
    EXPECT_EQ(in_2020.proj(0x1c1e3f933d333dfbU, 5, 0x200ff21ffedU), 0x200a9ce8b05U);
}

TEST(DataWords, OfTermsIn2022) {
    EXPECT_EQ(in_2022.bvar(10), 0xb0000004dffffU);
    EXPECT_EQ(in_2022.sort(0x269ea079dU), 0x854520f19U);
    EXPECT_EQ(in_2022.nat_lit(1), 0xffa9fff9U);
    EXPECT_EQ(in_2022.app(0x21000e0d8529fU, 0x2926ebcfU), 0x21100c23adfc1U);
    EXPECT_EQ(in_2022.lam(0x5f304097U, 0x11200075bd41cU, explicit_), 0x1300ddc7ccadU);
    EXPECT_EQ(in_2022.forall_e(0x82895e8bU, 0x200550cd454U, explicit_), 0x3001cb91a05U);
    EXPECT_EQ(in_2022.let_e(0x200b1929723U, 0x3010001ac0021U, 0x10100905b7a17U, false),
              0x303008be64451U);
    EXPECT_EQ(in_2022.mdata(0x20e005aa58253U), 0x20f0069e50479U);
    EXPECT_EQ(in_2022.proj(0x23d5bac3c3ef1633U, 1, 0x10000ff11ffebU), 0x10100905b7a17U);
}

TEST(DataWords, OfTermsSince2023) {
    EXPECT_EQ(in_2023.bvar(9), 0xa00046b706ecU);
    EXPECT_EQ(in_2023.sort(0x102e950c439U), 0x80055e6b3a2U);
    EXPECT_EQ(in_2023.nat_lit(2), 0x6d998c6U);
    const std::uint64_t levels[] = {0x241558bb2U, 0x2848cf975U};
    EXPECT_EQ(in_2023.constant(0x5ccefc5b7cb8e749U, levels), 0x800fb1b92aaU);
    EXPECT_EQ(in_2023.app(0x4803d0874b7aU, 0x480411e93d06U), 0x48055f448bf3U);
    EXPECT_EQ(in_2023.lam(0x191d2734U, 0x180eff7b6884U, explicit_), 0x80f53944db7U);
    EXPECT_EQ(in_2023.forall_e(0x191d2734U, 0x180e859c97d4U, explicit_), 0x80fb124052aU);
    EXPECT_EQ(in_2023.proj(0xdf258378b195ab00U, 0, 0x2001c9bf52bfU), 0x2002494b131aU);
}

TEST(DataWords, KeepBinderInfoAndNonDepInTheWordBefore2023Only) {
    const auto implicit = BinderInfo::implicit;
    for (const DataWords& words : {in_2020, in_2022}) {
        EXPECT_EQ(words.lam(1, 2, implicit), words.lam(1, 2, explicit_) | std::uint64_t{1} << 37U);
        EXPECT_EQ(words.let_e(1, 2, 3, true),
                  words.let_e(1, 2, 3, false) | std::uint64_t{1} << 36U);
    }
    EXPECT_EQ(in_2023.lam(1, 2, implicit), in_2023.lam(1, 2, explicit_));
    EXPECT_EQ(in_2023.let_e(1, 2, 3, true), in_2023.let_e(1, 2, 3, false));
}

std::uint64_t depth_of_applications(const DataWords& words, unsigned shift, int count) {
    std::uint64_t term = words.bvar(0);
    for (int i = 0; i < count; ++i)
        term = words.app(term, words.bvar(0));
    return (term >> shift) & 0xffU;
}

TEST(DataWords, DepthStopsAt255Since2023AndWrapsBefore) {
    EXPECT_EQ(depth_of_applications(in_2023, 32, 255), 255U);
    EXPECT_EQ(depth_of_applications(in_2023, 32, 300), 255U);
    EXPECT_EQ(depth_of_applications(in_2022, 40, 300), 300U - 256U);
}

TEST(DataWords, FlagsRiseFromNamesAndLevels) {
    constexpr std::uint64_t fvar = 1, expr_mvar = 2, level_mvar = 4, level_param = 8;
    const auto flags = [](std::uint64_t word) { return (word >> 40U) & 0xfU; };
    EXPECT_EQ(flags(in_2023.fvar(1)), fvar);
    EXPECT_EQ(flags(in_2023.mvar(1)), expr_mvar);
    EXPECT_EQ(flags(in_2023.sort(in_2023.level_mvar(1))), level_mvar);
    EXPECT_EQ(flags(in_2023.sort(in_2023.succ(in_2023.level_param(1)))), level_param);
    const std::uint64_t all =
        in_2023.app(in_2023.mdata(in_2023.fvar(1)),
                    in_2023.let_e(in_2023.mvar(1), in_2023.sort(in_2023.level_mvar(1)),
                                  in_2023.sort(in_2023.level_param(1)), false));
    EXPECT_EQ(flags(all), 0xfU);
}

TEST(DataWords, ABinderTakesOneVariableOfItsBody) {
    const auto range = [](std::uint64_t word) { return word >> 44U; };
    const std::uint64_t closed = in_2023.sort(zero);
    EXPECT_EQ(range(in_2023.lam(closed, in_2023.bvar(0), explicit_)), 0U);
    EXPECT_EQ(range(in_2023.lam(closed, in_2023.bvar(3), explicit_)), 3U);
    EXPECT_EQ(range(in_2023.forall_e(in_2023.bvar(5), in_2023.bvar(3), explicit_)), 6U);
    EXPECT_EQ(range(in_2023.let_e(closed, in_2023.bvar(1), closed, false)), 2U);
}

TEST(DataWords, ModeIsToldFromContainerAndRoot) {
    RawObjects raw;
    const std::uint64_t none = raw.array({});
    const ModuleDataRef old{ObjectRef(raw.ctor(0, {none, none, none}))};
    const ModuleDataRef now{ObjectRef(raw.ctor(0, {none, none, none, none, none}))};
    EXPECT_EQ(hash_mode_of(old, false), HashMode::lean_2020);
    EXPECT_EQ(hash_mode_of(old, true), HashMode::lean_2022);
    EXPECT_EQ(hash_mode_of(now, true), HashMode::lean_2023);
}

} // namespace
} // namespace leanhost::object
