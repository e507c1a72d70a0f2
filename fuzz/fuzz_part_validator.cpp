// Any bytes as the parts of one module: whatever validation accepts must be safe to read whole, at
// another address than its own. The input is split at marks, so that later parts pointing into
// earlier ones are covered.

#include "base/failure.hpp"
#include "module/module_stats.hpp"
#include "module/part_validator.hpp"
#include "module/relocation.hpp"
#include "object/expr_printer.hpp"
#include "object/module_data.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

namespace {

using namespace leanhost;
using namespace leanhost::module;

constexpr std::string_view part_mark = "=next part=";

// The bytes of one part where malloc put them: 8-aligned, and out-of-bounds reads are seen.
struct Part {
    std::vector<std::uint64_t> words;
    std::size_t size;
    OleanHeader header;

    std::span<std::byte> bytes() { return {reinterpret_cast<std::byte*>(words.data()), size}; }
};

std::vector<std::unique_ptr<Part>> split(std::string_view input) {
    std::vector<std::unique_ptr<Part>> parts;
    for (;;) {
        const std::size_t end = std::min(input.find(part_mark), input.size());
        auto part = std::make_unique<Part>();
        part->size = end;
        part->words.resize(end / 8 + 1);
        std::memcpy(part->words.data(), input.data(), end);
        auto header = read_olean_header(part->bytes());
        if (!header)
            return parts;
        part->header = *std::move(header);
        parts.push_back(std::move(part));
        if (end == input.size() || parts.size() == 3)
            return parts;
        input.remove_prefix(end + part_mark.size());
    }
}

// The parts that are valid, up to the first that is not.
std::size_t count_valid(std::vector<std::unique_ptr<Part>>& parts) {
    std::vector<std::unique_ptr<StartBitmap>> starts;
    std::vector<EarlierPart> earlier;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        try {
            starts.push_back(std::make_unique<StartBitmap>(
                validate_part({parts[i]->bytes(), &parts[i]->header}, earlier)));
        } catch (const BadPart&) {
            return i;
        }
        earlier.push_back({parts[i]->header.base_address, parts[i]->size, starts.back().get()});
    }
    return parts.size();
}

// One block at the distances of the base addresses, as a relocated copy has it.
void read_whole(std::vector<std::unique_ptr<Part>>& parts, std::size_t valid) {
    const std::uint64_t base = parts[0]->header.base_address;
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < valid; ++i) {
        const std::uint64_t start = parts[i]->header.base_address - base;
        // The registry demands contiguous parts; here it is enough that they do not overlap.
        if (start < end || start > end + (1U << 20U))
            return;
        end = start + parts[i]->size;
    }
    std::vector<std::uint64_t> block(end / 8 + 1);
    const std::uint64_t delta = reinterpret_cast<std::uint64_t>(block.data()) - base;
    std::vector<Region::Part> placed;
    for (std::size_t i = 0; i < valid; ++i) {
        auto* const at =
            reinterpret_cast<std::byte*>(block.data()) + (parts[i]->header.base_address - base);
        const std::span<std::byte> place(at, parts[i]->size);
        std::memcpy(place.data(), parts[i]->words.data(), place.size());
        relocate_part(place, parts[i]->header, delta);
        placed.push_back({"fuzz", static_cast<PartKind>(i), {}, parts[i]->header, place});
    }
    const Region region(std::move(placed), true);
    for (std::size_t i = 0; i < valid; ++i) {
        try {
            static_cast<void>(module_stats_of(region, i));
            const object::ModuleDataRef data(region.root(i));
            for (const object::ObjectRef constant : data.constants()) {
                const object::ConstantInfoRef info(constant);
                static_cast<void>(info.name().recomputed_hash());
                static_cast<void>(object::print_term(info.type(), 4096));
            }
        } catch (const Failure&) {
            // An object of another kind than its place asks for: said, not followed.
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto parts = split({reinterpret_cast<const char*>(data), size});
    const std::size_t valid = count_valid(parts);
    if (valid > 0)
        read_whole(parts, valid);
    return 0;
}
