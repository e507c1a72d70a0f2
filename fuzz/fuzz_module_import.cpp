// Any bytes as a module file, by the way that an import takes: opening, mapping at the base address
// the file asks for or relocating, closure, index, queries. Files are sealed copies in memory, so
// nothing is written to disk.

#include "base/failure.hpp"
#include "engine_native/native_engine.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

using namespace leanhost;

// A search path with one module whose file is a memfd.
class MemoryFolder {
public:
    MemoryFolder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "leanhost-fuzz-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            std::abort();
        root_ = pattern;
        fd_ = ::memfd_create("fuzz", MFD_CLOEXEC);
        if (fd_ < 0)
            std::abort();
        std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(fd_), root_ / "M.olean");
    }
    ~MemoryFolder() {
        ::close(fd_);
        std::filesystem::remove_all(root_);
    }
    MemoryFolder(const MemoryFolder&) = delete;
    MemoryFolder& operator=(const MemoryFolder&) = delete;

    void fill(const std::uint8_t* data, std::size_t size) const {
        if (::ftruncate(fd_, 0) != 0 ||
            ::pwrite(fd_, data, size, 0) != static_cast<ssize_t>(size)) {
            std::abort();
        }
    }
    const std::filesystem::path& root() const { return root_; }

private:
    std::filesystem::path root_;
    int fd_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const MemoryFolder folder;
    folder.fill(data, size);
    engine_native::NativeEngine engine(
        {.search_path = {folder.root()},
         .trust = size % 2 == 0 ? SearchPathTrust::stable : SearchPathTrust::hostile,
         .max_import_threads = 1});
    const ImportSet imports({Name("M")}, Profile::all, true);
    try {
        const auto session = engine.open(imports, {});
        const auto names = session->list_declarations(0, 64);
        if (names)
            static_cast<void>(
                session->query_declarations(*names, {.type = true, .max_type_bytes = 512}));
    } catch (const Failure&) {
        // The answer to bad input.
    }
    if (engine.registry_stats().regions != 0)
        std::abort(); // something stayed mapped
    return 0;
}
