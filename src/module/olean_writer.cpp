#include "module/olean_writer.hpp"

#include "base/failure.hpp"
#include "module/pending_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace leanhost::module {
namespace {

// docs/olean-format.md has the table.
constexpr std::string_view magic = "olean";
constexpr std::uint8_t container_version = 2;
constexpr std::uint8_t gmp_flag = 1;
constexpr std::size_t lean_version_offset = 7;
constexpr std::size_t lean_version_bytes = 33;
constexpr std::size_t githash_offset = lean_version_offset + lean_version_bytes;
constexpr std::size_t githash_bytes = 40;
constexpr std::size_t base_address_offset = githash_offset + githash_bytes;
static_assert(base_address_offset + 8 == BuiltPart::header_bytes);

void put_text(std::byte* at, std::size_t room, std::string_view text, std::string_view what) {
    if (text.size() > room) {
        fail(ErrorCode::invalid_argument,
             fmt::format("{} of {} bytes: the header has room for {}", what, text.size(), room));
    }
    std::memcpy(at, text.data(), text.size());
}

} // namespace

void write_header_v2(BuiltPart& part, const LeanStamp& stamp) {
    std::byte* const header = part.bytes.data();
    std::fill_n(header, BuiltPart::header_bytes, std::byte{0});
    put_text(header, magic.size(), magic, "magic");
    header[magic.size()] = std::byte{container_version};
    header[magic.size() + 1] = std::byte{gmp_flag};
    put_text(header + lean_version_offset, lean_version_bytes, stamp.version, "Lean version");
    put_text(header + githash_offset, githash_bytes, stamp.githash, "git hash");
    std::memcpy(header + base_address_offset, &part.base_address, sizeof(part.base_address));
}

void write_parts(std::span<const PartOutput> outputs) {
    std::vector<PendingFile> files;
    std::set<std::filesystem::path> folders;
    for (const PartOutput& output : outputs) {
        PendingFile& file = files.emplace_back(output.path);
        file.write(output.part->bytes);
        file.sync();
        folders.insert(output.path.parent_path());
    }
    for (auto file = files.rbegin(); file != files.rend(); ++file)
        file->commit();
    for (const auto& folder : folders)
        sync_folder(folder);
}

} // namespace leanhost::module
