#include "module/raw_modules.hpp"

#include "object/module_data.hpp"

#include <sys/mman.h>

#include <fstream>
#include <stdexcept>

namespace leanhost::test {
namespace {

constexpr std::uint64_t alignment = module::base_address_alignment;

std::uint64_t anonymous() {
    return RawObjects::box(0);
}

std::uint64_t text_name(RawOlean& olean, std::string_view text) {
    return olean.objects.ctor_with_word(1, {anonymous(), olean.objects.string(text)}, 0);
}

Bytes module_with_names(RawOlean& olean, const std::vector<std::uint64_t>& names) {
    const std::uint64_t none = olean.objects.array({});
    const std::uint64_t extra = olean.objects.array(names);
    return olean.file(olean.module_data(none, none, none, extra, none));
}

} // namespace

Bytes module_with_text(std::string_view text, std::uint64_t base, std::string_view version) {
    RawOlean olean(version, base);
    return module_with_names(olean, {text_name(olean, text)});
}

std::vector<Bytes> three_parts_with_text(std::string_view text, std::uint64_t base) {
    std::vector<Bytes> parts;
    std::uint64_t first_name = 0;
    for (const char number : {'0', '1', '2'}) {
        RawOlean olean("v2", base);
        const std::uint64_t name = text_name(olean, std::string(text) + number);
        if (parts.empty())
            first_name = name;
        parts.push_back(module_with_names(olean, parts.empty() ? std::vector{name}
                                                               : std::vector{first_name, name}));
        base = (base + parts.back().size() + alignment - 1) & ~(alignment - 1);
    }
    return parts;
}

ModuleFiles
write_parts(const TempDir& dir, std::string_view name, const std::vector<Bytes>& parts) {
    ModuleFiles files;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto suffix = part_suffix(static_cast<module::PartKind>(i));
        files.push_back(dir.write(std::string(name) + std::string(suffix), as_text(parts[i])));
    }
    return files;
}

ModuleFiles write_part(const TempDir& dir, std::string_view name, const Bytes& part) {
    return write_parts(dir, name, {part});
}

std::vector<std::string> texts(const module::Region& region, std::size_t part) {
    std::vector<std::string> result;
    const object::ModuleDataRef data(region.root(part));
    for (const object::ObjectRef name : data.extra_constant_names()) {
        result.push_back(object::NameRef(name).to_string());
    }
    return result;
}

void replace_by_rename(const std::filesystem::path& path, const Bytes& bytes) {
    const std::filesystem::path fresh = path.string() + ".fresh";
    std::ofstream out(fresh, std::ios::binary);
    out << as_text(bytes);
    out.close();
    if (!out)
        throw std::runtime_error("cannot write " + fresh.string());
    std::filesystem::rename(fresh, path);
}

TakenPlace::TakenPlace(std::uint64_t address, std::size_t bytes)
    : at_(take_place(address, bytes)), bytes_(bytes) {
    if (at_ == nullptr)
        throw std::runtime_error("the place is taken already");
}

TakenPlace::~TakenPlace() {
    ::munmap(at_, bytes_);
}

} // namespace leanhost::test
