// Every real module, written anew by our own writer.
#include "module/module_rewriter.hpp"
#include "module/object_walk.hpp"
#include "module/raw_olean.hpp"
#include "module/real_modules.hpp"
#include "module/region_in_memory.hpp"
#include "object/nat_ref.hpp"
#include "support/temp_dir.hpp"
#include "support/test_data.hpp"

#include <absl/container/flat_hash_set.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

namespace leanhost::module {
namespace {

using object::ObjectRef;
using test::RegionInMemory;

constexpr std::uint64_t base_for_2020 = 0x20000000000;

RewriteOptions options_for(const Region& region) {
    RewriteOptions options;
    if (!region.parts().front().header.version->has_base_address)
        options.base_address = base_for_2020;
    return options;
}

// Sizes of the part's objects, in the file's order. A relocated file of 2020 has today's object
// headers.
std::vector<std::size_t>
object_sizes(std::span<const std::byte> bytes, std::size_t begin, std::size_t end) {
    OleanHeader header;
    header.version = &test::version_named("v2");
    header.base_address = reinterpret_cast<std::uint64_t>(bytes.data());
    std::vector<std::size_t> sizes;
    for (std::size_t at = begin; at < end;) {
        sizes.push_back(checked_object_bytes({bytes.first(end), &header}, at));
        at += sizes.back();
    }
    return sizes;
}

std::vector<std::size_t> object_sizes(const Region::Part& part) {
    const PartImage image{part.bytes, &part.header};
    return object_sizes(part.bytes, image.objects_begin(), image.objects_end());
}

// What an object holds beside pointers: its header, its scalars, its text.
std::string_view bytes_between(const std::byte* object, std::size_t begin, std::size_t end) {
    return {reinterpret_cast<const char*>(object) + begin, end - begin};
}

std::size_t fixed_bytes(const object::ObjectHeader& header, const std::byte* object) {
    using object::ObjectTag;
    if (header.tag <= ObjectTag::max_constructor)
        return header.cs_sz;
    std::uint64_t size;
    std::memcpy(&size, object + sizeof(header), sizeof(size));
    switch (header.tag) {
    case ObjectTag::array:
        return sizeof(object::ArrayObject);
    case ObjectTag::string:
        return sizeof(object::StringObject) + size;
    case ObjectTag::scalar_array:
        return sizeof(object::ScalarArrayObject) + size * header.other;
    default:
        return sizeof(header);
    }
}

// Whether two graphs are the same tree when unfolded, with a table of pairs that were met. Big
// numbers and boxed values are compared by what they hold; others word by word.
class GraphComparison {
public:
    bool is_same(ObjectRef a, ObjectRef b) {
        todo_.push_back({a, b});
        while (!todo_.empty()) {
            const auto [left, right] = todo_.back();
            todo_.pop_back();
            if (left.is_scalar() || right.is_scalar()) {
                if (left != right)
                    return false;
            } else if (met_.insert({left.word(), right.word()}).second &&
                       !is_same_object(left, right)) {
                return false;
            }
        }
        return true;
    }
    std::size_t num_objects() const { return met_.size(); }

private:
    bool is_same_object(ObjectRef a, ObjectRef b) {
        const auto* const left = reinterpret_cast<const std::byte*>(a.word());
        const auto* const right = reinterpret_cast<const std::byte*>(b.word());
        if (std::memcmp(left, right, sizeof(object::ObjectHeader)) != 0)
            return false;
        if (a.is_mpz())
            return object::NatRef(a).to_string() == object::NatRef(b).to_string();
        const PointerWords words = pointer_words(a.header(), left);
        if (pointer_words(b.header(), right).count != words.count)
            return false;
        for (std::size_t i = 0; i < words.count; ++i) {
            std::uint64_t pair[2];
            std::memcpy(&pair[0], left + words.first_offset + 8 * i, 8);
            std::memcpy(&pair[1], right + words.first_offset + 8 * i, 8);
            todo_.push_back({ObjectRef(pair[0]), ObjectRef(pair[1])});
        }
        return same_scalars(a, left, right, words);
    }
    static bool
    same_scalars(ObjectRef a, const std::byte* left, const std::byte* right, PointerWords words) {
        const std::size_t begin = a.is_constructor() ? words.first_offset + 8 * words.count
                                                     : sizeof(object::ObjectHeader);
        const std::size_t end = std::max(begin, fixed_bytes(a.header(), left));
        return bytes_between(left, begin, end) == bytes_between(right, begin, end);
    }

    std::vector<std::pair<ObjectRef, ObjectRef>> todo_;
    absl::flat_hash_set<std::pair<std::uint64_t, std::uint64_t>> met_;
};

// The rewritten parts as files, read and validated again.
class Rewritten {
public:
    explicit Rewritten(const Region& original)
        : parts(rewrite_module(original, options_for(original))) {
        std::vector<PartOutput> outputs;
        test::ModuleFiles files;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            files.push_back(folder_.path() /
                            ("M" + std::string(part_suffix(static_cast<PartKind>(i)))));
            outputs.push_back({files.back(), &parts[i]});
        }
        write_parts(outputs);
        region = registry_.acquire(test::open_module(files), Trust::stable);
    }

    std::vector<BuiltPart> parts;
    RegionHandle region;

private:
    test::TempDir folder_;
    RegionRegistry registry_;
};

struct Totals {
    std::uint64_t parts = 0;
    std::uint64_t objects = 0;
    std::uint64_t identical_parts = 0;
    std::uint64_t parts_of_v2 = 0;
};

// Up to February 2023 Lean visited children in another order: then the sizes are compared, and not
// where they stand.
std::vector<std::size_t> sizes_to_compare(const Region::Part& original, const Region::Part& part) {
    std::vector<std::size_t> sizes = object_sizes(part);
    const std::string_view id = original.header.version->id;
    if (id == "v0" || id == "v0b")
        std::sort(sizes.begin(), sizes.end());
    return sizes;
}

void check_part(const Region& original, const Rewritten& rewritten, std::size_t i, Totals& totals) {
    const Region::Part& part = original.parts()[i];
    const std::vector<std::size_t> sizes = object_sizes(part);
    const std::vector<std::byte>& bytes = rewritten.parts[i].bytes;
    EXPECT_EQ(rewritten.parts[i].num_objects, sizes.size()) << part.path;
    EXPECT_EQ(sizes_to_compare(part, rewritten.region->parts()[i]), sizes_to_compare(part, part))
        << part.path;
    GraphComparison comparison;
    EXPECT_TRUE(comparison.is_same(original.root(i), rewritten.region->root(i))) << part.path;
    EXPECT_GE(comparison.num_objects(), sizes.size()) << part.path;
    ++totals.parts;
    totals.objects += sizes.size();
    if (part.header.version->id != "v2")
        return;
    ++totals.parts_of_v2;
    if (test::read_file(part.path) == bytes)
        ++totals.identical_parts;
}

TEST(ModuleRewriter, EveryRealPartKeepsItsObjectsAndTheirBytes) {
    LEANHOST_NEEDS_DATA("olean");
    RegionRegistry registry;
    Totals totals;
    for (const test::ModuleFiles& files : test::find_modules(test::test_data("olean"))) {
        const RegionHandle original = registry.acquire(test::open_module(files), Trust::stable);
        const Rewritten rewritten(*original);
        for (std::size_t i = 0; i < files.size(); ++i)
            check_part(*original, rewritten, i, totals);
    }
    std::printf("rewritten: %lu parts with %lu objects; of %lu parts in version 2, %lu are the "
                "same bytes\n",
                totals.parts, totals.objects, totals.parts_of_v2, totals.identical_parts);
    EXPECT_GE(totals.parts, 349U);
    EXPECT_EQ(totals.identical_parts, totals.parts_of_v2);
}

// A list of a million elements, and a term whose spine is as deep.
TEST(ModuleRewriter, NestingOfAMillionNeedsNoStack) {
    constexpr std::uint64_t depth = 1'000'000;
    ObjectBuilder builder(base_address_of(7));
    BuiltRef nested = ObjectBuilder::mk_scalar(0);
    for (std::uint64_t i = 0; i < depth; ++i) {
        const BuiltRef fields[] = {ObjectBuilder::mk_scalar(i), nested};
        nested = builder.mk_constructor(1, fields);
    }
    builder.finish_part(nested);
    std::vector<BuiltPart> parts = std::move(builder).take_parts();
    write_header_v2(parts[0], {"4.29.0", ""});
    const RegionInMemory original(parts[0].bytes);
    const std::vector<BuiltPart> again = rewrite_module(*original);
    EXPECT_EQ(again[0].num_objects, depth);
    EXPECT_EQ(again[0].bytes, parts[0].bytes);
}

TEST(ModuleRewriter, AFileWithoutBaseAddressNeedsOne) {
    const RegionInMemory original(test::empty_module("v0"));
    try {
        rewrite_module(*original);
        FAIL() << "expected a refusal";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.error().code(), ErrorCode::invalid_argument);
        EXPECT_NE(failure.error().message().find(RegionInMemory::path), std::string::npos);
    }
    const auto parts = rewrite_module(*original, {base_for_2020, LeanStamp{"4.0.0", "abc"}});
    const OleanHeader header = *read_olean_header(parts[0].bytes);
    EXPECT_EQ(header.lean_version, "4.0.0");
    EXPECT_EQ(header.githash, "abc");
    EXPECT_EQ(header.base_address, base_for_2020);
}

} // namespace
} // namespace leanhost::module
