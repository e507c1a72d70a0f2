#include "base/failure.hpp"
#include "module/constant_builder.hpp"
#include "module/olean_writer.hpp"
#include "module/pending_file.hpp"
#include "module/raw_olean.hpp"
#include "module/real_modules.hpp"
#include "support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <functional>

namespace leanhost::module {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::string_view module = "Writer.Test";

// A module with one axiom of the given name, in as many parts as there are names.
std::vector<BuiltPart> mk_parts(const std::vector<std::string>& axioms) {
    ObjectBuilder objects(base_address_of(Name(module).hash()));
    TermBuilder terms(objects);
    ConstantBuilder constants(terms);
    const BuiltRef prop = terms.mk_sort(TermBuilder::level_zero());
    std::vector<BuiltConstant> all;
    for (const std::string& axiom : axioms) {
        const BuiltRef name = terms.mk_name_str(TermBuilder::anonymous_name(), axiom);
        all.push_back(constants.mk_axiom({name, terms.mk_list({}), prop}));
        const std::vector<BuiltImport> imports = {
            {.module = terms.mk_name("Other.Module"), .import_all = true}};
        objects.finish_part(constants.mk_module_data({.imports = imports,
                                                      .constants = all,
                                                      .extra_constant_names = {},
                                                      .entries = {},
                                                      .is_module = true}));
    }
    std::vector<BuiltPart> parts = std::move(objects).take_parts();
    for (BuiltPart& part : parts)
        write_header_v2(part, {"4.29.0", "0123456789abcdef"});
    return parts;
}

std::vector<PartOutput> outputs_in(const fs::path& folder, const std::vector<BuiltPart>& parts) {
    std::vector<PartOutput> outputs;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        outputs.push_back(
            {folder / ("M" + std::string(part_suffix(static_cast<PartKind>(i)))), &parts[i]});
    }
    return outputs;
}

test::ModuleFiles files_of(const std::vector<PartOutput>& outputs) {
    test::ModuleFiles files;
    for (const PartOutput& output : outputs)
        files.push_back(output.path);
    return files;
}

std::vector<std::string> files_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.push_back(entry.path().filename());
    return names;
}

Error error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Failure& failure) {
        return failure.error();
    }
    return Error(ErrorCode::internal, "no error");
}

TEST(OleanWriter, PartsReadBackAsOneModule) {
    const test::TempDir folder;
    const std::vector<BuiltPart> parts = mk_parts({"first", "second", "third"});
    const auto outputs = outputs_in(folder.path(), parts);
    write_parts(outputs);
    EXPECT_EQ(files_in(folder.path()).size(), 3U) << "no temporary file stays";

    RegionRegistry registry;
    const RegionHandle region =
        registry.acquire(test::open_module(files_of(outputs)), Trust::stable);
    const OleanHeader& header = region->parts()[0].header;
    EXPECT_EQ(header.lean_version, "4.29.0");
    EXPECT_EQ(header.githash, "0123456789abcdef");
    EXPECT_EQ(header.base_address, base_address_of(Name(module).hash()));
    const object::ModuleDataRef last(region->root(2));
    EXPECT_TRUE(last.is_module());
    EXPECT_EQ(last.import(0).module(), Name("Other.Module"));
    EXPECT_TRUE(last.import(0).import_all());
    EXPECT_TRUE(last.import(0).is_exported());
    ASSERT_EQ(last.constants().size(), 3U);
    EXPECT_EQ(last.constant(2).name(), Name("third"));
    EXPECT_EQ(last.constants()[0], object::ModuleDataRef(region->root(0)).constants()[0])
        << "what an earlier part has is not written again";
}

TEST(OleanWriter, EqualModulesAreEqualBytes) {
    EXPECT_EQ(mk_parts({"one", "two"})[1].bytes, mk_parts({"one", "two"})[1].bytes);
}

TEST(OleanWriter, ANameOfAMegabyteReadsBack) {
    const test::TempDir folder;
    const std::string name(1U << 20U, 'n');
    const std::vector<BuiltPart> parts = mk_parts({name});
    const auto outputs = outputs_in(folder.path(), parts);
    write_parts(outputs);
    RegionRegistry registry;
    const RegionHandle region =
        registry.acquire(test::open_module(files_of(outputs)), Trust::hostile);
    const object::NameRef read = object::ModuleDataRef(region->root(0)).constant(0).name();
    EXPECT_EQ(read.string_component(), name);
    EXPECT_THROW(static_cast<void>(read.to_string()), object::MalformedObject) << "bounded as text";
}

TEST(OleanWriter, TextsThatDoNotFitTheHeaderAreRefused) {
    std::vector<BuiltPart> parts = mk_parts({"a"});
    const auto refused = [&](const LeanStamp& stamp) {
        return error_of([&] { write_header_v2(parts[0], stamp); }).code();
    };
    EXPECT_EQ(refused({std::string(34, 'v'), ""}), ErrorCode::invalid_argument);
    EXPECT_EQ(refused({"", std::string(41, 'h')}), ErrorCode::invalid_argument);
    EXPECT_NO_THROW(write_header_v2(parts[0], {std::string(33, 'v'), std::string(40, 'h')}));
    EXPECT_EQ(read_olean_header(parts[0].bytes)->githash, std::string(40, 'h'));
}

TEST(OleanWriter, AMissingFolderIsNamed) {
    const test::TempDir folder;
    const std::vector<BuiltPart> parts = mk_parts({"a"});
    const auto outputs = outputs_in(folder.path() / "nowhere", parts);
    const Error error = error_of([&] { write_parts(outputs); });
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_THAT(error.message(), HasSubstr(outputs[0].path.string()));
    EXPECT_THAT(error.message(), HasSubstr("No such file or directory"));
}

TEST(OleanWriter, APlaceThatCannotBeTakenLeavesNoTemporaryFile) {
    const test::TempDir folder;
    fs::create_directories(folder.path() / "M.olean" / "occupied");
    const std::vector<BuiltPart> parts = mk_parts({"a"});
    const Error error = error_of([&] { write_parts(outputs_in(folder.path(), parts)); });
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_THAT(files_in(folder.path()), UnorderedElementsAre("M.olean"));
}

// Files of at most so many bytes while it lives: a disk that is full in the middle of a file.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        ::rlimit limit = before_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    ::rlimit before_{};
    void (*handler_)(int);
};

TEST(OleanWriter, AFullDiskChangesNothing) {
    const test::TempDir folder;
    const std::vector<BuiltPart> before = mk_parts({"a", "b"});
    write_parts(outputs_in(folder.path(), before));
    // The first part fits, the second does not.
    const std::vector<BuiltPart> after = mk_parts({"c", std::string(100'000, 'd')});
    const auto outputs = outputs_in(folder.path(), after);
    const Error error = [&] {
        const FileSizeLimit limit(50'000);
        return error_of([&] { write_parts(outputs); });
    }();
    EXPECT_EQ(error.code(), ErrorCode::resource_exhausted);
    EXPECT_THAT(error.message(), HasSubstr(outputs[1].path.string()));
    EXPECT_THAT(error.message(), HasSubstr("File too large"));
    EXPECT_THAT(files_in(folder.path()), UnorderedElementsAre("M.olean", "M.olean.server"));
    EXPECT_EQ(test::read_file(outputs[0].path), before[0].bytes);
    EXPECT_EQ(test::read_file(outputs[1].path), before[1].bytes);
}

TEST(PendingFile, WithoutACommitNothingStays) {
    const test::TempDir folder;
    {
        PendingFile file(folder.path() / "never");
        file.write(std::as_bytes(std::span("content", 7)));
        file.sync();
        EXPECT_EQ(files_in(folder.path()).size(), 1U);
        const PendingFile moved(std::move(file));
    }
    EXPECT_THAT(files_in(folder.path()), IsEmpty());
}

TEST(PendingFile, TakesThePlaceOfAnEarlierFileWhole) {
    const test::TempDir folder;
    const fs::path path = folder.write("taken", "before, and longer");
    PendingFile file(path);
    file.write(std::as_bytes(std::span("after", 5)));
    file.sync();
    EXPECT_EQ(test::as_text(test::read_file(path)), "before, and longer");
    file.commit();
    EXPECT_EQ(test::as_text(test::read_file(path)), "after");
}

} // namespace
} // namespace leanhost::module
