// The source tree against what documents and build files say about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace leanhost {
namespace {

namespace fs = std::filesystem;
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;

const fs::path source_dir = LEANHOST_SOURCE_DIR;

std::string content_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.is_directory() && !fs::is_empty(entry))
            folders.push_back(entry.path());
    }
    return folders;
}

std::vector<std::string> names_of(const std::vector<fs::path>& paths) {
    std::vector<std::string> names;
    names.reserve(paths.size());
    for (const auto& path : paths)
        names.push_back(path.filename().string());
    return names;
}

// The first cell of each row of the table in docs/layers.md.
std::vector<std::string> layers_in_document() {
    std::istringstream lines(content_of(source_dir / "docs/layers.md"));
    std::vector<std::string> layers;
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("| `", 0) == 0)
            layers.push_back(line.substr(3, line.find('`', 3) - 3));
    }
    return layers;
}

// The words of `set(NAME word...)` in a CMake file.
std::vector<std::string> cmake_list(const fs::path& file, const std::string& name) {
    const std::string text = content_of(file);
    const std::string opening = "set(" + name + " ";
    const auto start = text.find(opening);
    if (start == std::string::npos)
        return {};
    const auto from = start + opening.size();
    std::istringstream words(text.substr(from, text.find(')', from) - from));
    return {std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()};
}

TEST(Tree, EveryFolderOfSourcesAndTestsHasAReadme) {
    for (const char* top : {"src", "tests"}) {
        for (const fs::path& folder : folders_in(source_dir / top)) {
            EXPECT_TRUE(fs::exists(folder / "README.md")) << folder << " lacks a README.md";
        }
    }
    for (const char* folder : {"bench", "cmake", "fuzz", "scripts", "tests"}) {
        EXPECT_TRUE(fs::exists(source_dir / folder / "README.md")) << folder;
    }
}

TEST(Tree, LayersInTheDocumentAreTheFoldersOfSrc) {
    std::set<std::string> expected{"regions"}; // beside the layers, as the document says
    for (const std::string& layer : layers_in_document())
        expected.insert(layer.starts_with("worker_") ? "worker" : layer);
    EXPECT_THAT(names_of(folders_in(source_dir / "src")), UnorderedElementsAreArray(expected));
    EXPECT_THAT(names_of(folders_in(source_dir / "src/worker")),
                UnorderedElementsAre("protocol", "parent", "child"));
}

TEST(Tree, LayersInTheDocumentStandInTheOrderThatIsEnforced) {
    EXPECT_EQ(layers_in_document(),
              cmake_list(source_dir / "cmake/LeanhostLayer.cmake", "LEANHOST_LAYER_ORDER"));
}

// A test that is in no program passes for ever. Fuzzers and the consumer are other builds than this
// one: there the name in the CMakeLists.txt beside the source must do.
TEST(Tree, EverySourceIsBuilt) {
    const std::string commands = content_of(LEANHOST_BINARY_DIR "/compile_commands.json");
    for (const char* top : {"src", "tests", "bench", "fuzz"}) {
        for (const auto& entry : fs::recursive_directory_iterator(source_dir / top)) {
            const fs::path folder = entry.path().parent_path();
            if (entry.path().extension() != ".cpp" || folder.filename() == "must_not_compile")
                continue;
            const bool is_built =
                contains(commands, '"' + entry.path().string() + '"') ||
                contains(content_of(folder / "CMakeLists.txt"), entry.path().filename().string());
            EXPECT_TRUE(is_built) << entry.path() << " is in no program";
        }
    }
}

} // namespace
} // namespace leanhost
