#include "module/search_path.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::module {
namespace {

// A name comes from a file or a user: it must not lead out of the search path.
bool is_safe_component(std::string_view text) {
    return !text.empty() && text != "." && text != ".." && text.size() <= 255 &&
           text.find('/') == std::string_view::npos && text.find('\0') == std::string_view::npos;
}

// The inverse: a component is taken as it is written, so that one of digits is text here and there.
Name module_name_of(std::filesystem::path relative) {
    relative.replace_extension();
    std::vector<Name::Component> components;
    for (const auto& folder : relative)
        components.push_back({folder.string(), 0, false});
    return Name(std::move(components));
}

} // namespace

std::filesystem::path relative_module_path(const Name& module) {
    std::filesystem::path path;
    for (const auto& component : module.components()) {
        const std::string text =
            component.is_number ? std::to_string(component.number) : component.text;
        if (!is_safe_component(text)) {
            fail(ErrorCode::invalid_argument,
                 fmt::format(
                     "'{}' is no module name: the component '{}' cannot be a folder or a file",
                     module.to_string(), text));
        }
        path /= text;
    }
    if (path.empty())
        fail(ErrorCode::invalid_argument, "the anonymous name is no module name");
    path += part_suffix(PartKind::olean);
    return path;
}

SearchPath SearchPath::from_text(std::string_view text) {
    std::vector<std::filesystem::path> roots;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(':'), text.size());
        if (end > 0)
            roots.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return SearchPath(std::move(roots));
}

std::optional<std::filesystem::path> SearchPath::find(const Name& module) const {
    const std::filesystem::path relative = relative_module_path(module);
    for (const auto& root : roots_) {
        std::filesystem::path path = root / relative;
        if (is_there(path))
            return path;
    }
    return std::nullopt;
}

std::vector<Name> SearchPath::list_modules() const {
    std::vector<Name> modules;
    for (const auto& root : roots_) {
        std::error_code error;
        std::filesystem::recursive_directory_iterator it(root, error);
        for (; !error && it != std::filesystem::recursive_directory_iterator();
             it.increment(error)) {
            if (it->path().extension() == part_suffix(PartKind::olean) &&
                it->is_regular_file(error)) {
                modules.push_back(module_name_of(it->path().lexically_relative(root)));
            }
        }
        if (error) {
            fail(ErrorCode::io, fmt::format("{}: {}", root.string(), error.message()),
                 {{"file", root.string()}});
        }
    }
    std::sort(modules.begin(), modules.end());
    modules.erase(std::unique(modules.begin(), modules.end()), modules.end());
    return modules;
}

std::string SearchPath::to_string() const {
    std::string text;
    for (const auto& root : roots_) {
        if (!text.empty())
            text += ':';
        text += root.string();
    }
    return text;
}

std::filesystem::path part_path(const std::filesystem::path& olean, PartKind kind) {
    std::filesystem::path path = olean;
    if (kind == PartKind::ir)
        return path.replace_extension(part_suffix(kind));
    if (kind != PartKind::olean) {
        path += part_suffix(kind).substr(part_suffix(PartKind::olean).size());
    }
    return path;
}

} // namespace leanhost::module
