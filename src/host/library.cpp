#include "base/guard.hpp"

#include <leanhost/library.hpp>

#include <dlfcn.h>
#include <fmt/format.h>

namespace leanhost {
namespace {

[[noreturn]] void fail_linking(const std::filesystem::path& path, std::string_view what) {
    const char* const words = ::dlerror(); // of this thread's last attempt
    fail(ErrorCode::linking,
         fmt::format("{}: {}: {}", path.string(), what,
                     words == nullptr ? "no reason given" : words),
         {{"library", path.string()}});
}

} // namespace

struct Library::Handle {
    Handle(Runtime r, std::filesystem::path p)
        : runtime(std::move(r)), path(std::move(p)),
          handle(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
        if (handle == nullptr)
            fail_linking(path, "the library cannot be loaded");
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    // Ignored on purpose: a library that cannot be unloaded stays, and nobody can do anything about
    // it.
    ~Handle() { static_cast<void>(::dlclose(handle)); }

    const Runtime runtime;
    const std::filesystem::path path;
    void* const handle;
};

Expected<Library> Library::open(Runtime runtime, const std::filesystem::path& path) {
    return guarded("Library::open", [&] {
        return Library(
            std::make_shared<const Handle>(std::move(runtime), std::filesystem::absolute(path)));
    });
}

Expected<void*> Library::find_symbol(const std::string& name) const {
    return guarded("Library::find_symbol", [&] {
        static_cast<void>(::dlerror());
        void* const symbol = ::dlsym(handle_->handle, name.c_str());
        if (symbol == nullptr)
            fail_linking(handle_->path, fmt::format("no symbol '{}'", name));
        return symbol;
    });
}

const std::filesystem::path& Library::path() const noexcept {
    return handle_->path;
}

} // namespace leanhost
