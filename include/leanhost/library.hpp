#pragma once

#include <leanhost/runtime.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace leanhost {

/// One handle of a shared library. Copies share it; the last one to go unloads the library, unless
/// someone else has it loaded. Holds the runtime. Thread-safe.
class Library {
public:
    /// Loads the library with all its symbols resolved, and without offering them to others. The
    /// path is a path always: a bare name means the current folder, not the system's libraries.
    /// Runs the library's initialisers, which must not throw.
    /// Errors: linking (with the dynamic linker's words).
    static Expected<Library> open(Runtime runtime, const std::filesystem::path& path);

    /// The address of a symbol; valid as long as a copy of this handle lives.
    /// Errors: linking.
    Expected<void*> find_symbol(const std::string& name) const;

    /// As an absolute path.
    const std::filesystem::path& path() const noexcept;

private:
    struct Handle;
    explicit Library(std::shared_ptr<const Handle> handle) : handle_(std::move(handle)) {}
    std::shared_ptr<const Handle> handle_;
};

} // namespace leanhost
