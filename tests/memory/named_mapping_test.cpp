#include "live.hpp"
#include "memory/named_mapping.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace leanhost::memory {
namespace {

using test::growth;
using test::mebibyte;

std::uint64_t held(MappingClass mapping_class) {
    return mapping_meter(mapping_class).bytes();
}

MappingClassBytes attributed(MappingClass mapping_class) {
    const auto attribution = attribute_this_process();
    EXPECT_TRUE(attribution.has_value());
    return attribution ? attribution->of(mapping_class) : MappingClassBytes{};
}

TEST(NamedMapping, IsZeroedWritableAndPageAligned) {
    const NamedMapping mapping(10000, MappingClass::index);
    EXPECT_EQ(mapping.size_bytes(), 10000);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(mapping.data()) % 4096, 0);
    EXPECT_TRUE(std::ranges::all_of(mapping.bytes(), [](auto b) { return b == std::byte{0}; }));
    std::ranges::fill(mapping.bytes(), std::byte{7});
}

TEST(NamedMapping, OfNothingHoldsNothing) {
    const auto before = held(MappingClass::index);
    NamedMapping empty(0, MappingClass::index);
    EXPECT_EQ(empty.data(), nullptr);
    EXPECT_TRUE(empty.bytes().empty());
    empty.seal_read_only();
    EXPECT_EQ(held(MappingClass::index), before);
}

TEST(NamedMapping, IsCountedInWholePagesUntilItsLastHolderGoes) {
    const auto before = held(MappingClass::index);
    {
        NamedMapping outer;
        {
            NamedMapping inner(4097, MappingClass::index);
            EXPECT_EQ(held(MappingClass::index) - before, 8192);
            std::byte* const address = inner.data();
            outer = std::move(inner);
            EXPECT_EQ(outer.data(), address);
            // What it promises:
            // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
            EXPECT_EQ(inner.data(), nullptr);
        }
        EXPECT_EQ(held(MappingClass::index) - before, 8192);
        outer = NamedMapping(1, MappingClass::index);
        EXPECT_EQ(held(MappingClass::index) - before, 4096);
    }
    EXPECT_EQ(held(MappingClass::index), before);
}

TEST(NamedMapping, FailureNamesWhatWasAsked) {
    const auto before = held(MappingClass::index);
    const std::size_t too_much = std::size_t{1} << 60;
    for (const std::size_t bytes : {too_much, ~std::size_t{0}}) {
        try {
            const NamedMapping mapping(bytes, MappingClass::index);
            FAIL() << "mapped " << bytes;
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.error().code(), ErrorCode::resource_exhausted);
            EXPECT_EQ(*failure.error().find_fact("requested_bytes"), ErrorFact::Value(bytes));
            EXPECT_EQ(*failure.error().find_fact("mapping_class"), ErrorFact::Value("index"));
            EXPECT_NE(failure.error().find_fact("system_error"), nullptr);
        }
    }
    EXPECT_EQ(held(MappingClass::index), before);
}

TEST(NamedMappingDeathTest, WriteAfterSealIsAFault) {
    NamedMapping mapping(4096, MappingClass::index);
    mapping.data()[0] = std::byte{1};
    mapping.seal_read_only();
    EXPECT_EQ(mapping.data()[0], std::byte{1});
    EXPECT_DEATH(static_cast<volatile std::byte*>(mapping.data())[0] = std::byte{2}, "");
}

TEST(NamedMappingDeathTest, OverrunOfABigOneIsAFault) {
    const NamedMapping mapping(NamedMapping::guarded_from_bytes, MappingClass::index);
    const auto* data = static_cast<const volatile std::byte*>(mapping.data());
    EXPECT_DEATH(static_cast<void>(data[mapping.size_bytes()]), "");
    EXPECT_DEATH(static_cast<void>(data[-1]), "");
}

TEST(NamedMapping, AnonymousMemoryRisesWithItAndReturns) {
    LEANHOST_NEEDS_TRUE_SIZES();
    const auto before = sample_this_process();
    const auto fast_before = sample_anonymous_fast(::getpid());
    {
        const NamedMapping mapping(64 * mebibyte, MappingClass::relocated_copies);
        EXPECT_NEAR(growth(before.gauge_bytes(), sample_this_process().gauge_bytes()), 0, mebibyte)
            << "address space alone costs nothing";
        test::touch_pages(mapping.bytes());
        EXPECT_NEAR(growth(before.gauge_bytes(), sample_this_process().gauge_bytes()),
                    64 * mebibyte, mebibyte);
        EXPECT_NEAR(growth(fast_before, sample_anonymous_fast(::getpid())), 64 * mebibyte,
                    2 * mebibyte);
    }
    EXPECT_NEAR(growth(before.gauge_bytes(), sample_this_process().gauge_bytes()), 0, mebibyte);
}

TEST(NamedMapping, IsAttributedToItsClassExactly) {
    const auto before = attributed(MappingClass::relocated_copies);
    {
        NamedMapping mapping(64 * mebibyte, MappingClass::relocated_copies);
        test::touch_pages(mapping.bytes());
        const auto full = attributed(MappingClass::relocated_copies);
        EXPECT_EQ(full.gauge_bytes() - before.gauge_bytes(), 64 * mebibyte);
        EXPECT_EQ(full.mapped_bytes - before.mapped_bytes, 64 * mebibyte);
        mapping.seal_read_only();
        EXPECT_EQ(attributed(MappingClass::relocated_copies), full) << "sealed";
    }
    EXPECT_EQ(attributed(MappingClass::relocated_copies), before);
}

// The kernel merges neighbours that look alike to it, and with what malloc maps.
TEST(NamedMapping, SmallOnesAreAttributedAlsoWhenTheKernelMergesThem) {
    const auto copies_before = attributed(MappingClass::relocated_copies);
    const auto index_before = attributed(MappingClass::index);
    std::vector<NamedMapping> mappings;
    for (std::size_t i = 0; i < 600; ++i) {
        const bool is_copy = i % 3 != 0;
        mappings.emplace_back(3 * 4096,
                              is_copy ? MappingClass::relocated_copies : MappingClass::index);
        test::touch_pages(mappings.back().bytes().first(is_copy ? 2 * 4096 : 3 * 4096));
    }
    const auto copies = attributed(MappingClass::relocated_copies);
    const auto index = attributed(MappingClass::index);
    EXPECT_EQ(copies.gauge_bytes() - copies_before.gauge_bytes(), 400U * 2 * 4096);
    EXPECT_EQ(copies.mapped_bytes - copies_before.mapped_bytes, 400U * 3 * 4096);
    EXPECT_EQ(index.gauge_bytes() - index_before.gauge_bytes(), 200U * 3 * 4096);
    EXPECT_EQ(index.mapped_bytes - index_before.mapped_bytes, 200U * 3 * 4096);
    mappings.clear();
    EXPECT_EQ(attributed(MappingClass::relocated_copies), copies_before);
    EXPECT_EQ(attributed(MappingClass::index), index_before);
}

// Pages that were only read are the shared zero page on most kernels: smaps counts nothing for
// them, the pagemap shows them like any other. The heap's account must not pay for the difference.
TEST(NamedMapping, BigOneThatWasOnlyReadTakesNothingFromTheHeap) {
    LEANHOST_NEEDS_TRUE_SIZES();
    const auto before = attributed(MappingClass::heap);
    const NamedMapping mapping(8 * mebibyte, MappingClass::index);
    test::read_pages(mapping.bytes());
    EXPECT_NEAR(growth(before.gauge_bytes(), attributed(MappingClass::heap).gauge_bytes()), 0,
                65536);
}

TEST(MappedArray, IsZeroedAndHasAFixedSize) {
    MappedArray<std::uint64_t> array(1000, MappingClass::index);
    EXPECT_EQ(array.size(), 1000);
    EXPECT_EQ(array.size_bytes(), 8000);
    EXPECT_TRUE(std::ranges::all_of(array.span(), [](auto v) { return v == 0; }));
    array[999] = 5;
    array.seal_read_only();
    EXPECT_EQ(std::as_const(array).span().back(), 5);
}

TEST(MappedArray, KeepsItsElementsInPlaceWhenItMoves) {
    MappedArray<int> first(10, MappingClass::index);
    const int* const element = &first[3];
    MappedArray<int> second(std::move(first));
    MappedArray<int> third;
    third = std::move(second);
    EXPECT_EQ(&third[3], element);
    // What it promises: NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
    EXPECT_TRUE(first.empty() && second.empty());
}

TEST(MappedArray, OfNothingIsEmpty) {
    MappedArray<int> array(0, MappingClass::index);
    EXPECT_TRUE(array.empty());
    EXPECT_TRUE(array.span().empty());
}

TEST(MappedArray, SizeThatOverflowsIsRefused) {
    const auto make = [] { MappedArray<std::uint64_t>(~std::size_t{0} / 4, MappingClass::index); };
    EXPECT_THROW(make(), Failure);
}

static_assert(!std::is_copy_constructible_v<NamedMapping>);
static_assert(std::is_nothrow_move_constructible_v<NamedMapping>);
static_assert(!std::is_copy_constructible_v<MappedArray<int>>);

} // namespace
} // namespace leanhost::memory
