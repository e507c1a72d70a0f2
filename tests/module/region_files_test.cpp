// Files that change, that are no module files, or that do not belong together.
#include "module/raw_modules.hpp"
#include "module/region_registry.hpp"
#include "support_modules/corpus.hpp"
#include "support_modules/mapped_files.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <optional>

namespace leanhost::module {
namespace {

using test::Bytes;
using test::ModuleFiles;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t room_bytes = 0x100000;

// What `f` fails with; a test failure when it does not.
template <class F>
std::optional<Error> failure_of(F&& f) {
    try {
        f();
    } catch (const Failure& failure) {
        return failure.error();
    }
    ADD_FAILURE() << "no failure";
    return std::nullopt;
}

auto is_error(ErrorCode code, const std::string& words) {
    return testing::Optional(
        AllOf(testing::Property("code", &Error::code, code),
              testing::Property("message", &Error::message, HasSubstr(words))));
}

void write_in_place(const std::filesystem::path& path, std::size_t offset, char byte) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
}

class RegionFiles : public testing::Test {
protected:
    RegionFiles()
        : base_(test::free_base_address(room_bytes)),
          content_(test::module_with_text("old", base_)),
          files_(test::write_part(dir_, "M", content_)) {
        // File times move in steps of some milliseconds: a change now is to be told from this one.
        std::filesystem::last_write_time(files_[0], std::filesystem::file_time_type::clock::now() -
                                                        std::chrono::hours(1));
    }

    RegionHandle acquire(Trust trust = Trust::stable) {
        return registry_.acquire(test::open_module(files_, files_.size(), trust), trust);
    }
    // Fails as it must when the file is changed between opening and mapping.
    template <class F>
    std::optional<Error> failure_after(F&& change, Trust trust = Trust::stable) {
        auto parts = test::open_module(files_, files_.size(), trust);
        change();
        return failure_of([&] { static_cast<void>(registry_.acquire(std::move(parts), trust)); });
    }

    test::TempDir dir_;
    std::uint64_t base_;
    Bytes content_;
    ModuleFiles files_;
    RegionRegistry registry_;
};

// ---- files that change

TEST_F(RegionFiles, ARebuiltFileIsANewRegionAndTheOldOneStaysValid) {
    const RegionHandle before = acquire();
    test::replace_by_rename(files_[0], test::module_with_text("new", base_));
    const RegionHandle after = acquire();
    EXPECT_NE(&*before, &*after);
    EXPECT_TRUE(after->is_relocated()); // its place is the old one's
    EXPECT_THAT(test::texts(*before), ElementsAre("old"));
    EXPECT_THAT(test::texts(*after), ElementsAre("new"));
}

TEST_F(RegionFiles, AFileReplacedAfterOpeningIsReadAsItWasOpened) {
    auto parts = test::open_module(files_);
    test::replace_by_rename(files_[0], test::module_with_text("new", base_));
    const RegionHandle region = registry_.acquire(std::move(parts), Trust::stable);
    EXPECT_THAT(test::texts(*region), ElementsAre("old"));
}

TEST_F(RegionFiles, AFileDeletedAfterOpeningIsRead) {
    auto parts = test::open_module(files_);
    std::filesystem::remove(files_[0]);
    const RegionHandle region = registry_.acquire(std::move(parts), Trust::stable);
    EXPECT_THAT(test::texts(*region), ElementsAre("old"));
}

TEST_F(RegionFiles, AFileWrittenAfterOpeningIsRefused) {
    const auto change = [&] { write_in_place(files_[0], 20, 'x'); };
    EXPECT_THAT(failure_after(change),
                is_error(ErrorCode::file_changed, "changed while it was being read"));
    EXPECT_TRUE(test::mapped_files(dir_.path()).empty());
}

// To read what a mapping shows behind the end of its file is a SIGBUS.
TEST_F(RegionFiles, AFileThatBecameShorterAfterOpeningIsRefused) {
    const auto change = [&] { std::filesystem::resize_file(files_[0], 96); };
    EXPECT_THAT(failure_after(change), is_error(ErrorCode::file_changed, "M.olean"));
    EXPECT_TRUE(test::mapped_files(dir_.path()).empty());
}

TEST_F(RegionFiles, AFileThatBecameShorterAfterOpeningIsRefusedWhenRelocated) {
    const test::TakenPlace taken(base_, 4096);
    const auto change = [&] { std::filesystem::resize_file(files_[0], 96); };
    EXPECT_THAT(failure_after(change),
                is_error(ErrorCode::file_changed, "the file became shorter"));
}

TEST_F(RegionFiles, AFileThatGrewAfterOpeningIsRefused) {
    const auto change = [&] {
        std::filesystem::resize_file(files_[0], std::filesystem::file_size(files_[0]) + 64);
    };
    EXPECT_THAT(failure_after(change), is_error(ErrorCode::file_changed, "rename"));
}

TEST_F(RegionFiles, AFileWrittenInPlaceIsAnotherOneNextTime) {
    const RegionHandle before = acquire();
    std::filesystem::last_write_time(files_[0], std::filesystem::file_time_type::clock::now() +
                                                    std::chrono::hours(1));
    EXPECT_NE(&*before, &*acquire());
}

// ---- hostile search paths

TEST_F(RegionFiles, AHostileFileIsReadFromASealedCopy) {
    const auto parts = test::open_module(files_, 1, Trust::hostile);
    const int seals = ::fcntl(parts[0].fd.get(), F_GET_SEALS);
    EXPECT_EQ(seals, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    const RegionHandle region = acquire(Trust::hostile);
    EXPECT_TRUE(test::mapped_files(dir_.path()).empty());
    EXPECT_FALSE(region->is_relocated());
    EXPECT_EQ(registry_.stats().sealed_bytes, content_.size());
}

TEST_F(RegionFiles, AHostileFileMayBeTruncatedAndOverwrittenWhileItIsMapped) {
    const RegionHandle region = acquire(Trust::hostile);
    for (std::size_t offset = 0; offset < content_.size(); ++offset) {
        write_in_place(files_[0], offset, '\xff');
    }
    std::filesystem::resize_file(files_[0], 0);
    EXPECT_THAT(test::texts(*region), ElementsAre("old"));
    EXPECT_TRUE(std::equal(content_.begin(), content_.end(), region->parts()[0].bytes.begin()));
}

TEST_F(RegionFiles, AHostileFileMayChangeBetweenOpeningAndMapping) {
    auto parts = test::open_module(files_, 1, Trust::hostile);
    std::filesystem::resize_file(files_[0], 0);
    const RegionHandle region = registry_.acquire(std::move(parts), Trust::hostile);
    EXPECT_THAT(test::texts(*region), ElementsAre("old"));
}

TEST_F(RegionFiles, SealedAndMappedFilesDoNotStandInForEachOther) {
    const RegionHandle mapped = acquire(Trust::stable);
    const RegionHandle sealed = acquire(Trust::hostile);
    EXPECT_NE(&*mapped, &*sealed);
    EXPECT_EQ(&*sealed, &*acquire(Trust::hostile));
    std::filesystem::resize_file(files_[0], 0);
    EXPECT_THAT(test::texts(*sealed), ElementsAre("old"));
}

// ---- what is no module file

std::optional<Error> failure_to_open(const std::filesystem::path& path) {
    return failure_of([&] { static_cast<void>(open_part(path, PartKind::olean, Trust::stable)); });
}

TEST_F(RegionFiles, AMissingFileIsNotFound) {
    EXPECT_THAT(failure_to_open(dir_.path() / "No.olean"),
                is_error(ErrorCode::not_found, "No.olean"));
    EXPECT_THAT(failure_to_open(files_[0] / "Inside.olean"),
                is_error(ErrorCode::not_found, "cannot open"));
}

TEST_F(RegionFiles, AFolderIsRefused) {
    std::filesystem::create_directory(dir_.path() / "Folder.olean");
    EXPECT_THAT(failure_to_open(dir_.path() / "Folder.olean"),
                is_error(ErrorCode::invalid_input, "Folder.olean: not a regular file"));
}

TEST_F(RegionFiles, AFifoIsRefusedWithoutWaitingForItsWriter) {
    const auto fifo = dir_.path() / "Fifo.olean";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_THAT(failure_to_open(fifo), is_error(ErrorCode::invalid_input, "not a regular file"));
}

// Another user for a while, when this one may read everything.
class Unprivileged {
public:
    Unprivileged() : was_root_(::geteuid() == 0) {
        if (was_root_ && ::seteuid(65534) != 0)
            throw std::runtime_error("seteuid");
    }
    ~Unprivileged() {
        if (was_root_ && ::seteuid(0) != 0)
            std::abort();
    }

private:
    bool was_root_;
};

TEST_F(RegionFiles, AnUnreadableFileIsAnInputOutputError) {
    std::filesystem::permissions(dir_.path(), std::filesystem::perms::all);
    std::filesystem::permissions(files_[0], std::filesystem::perms::none);
    const Unprivileged other_user;
    EXPECT_THAT(failure_to_open(files_[0]),
                is_error(ErrorCode::io, "cannot open: Permission denied"));
}

TEST_F(RegionFiles, AnEmptyFileIsRefused) {
    const auto path = dir_.write("Empty.olean", "");
    EXPECT_THAT(failure_to_open(path),
                is_error(ErrorCode::invalid_input, "Empty.olean: not a module file"));
    EXPECT_THAT(
        failure_of([&] { static_cast<void>(open_part(path, PartKind::olean, Trust::hostile)); }),
        is_error(ErrorCode::invalid_input, "not a module file"));
}

// ---- parts that do not belong together

std::optional<Error> failure_of_parts(const ModuleFiles& files) {
    RegionRegistry registry;
    return failure_of(
        [&] { static_cast<void>(registry.acquire(test::open_module(files), Trust::stable)); });
}

ModuleFiles batteries_parts(const char* name) {
    const auto path = test::corpus(test::batteries) / name;
    return {path.string() + ".olean", path.string() + ".olean.server",
            path.string() + ".olean.private"};
}

TEST(PartsOfAModule, OfTwoModulesAreRefused) {
    const ModuleFiles a = batteries_parts("Batteries/Data/Bool");
    const ModuleFiles b = batteries_parts("Batteries/Lean/LawfulMonad");
    for (const ModuleFiles& mixed : {ModuleFiles{a[0], b[1]}, ModuleFiles{a[0], a[1], b[2]}}) {
        const auto error = failure_of_parts(mixed);
        EXPECT_THAT(error, is_error(ErrorCode::invalid_input, "the parts are not of one build"));
        EXPECT_THAT(error, is_error(ErrorCode::invalid_input, "at offset 80: base address"));
        EXPECT_THAT(error->message(), testing::StartsWith(mixed.back().string()));
    }
}

TEST(PartsOfAModule, InTheWrongOrderOrWithAGapAreRefused) {
    const ModuleFiles a = batteries_parts("Batteries/Data/Bool");
    for (const ModuleFiles& wrong :
         {ModuleFiles{a[1], a[0]}, ModuleFiles{a[0], a[0]}, ModuleFiles{a[0], a[2]}}) {
        EXPECT_THAT(failure_of_parts(wrong), is_error(ErrorCode::invalid_input, "does not follow"));
    }
}

TEST(PartsOfAModule, ALaterPartAloneIsRefused) {
    const ModuleFiles a = batteries_parts("Batteries/Data/Bool");
    for (const std::size_t part : {1U, 2U}) {
        EXPECT_THAT(failure_of_parts({a[part]}),
                    is_error(ErrorCode::invalid_input, "outside this part and the earlier ones"));
    }
}

} // namespace
} // namespace leanhost::module
