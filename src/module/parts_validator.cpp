#include "module/parts_validator.hpp"

#include <fmt/format.h>

namespace leanhost::module {

void PartsValidator::validate(const PartFile& part, std::span<const std::byte> bytes) {
    require_unchanged(part); // to read behind the end of a file that became shorter is a SIGBUS
    try {
        add(part, bytes, validate_part({bytes, &part.header}, earlier_));
    } catch (const BadPart& bad) {
        fail_in_file(part.path, bad.offset(), bad.what());
    }
    require_unchanged(part);
}

void PartsValidator::skip(const PartFile& part,
                          std::span<const std::byte> bytes,
                          bool later_follow) {
    try {
        add(part, bytes, later_follow ? object_starts({bytes, &part.header}) : StartBitmap(0));
    } catch (const BadPart& bad) {
        fail_in_file(part.path, bad.offset(), bad.what());
    }
}

void PartsValidator::add(const PartFile& part,
                         std::span<const std::byte> bytes,
                         StartBitmap starts) {
    bitmaps_.push_back(std::make_unique<StartBitmap>(std::move(starts)));
    earlier_.push_back({part.header.base_address, bytes.size(), bitmaps_.back().get()});
}

void require_contiguous(std::span<const PartFile> parts) {
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const PartFile& before = parts[i - 1];
        const OleanHeader& header = parts[i].header;
        const std::uint64_t end = before.header.base_address + before.identity.size_bytes;
        const std::uint64_t expected =
            (end + base_address_alignment - 1) & ~(base_address_alignment - 1);
        if (header.base_address != expected || !before.header.version->has_base_address) {
            fail_in_file(
                parts[i].path, header.version->header_bytes - sizeof(header.base_address),
                fmt::format("base address {:#x} does not follow {}: expected {:#x}; the parts "
                            "are not of one build",
                            header.base_address, before.path.string(), expected));
        }
    }
}

} // namespace leanhost::module
