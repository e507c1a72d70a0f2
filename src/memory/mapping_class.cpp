#include "memory/mapping_class.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <array>

namespace leanhost {
namespace {

constexpr std::array<std::string_view, mapping_class_count> class_names = {
    "mapped_modules", "relocated_copies", "index", "heap", "stacks", "other"};

} // namespace

std::string_view mapping_class_name(MappingClass mapping_class) noexcept {
    return class_names[static_cast<std::size_t>(mapping_class)];
}

namespace memory {
namespace {

// In the order of MappingClass. Modules are never anonymous: a copy of one is a relocated copy.
constexpr std::array<const char*, mapping_class_count> anonymous_names = {
    "leanhost modules", "leanhost relocated", "leanhost index",
    "leanhost heap",    "leanhost stack",     "leanhost other"};

struct AnonymousNameRule {
    std::string_view prefix;
    MappingClass mapping_class;
};

// glibc 2.39 names its memory when the tunable glibc.mem.decorate_maps is set; the space is its
// own.
constexpr std::array anonymous_name_rules = {
    AnonymousNameRule{"leanhost relocated]", MappingClass::relocated_copies},
    AnonymousNameRule{"leanhost index]", MappingClass::index},
    AnonymousNameRule{"leanhost heap", MappingClass::heap},
    AnonymousNameRule{"leanhost stack", MappingClass::stacks},
    AnonymousNameRule{" glibc: malloc", MappingClass::heap},
    AnonymousNameRule{" glibc: loader malloc", MappingClass::heap},
    AnonymousNameRule{" glibc: pthread", MappingClass::stacks},
    AnonymousNameRule{" glibc: unused stack", MappingClass::stacks},
};

MappingClass classify_named_anonymous(std::string_view name) noexcept {
    const auto rule = std::find_if(anonymous_name_rules.begin(), anonymous_name_rules.end(),
                                   [&](const auto& r) { return name.starts_with(r.prefix); });
    return rule == anonymous_name_rules.end() ? MappingClass::other : rule->mapping_class;
}

// A guard or a reservation is no heap until it may be written.
MappingClass classify_unnamed_anonymous(std::string_view permissions) noexcept {
    return permissions.starts_with("rw") ? MappingClass::heap : MappingClass::other;
}

bool is_module_file(std::string_view path) noexcept {
    constexpr std::string_view deleted = " (deleted)";
    constexpr std::array<std::string_view, 4> suffixes = {".olean", ".olean.server",
                                                          ".olean.private", ".ir"};
    if (path.ends_with(deleted))
        path.remove_suffix(deleted.size());
    return path.starts_with("/memfd:leanhost-olean") ||
           std::any_of(suffixes.begin(), suffixes.end(), [&](auto s) { return path.ends_with(s); });
}

} // namespace

MappingClass classify_mapping(std::string_view name, std::string_view permissions) noexcept {
    constexpr std::string_view named_anonymous = "[anon:";
    if (name.empty())
        return classify_unnamed_anonymous(permissions);
    if (name == "[heap]")
        return MappingClass::heap;
    // Linux before 4.5 wrote [stack:<tid>] for threads.
    if (name.starts_with("[stack"))
        return MappingClass::stacks;
    if (name.starts_with(named_anonymous))
        return classify_named_anonymous(name.substr(named_anonymous.size()));
    return is_module_file(name) ? MappingClass::mapped_modules : MappingClass::other;
}

const char* anonymous_name_of(MappingClass mapping_class) noexcept {
    return anonymous_names[static_cast<std::size_t>(mapping_class)];
}

void set_anonymous_name(void* address, std::size_t bytes, MappingClass mapping_class) noexcept {
    // Ignored on purpose: EINVAL says that the kernel keeps no names; the range registry knows the
    // class.
    static_cast<void>(::prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, address, bytes,
                              anonymous_name_of(mapping_class)));
}

} // namespace memory
} // namespace leanhost
