#include "module/lean_loader_model.hpp"

#include "module/parts_validator.hpp"
#include "module/relocated_copy.hpp"

#include <absl/container/flat_hash_map.h>
#include <sys/mman.h>

#include <algorithm>
#include <optional>

namespace leanhost::module {
namespace {

// What the model keeps for ever. Reachable, so that leak checkers see intention; never emptied.
struct Kept {
    std::mutex mutex;
    std::vector<std::unique_ptr<Region>> regions; // guarded by mutex
    std::vector<memory::NamedMapping> copies;     // guarded by mutex
    // Our views of mappings, by where they lie. A place comes twice only under region sharing: the
    // memory is the same then, and so is the view. Guarded by mutex.
    absl::flat_hash_map<const std::byte*, const Region*> mapped;
};

Kept& kept() {
    static Kept* const for_ever = new Kept;
    return *for_ever;
}

const Region& keep(std::vector<PartFile>& parts, const PartBytes& bytes, bool is_relocated) {
    auto region = std::make_unique<Region>(region_parts(parts, bytes), is_relocated);
    return *kept().regions.emplace_back(std::move(region));
}

bool is_view_of(const Region& region, std::span<const FileIdentity> files) {
    return std::equal(
        region.parts().begin(), region.parts().end(), files.begin(), files.end(),
        [](const Region::Part& part, const FileIdentity& file) { return part.identity == file; });
}

struct Mapped {
    RegionHandle region;
    bool is_new; // no load before had its memory
};

Mapped keep_mapped(std::vector<PartFile>& parts,
                   std::span<const FileIdentity> files,
                   const PartBytes& bytes) {
    const std::lock_guard lock(kept().mutex);
    const Region*& known = kept().mapped[bytes.front().data()];
    const bool is_new = known == nullptr || !is_view_of(*known, files);
    if (is_new)
        known = &keep(parts, bytes, false);
    return {RegionHandle(*known), is_new};
}

RegionHandle keep_copy(std::vector<PartFile>& parts, RelocatedCopy copy) {
    const std::lock_guard lock(kept().mutex);
    const Region& region = keep(parts, copy.part_bytes(), true);
    kept().copies.push_back(std::move(copy).mapping());
    return RegionHandle(region);
}

void unmap(const PartBytes& mapped) {
    for (const auto part : mapped)
        ::munmap(const_cast<std::byte*>(part.data()), part.size());
}

// Every part at its base address, or nothing.
std::optional<PartBytes> try_map_all(const std::vector<PartFile>& parts) {
    PartBytes mapped;
    for (const PartFile& part : parts) {
        void* const hint = reinterpret_cast<void*>(part.header.base_address);
        const std::size_t bytes = part.identity.size_bytes;
        void* const at = part.header.version->has_base_address
                             ? ::mmap(hint, bytes, PROT_READ, MAP_PRIVATE, part.fd.get(), 0)
                             : MAP_FAILED;
        if (at != MAP_FAILED)
            mapped.emplace_back(static_cast<const std::byte*>(at), bytes);
        if (at != hint) {
            unmap(mapped);
            return std::nullopt;
        }
    }
    return mapped;
}

std::vector<FileIdentity> identities_of(const std::vector<PartFile>& parts) {
    std::vector<FileIdentity> result;
    for (const PartFile& part : parts)
        result.push_back(part.identity);
    return result;
}

} // namespace

RegionHandle LeanLoaderModel::acquire(std::vector<PartFile> parts, Trust trust) {
    require_contiguous(parts);
    const std::lock_guard lock(mutex_);
    std::vector<FileIdentity> files = identities_of(parts);
    // A hostile file may change and keep its identity, so its copy is looked at each time.
    const bool is_known = trust == Trust::stable && accepted_.contains(files);
    if (auto mapped = try_map_all(parts)) {
        try {
            PartsValidator validator;
            for (std::size_t i = 0; !is_known && i < parts.size(); ++i) {
                validator.validate(parts[i], (*mapped)[i]);
            }
        } catch (...) {
            unmap(*mapped);
            throw;
        }
        ++stats_.modules_mapped;
        Mapped kept = keep_mapped(parts, files, *mapped);
        for (const FileIdentity& file : files)
            stats_.mapped_bytes += kept.is_new ? file.size_bytes : 0;
        accepted_.insert(std::move(files));
        return std::move(kept.region);
    }
    using Validate = RelocatedCopy::Validate;
    RelocatedCopy copy(parts, is_known ? Validate::no : Validate::yes);
    ++stats_.modules_relocated;
    for (const FileIdentity& file : files)
        stats_.relocated_bytes += file.size_bytes;
    accepted_.insert(std::move(files));
    return keep_copy(parts, std::move(copy));
}

LoaderModelStats LeanLoaderModel::stats() const {
    const std::lock_guard lock(mutex_);
    return stats_;
}

} // namespace leanhost::module
