// Types of real constants as the first, fully explicit printer writes them. Each was checked by
// hand against what the declaration says in its source, or must be by the rules that make it
// (recursors, `mk.inj`, `_cstage2`).
#include "session/session_fixture.hpp"

namespace leanhost {
namespace {

struct PrintedType {
    const char* name;
    const char* type;
};

void expect_types(std::string_view library,
                  const std::vector<Name>& modules,
                  std::span<const PrintedType> expected) {
    const auto session = test::open_session(test::corpus(library), modules);
    for (const auto& [text, type] : expected) {
        const Name name = text;
        const auto rows = session->query_declarations(std::span(&name, 1), {.type = true});
        ASSERT_TRUE(rows && (*rows)[0]) << text;
        EXPECT_EQ((*rows)[0]->type, type) << text;
        EXPECT_FALSE((*rows)[0]->type_is_cut);
    }
}

// clang-format off
TEST(PrintedTypes, OfToday) {
    const PrintedType expected[] = {
        // class RatCast (K : Type u) where ratCast : Rat → K
        {"RatCast", "(Type u) → Type u"},
        {"RatCast.mk", "∀ {K : Type u}, (Rat → K) → @RatCast.{u} K"},
        {"RatCast.ratCast", "∀ {K : Type u}, ∀ [self : @RatCast.{u} K], Rat → K"},
        {"RatCast.rec",
         "∀ {K : Type u}, ∀ {motive : (@RatCast.{u} K) → Sort u_1}, "
         "(∀ (ratCast : Rat → K), motive (@RatCast.mk.{u} K ratCast)) → ∀ (t : @RatCast.{u} K), motive t"},
        {"RatCast.noConfusionType",
         "(Sort u_1) → ∀ {K : Type u}, (@RatCast.{u} K) → ∀ {K' : Type u}, (@RatCast.{u} K') → Sort u_1"},
        {"instRatCastRat", "@RatCast.{0} Rat"},
        {"instCoeHTCTRatOfRatCast",
         "∀ {K : Type u_1}, ∀ [inst✝ : @RatCast.{u_1} K], @CoeHTCT.{1, u_1+1} Rat K"},
        {"Bool.lt_wfRel", "@WellFoundedRelation.{1} Bool"},
        {"Bool.lt_wfRel._proof_1",
         "@WellFounded.{1} Bool (fun (x1✝ : Bool) => fun (x2✝ : Bool) => @LT.lt.{0} Bool Bool.instLT x1✝ x2✝)"},
        {"Nat.xor_left_injective",
         "∀ {x : Nat}, @Function.Injective.{1, 1} Nat Nat (fun (x✝ : Nat) => "
         "@HXor.hXor.{0, 0, 0} Nat Nat Nat (@instHXorOfXorOp.{0} Nat Nat.instXorOp) x✝ x)"},
        {"Nat.eq_of_xor_eq_zero",
         "∀ {x : Nat}, ∀ {y : Nat}, (@Eq.{1} Nat (@HXor.hXor.{0, 0, 0} Nat Nat Nat "
         "(@instHXorOfXorOp.{0} Nat Nat.instXorOp) x y) (@OfNat.ofNat.{0} Nat 0 (@instOfNatNat 0))) → "
         "@Eq.{1} Nat x y"},
    };
    expect_types(test::batteries,
                 {"Batteries.Classes.RatCast", "Batteries.Data.Bool", "Batteries.Data.Nat.Bitwise"}, expected);
}

TEST(PrintedTypes, OfContainerVersion1) {
    const PrintedType expected[] = {
        // structure KeyValue (K V : Type) where key : K; value : V
        {"KeyValue", "Type → Type → Type"},
        {"KeyValue.mk", "∀ {K : Type}, ∀ {V : Type}, K → V → @KeyValue K V"},
        {"KeyValue.mk.inj",
         "∀ {K : Type}, ∀ {V : Type}, ∀ {key : K}, ∀ {value : V}, ∀ {key_1 : K}, ∀ {value_1 : V}, "
         "(@Eq.{1} (@KeyValue K V) (@KeyValue.mk K V key value) (@KeyValue.mk K V key_1 value_1)) → "
         "@And (@Eq.{1} K key key_1) (@Eq.{1} V value value_1)"},
        {"KeyValue._sizeOf_1",
         "∀ {K : Type}, ∀ {V : Type}, ∀ [inst✝ : @SizeOf.{1} K], ∀ [inst✝_1 : @SizeOf.{1} V], "
         "(@KeyValue K V) → Nat"},
        {"KeyValue.compareByKey._cstage2", "_neutral → _neutral → _obj → _obj"},
    };
    expect_types(test::v1_library, {"BPlusTreeLean.Basic"}, expected);
}

TEST(PrintedTypes, OfContainerVersion2) {
    const PrintedType expected[] = {
        {"evm_div", "Word256 → Word256 → Word256"},
        {"evm_div_zero", "∀ (a : Word256), @Eq.{1} Word256 (@evm_div a WORD_ZERO) a"},
        {"evm_div_preserves_type",
         "∀ (a : Word256), ∀ (b : Word256), @Exists.{1} Word256 (fun (result : Word256) => "
         "@Eq.{1} Word256 result (@evm_div a b))"},
    };
    expect_types(test::v2_library, {"zkEVM.EVMDiv"}, expected);
}

TEST(PrintedTypes, OfTheOldestContainers) {
    const PrintedType in_2020[] = {
        {"main", "(@List.{0} String) → @IO UInt32"},
        {"IO.print._at.main._spec_4", "String → @EIO IO.Error Unit"},
        {"List.toString._at.main._spec_1",
         "∀ (x✝ : @List.{0} String), (fun (x✝_1 : @List.{0} String) => "
         "(fun (x✝_2 : @List.{0} String) => String) x✝_1) x✝"},
    };
    expect_types(test::v0_library, {"test"}, in_2020);
    const PrintedType before_4_4[] = {{"main", "@IO Unit"}, {"main._cstage2", "_obj → _obj"}};
    expect_types(test::v0b_library, {"Main"}, before_4_4);
}
// clang-format on

} // namespace
} // namespace leanhost
