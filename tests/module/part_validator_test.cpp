// Validation of parts laid out by hand: what is accepted, and each way to be refused with its
// reason.
#include "module/part_validator.hpp"
#include "module/part_verdict.hpp"

namespace leanhost::module {
namespace {

using object::ObjectTag;
using test::at;
using test::Bytes;
using test::Laid;
using test::lay;
using test::RawObjects;
using test::RawOlean;
using test::verdict;
using testing::HasSubstr;

constexpr auto box = RawObjects::box;
constexpr std::uint64_t base = 0x10000000000;
constexpr std::string_view all_versions[] = {"v0", "v0b", "v1", "v2"};

TEST(PartValidator, AcceptsAnEmptyModuleOfEveryVersion) {
    for (const std::string_view id : all_versions)
        EXPECT_EQ(verdict(test::empty_module(id)), "") << id;
}

TEST(PartValidator, AcceptsEveryKindOfObjectThatLeanCompacts) {
    const Laid laid = lay("v2", [](RawObjects& raw) {
        const std::uint64_t text = raw.string("x");
        raw.array({text, box(3), text});
        raw.scalar_array(1, {1, 2, 3});
        raw.scalar_array(8, {1, 2, 3, 4, 5, 6, 7, 8});
        raw.gmp({1, 2});
        raw.gmp({1, 2}, true);
        for (const std::uint8_t tag : {ObjectTag::thunk, ObjectTag::task, ObjectTag::ref}) {
            raw.boxed(tag, text);
        }
        return raw.ctor(ObjectTag::max_constructor, {text, text}, {1});
    });
    EXPECT_EQ(verdict(laid.file), "");
}

TEST(PartValidator, AcceptsTheEncodingOfBigNumbersThatTheHeaderStates) {
    Laid laid = lay("v2", [](RawObjects& raw) { return raw.lean_native({1, 2, 3}); });
    EXPECT_THAT(verdict(laid.file), at(laid.offset, "big number whose limbs are at"));
    laid.file[6] = std::byte{0};
    EXPECT_EQ(verdict(laid.file), "");
    Laid gmp = lay("v2", [](RawObjects& raw) { return raw.gmp({1, 2}); });
    EXPECT_EQ(verdict(gmp.file), "");
    gmp.file[6] = std::byte{0};
    EXPECT_THAT(verdict(gmp.file), at(gmp.offset, "expected right behind it"));
}

// The third word of the root is its second field; the objects: text, array, root.
class Pointers : public testing::TestWithParam<std::string_view> {
protected:
    std::string verdict_of_pointer(std::int64_t to_offset) {
        Laid laid =
            lay(GetParam(), [](RawObjects& raw) { return raw.string("a string of two words"); });
        const bool is_v0 = GetParam() == "v0";
        const std::uint64_t origin = is_v0 ? std::uint64_t{0} - 16 : base;
        field_ = laid.root + 16;
        test::store(laid.file, field_, origin + static_cast<std::uint64_t>(to_offset));
        return verdict(laid.file);
    }
    void expect_refused(std::int64_t to_offset, const std::string& reason) {
        const std::string said = verdict_of_pointer(to_offset);
        EXPECT_THAT(said, at(field_, reason));
    }
    Laid plain() {
        return lay(GetParam(), [](RawObjects& raw) { return raw.string("a string of two words"); });
    }
    std::size_t field_ = 0;
};

TEST_P(Pointers, ToAnEarlierObjectIsAccepted) {
    EXPECT_EQ(verdict_of_pointer(std::int64_t(plain().offset)), "");
}

TEST_P(Pointers, IntoTheMiddleOfAnObjectIsRefused) {
    for (const int inside : {8, 16, 32}) {
        expect_refused(std::int64_t(plain().offset) + inside, "not the start of an object");
    }
}

TEST_P(Pointers, ThatAreNotAlignedAreRefused) {
    for (const int inside : {2, 4, 6}) {
        expect_refused(std::int64_t(plain().offset) + inside, "not the start of an object");
    }
}

TEST_P(Pointers, ToItselfIsRefused) {
    expect_refused(std::int64_t(plain().root), "not earlier in the file");
}

TEST_P(Pointers, PastTheEndIsRefused) {
    const auto size = std::int64_t(plain().file.size());
    for (const std::int64_t beyond : {size, size + 8, size + (std::int64_t{1} << 40)}) {
        expect_refused(beyond, "outside this part and the earlier ones");
    }
}

TEST_P(Pointers, IntoTheHeaderIsRefused) {
    expect_refused(0, "not the start of an object");
    expect_refused(8, "not the start of an object");
}

TEST_P(Pointers, BelowTheBaseIsRefused) {
    expect_refused(-8, "outside this part and the earlier ones");
}

TEST_P(Pointers, NullIsRefused) {
    if (GetParam() == "v0") { // there 0 is the first object
        EXPECT_EQ(verdict_of_pointer(16), "");
        return;
    }
    expect_refused(-std::int64_t(base), "pointer 0x0 is outside");
}

TEST_P(Pointers, ToALaterObjectIsRefused) {
    Laid laid = lay(GetParam(), [](RawObjects& raw) { return raw.array({box(0)}); });
    const std::uint64_t origin = GetParam() == "v0" ? std::uint64_t{0} - 16 : base;
    test::store(laid.file, laid.offset + 24, origin + laid.root);
    EXPECT_THAT(verdict(laid.file), at(laid.offset + 24, "not earlier in the file"));
}

TEST_P(Pointers, OfTheRootAreCheckedAsWell) {
    RawOlean olean(GetParam(), base);
    const std::uint64_t root = olean.empty_module_data();
    EXPECT_EQ(verdict(olean.file(root)), "");
    const std::size_t at_root = olean.root_offset();
    EXPECT_THAT(verdict(olean.file(box(0))), at(at_root, "root pointer is a scalar"));
    EXPECT_THAT(verdict(olean.file(root + 8)), at(at_root, "not the start of an object"));
    EXPECT_THAT(verdict(olean.file(root + 0x100000)), at(at_root, "outside this part"));
    if (GetParam() != "v0") {
        EXPECT_THAT(verdict(olean.file(0)), at(at_root, "pointer 0x0 is outside"));
    }
}

INSTANTIATE_TEST_SUITE_P(EveryVersion, Pointers, testing::ValuesIn(all_versions));

// Two parts: one object in the first, and pointers from the second.
class TwoParts : public testing::Test {
protected:
    TwoParts() : first_("v2", base) {
        text_ = first_.objects.string("in the first part");
        first_file_ = first_.file(first_.empty_module_data());
        header_ = *read_olean_header(first_file_);
        starts_ = validate_part({first_file_, &header_}, {});
    }
    std::string verdict_of_pointer(std::uint64_t word) {
        RawOlean second("v2", base + 0x10000);
        const std::uint64_t array = second.objects.array({word});
        field_ = second.offset(array) + 24;
        const EarlierPart earlier{base, first_file_.size(), &starts_};
        return verdict(second.file(second.empty_module_data()), {&earlier, 1});
    }
    void expect_refused(std::uint64_t word) {
        const std::string said = verdict_of_pointer(word);
        EXPECT_THAT(said, at(field_, "outside this part and the earlier ones"));
    }
    RawOlean first_;
    std::uint64_t text_ = 0;
    Bytes first_file_;
    OleanHeader header_;
    StartBitmap starts_{0};
    std::size_t field_ = 0;
};

TEST_F(TwoParts, ALaterPartMayPointIntoAnEarlierOne) {
    EXPECT_EQ(verdict_of_pointer(text_), "");
}

TEST_F(TwoParts, PointersIntoTheEarlierPartAreChecked) {
    expect_refused(text_ + 8);
    expect_refused(text_ + 4);
    expect_refused(base);
    expect_refused(base + first_file_.size());
}

TEST_F(TwoParts, AnEarlierPartMayNotPointIntoALaterOne) {
    RawOlean first("v2", base);
    const std::uint64_t later = base + 0x10000 + 96; // the second part's first object
    const std::uint64_t array = first.objects.array({later});
    EXPECT_THAT(verdict(first.file(first.empty_module_data())),
                at(first.offset(array) + 24, "outside this part and the earlier ones"));
}

TEST_F(TwoParts, ARootMayStandInAnEarlierPart) {
    const EarlierPart earlier{base, first_file_.size(), &starts_};
    RawOlean second("v2", base + 0x10000);
    EXPECT_EQ(verdict(second.file(test::load(first_file_, 88)), {&earlier, 1}), "");
}

TEST(PartLengths, EveryLengthButTheWholeIsRefused) {
    for (const std::string_view id : all_versions) {
        const Bytes file = test::empty_module(id);
        const std::size_t header_bytes = id == "v0" ? 24 : test::version_named(id).header_bytes;
        for (std::size_t bytes = header_bytes; bytes < file.size(); ++bytes) {
            const std::string said =
                verdict(Bytes(file.begin(), file.begin() + std::ptrdiff_t(bytes)));
            EXPECT_NE(said, "") << id << " cut at " << bytes;
            if (bytes % 8 != 0 && bytes > header_bytes + 24) {
                EXPECT_THAT(said, HasSubstr("expected a multiple of 8"));
            }
        }
    }
}

TEST(PartLengths, AFileWithoutObjectsIsRefused) {
    Bytes file = test::empty_module("v2");
    file.resize(96);
    EXPECT_THAT(verdict(file), at(88, "outside this part"));
    file.resize(88);
    EXPECT_THAT(verdict(file), at(88, "expected at least 96 for header and root pointer"));
}

TEST(PartLengths, BytesBehindTheLastObjectAreRefused) {
    Bytes file = test::empty_module("v2");
    const std::size_t end = file.size();
    file.resize(end + 8);
    EXPECT_THAT(verdict(file), at(end, "expected a multiple of 8, at least 8"));
}

TEST(StartBitmaps, KnowTheStartsAlone) {
    const Laid laid = lay("v1", [](RawObjects& raw) { return raw.array({box(1), box(2)}); });
    const OleanHeader header = *read_olean_header(laid.file);
    const StartBitmap starts = validate_part({laid.file, &header}, {});
    const StartBitmap again = object_starts({laid.file, &header});
    for (std::size_t offset = 0; offset < laid.file.size(); offset += 8) {
        const bool is_start = offset == laid.offset || offset == laid.root ||
                              offset == laid.root - 24; // an empty array
        EXPECT_EQ(starts.test(offset), is_start) << offset;
        EXPECT_EQ(again.test(offset), is_start) << offset;
    }
}

} // namespace
} // namespace leanhost::module
