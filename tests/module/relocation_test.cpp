// Relocation, object by object. Whole relocated modules: region_places_test.cpp.
#include "module/part_verdict.hpp"
#include "module/relocation.hpp"

namespace leanhost::module {
namespace {

using object::ObjectTag;
using test::Bytes;
using test::RawObjects;
using test::RawOlean;

constexpr auto box = RawObjects::box;
constexpr std::uint64_t base = 0x10000000000;
constexpr std::uint64_t delta = 0x7000;

struct Relocated {
    Bytes before;
    Bytes after;
};

// A valid file before and after.
Relocated relocate(const Bytes& file) {
    EXPECT_EQ(test::verdict(file), "");
    const OleanHeader header = *read_olean_header(file);
    Relocated result{file, file};
    relocate_part(result.after, header, delta);
    return result;
}

// Offsets of the words that differ; each by delta.
std::vector<std::size_t> moved_words(const Relocated& r) {
    std::vector<std::size_t> offsets;
    for (std::size_t offset = 0; offset < r.before.size(); offset += 8) {
        const std::uint64_t word = test::load(r.before, offset);
        if (test::load(r.after, offset) == word)
            continue;
        EXPECT_EQ(test::load(r.after, offset), word + delta) << offset;
        offsets.push_back(offset);
    }
    return offsets;
}

TEST(Relocation, MovesPointersAndNothingElse) {
    RawOlean olean("v2", base);
    const std::uint64_t text = olean.objects.string("x");
    const std::uint64_t pair =
        olean.objects.ctor(0, {text, box(5), text}, {2, 4, 6, 8, 10, 12, 14, 16});
    const std::uint64_t array = olean.objects.array({box(1), pair});
    // Bytes that look like a pointer are none.
    std::vector<std::uint8_t> lookalike(8);
    std::memcpy(lookalike.data(), &text, 8);
    olean.objects.scalar_array(1, lookalike);
    const std::uint64_t thunk = olean.objects.boxed(ObjectTag::thunk, array);
    const std::uint64_t task = olean.objects.boxed(ObjectTag::task, array);
    const std::uint64_t ref = olean.objects.boxed(ObjectTag::ref, box(1));
    const std::uint64_t root = olean.objects.ctor(0, {thunk, task, ref});
    const Relocated r = relocate(olean.file(root));
    const auto field = [&](std::uint64_t object, std::size_t word) {
        return olean.offset(object) + 8 * word;
    };
    EXPECT_THAT(moved_words(r),
                testing::ElementsAre(olean.root_offset(), field(pair, 1), field(pair, 3),
                                     field(array, 4), field(thunk, 1), field(task, 1),
                                     field(root, 1), field(root, 2), field(root, 3)));
}

TEST(Relocation, MovesTheDigitPointersOfBothEncodings) {
    for (const bool is_gmp : {true, false}) {
        RawOlean olean("v2", base);
        const std::uint64_t big =
            is_gmp ? olean.objects.gmp({0x10, 0x20}) : olean.objects.lean_native({2, 4, 6});
        Bytes file = olean.file(olean.empty_module_data());
        file[6] = std::byte(is_gmp);
        const std::size_t pointer = olean.offset(big) + (is_gmp ? 16 : 24);
        EXPECT_THAT(moved_words(relocate(file)), testing::Contains(pointer));
    }
}

TEST(Relocation, WritesTodaysHeadersOverThoseOf2020) {
    RawOlean olean("v0");
    const std::uint64_t text = olean.objects.string("x");
    const std::uint64_t pair = olean.objects.ctor(3, {text, text}, {1});
    const std::uint64_t root = olean.objects.ctor(0, {pair, olean.objects.array({text}), box(0)});
    Bytes file = olean.file(root);
    const auto address = reinterpret_cast<std::uint64_t>(file.data());
    const OleanHeader header = *read_olean_header(file);
    relocate_part(file, header, address - header.base_address);
    const object::ObjectRef moved(address + olean.offset(root));
    EXPECT_EQ(test::load(file, olean.root_offset()), moved.word());
    EXPECT_EQ(moved.header().rc, 0);
    EXPECT_EQ(moved.field(0).constructor_index(), 3U);
    EXPECT_EQ(moved.field(0).scalar_area_bytes(), 8U);
    EXPECT_EQ(moved.field(0).field(1).string(), "x");
    EXPECT_EQ(moved.field(1).array()[0].string(), "x");
    EXPECT_EQ(moved.field(1).header().cs_sz, 1);
}

} // namespace
} // namespace leanhost::module
