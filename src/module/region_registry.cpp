#include "module/region_registry.hpp"

#include "base/require.hpp"
#include "memory/named_mapping.hpp"
#include "module/part_validator.hpp"
#include "module/relocation.hpp"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>

namespace leanhost::module {
namespace {

using memory::NamedMapping;

// The files of a region, or of a part together with the parts before it: a later part was validated against
// just those, and points into them. Sealed copies and mapped files do not stand in for each other.
struct Key {
    Trust trust;
    std::vector<FileIdentity> files;

    bool operator==(const Key&) const = default;
    template <class H>
    friend H AbslHashValue(H h, const Key& key) {
        return H::combine(std::move(h), key.trust, key.files);
    }
};

Key key_of(std::span<const PartFile> parts, Trust trust) {
    Key key{trust, {}};
    for (const PartFile& part : parts) key.files.push_back(part.identity);
    return key;
}

// One part at its base address.
class MappedPart {
public:
    MappedPart(std::byte* at, std::size_t bytes) : at_(at), bytes_(bytes) {}
    MappedPart(const MappedPart&) = delete;
    MappedPart& operator=(const MappedPart&) = delete;
    ~MappedPart() { ::munmap(at_, bytes_); }

    std::span<const std::byte> bytes() const noexcept { return {at_, bytes_}; }
    std::uint64_t users = 0; // regions; guarded by the shard's mutex

private:
    std::byte* at_;
    std::size_t bytes_;
};

// Null when something else lies there, or may not.
std::unique_ptr<MappedPart> try_map_at_base(const PartFile& part) {
    if (!part.header.version->has_base_address) return nullptr;
    void* const base = reinterpret_cast<void*>(part.header.base_address);
    const std::size_t bytes = part.identity.size_bytes;
    void* const at =
        ::mmap(base, bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, part.fd.get(), 0);
    if (at == MAP_FAILED) return nullptr;
    auto mapped = std::make_unique<MappedPart>(static_cast<std::byte*>(at), bytes);
    // A kernel that does not know MAP_FIXED_NOREPLACE takes the base address as a hint.
    return at == base ? std::move(mapped) : nullptr;
}

// Validates the parts one by one, each against those before it.
class PartsValidator {
public:
    void validate(const PartFile& part, std::span<const std::byte> bytes) {
        const StartBitmap starts = [&] {
            try {
                return validate_part({bytes, &part.header}, earlier_);
            } catch (const BadPart& bad) {
                fail_in_file(part.path, bad.offset(), bad.what());
            }
        }();
        require_unchanged(part);
        add(part, bytes, starts);
    }
    // For a part that is mapped already, and so was validated with the same parts before it.
    void skip(const PartFile& part, std::span<const std::byte> bytes, bool starts_are_needed) {
        add(part, bytes,
            starts_are_needed ? object_starts({bytes, &part.header}) : StartBitmap(0));
    }

private:
    void add(const PartFile& part, std::span<const std::byte> bytes, StartBitmap starts) {
        bitmaps_.push_back(std::make_unique<StartBitmap>(std::move(starts)));
        earlier_.push_back({part.header.base_address, bytes.size(), bitmaps_.back().get()});
    }
    std::vector<std::unique_ptr<StartBitmap>> bitmaps_;
    std::vector<EarlierPart> earlier_;
};

// A later part starts at the first multiple of 64 KiB behind the part before it, as Lean writes them. It
// keeps a hostile header from asking for an address range of its own choice.
void require_contiguous(std::span<const PartFile> parts) {
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const PartFile& before = parts[i - 1];
        const std::uint64_t end = before.header.base_address + before.identity.size_bytes;
        const std::uint64_t expected =
            (end + base_address_alignment - 1) & ~(base_address_alignment - 1);
        if (parts[i].header.base_address != expected || !before.header.version->has_base_address) {
            fail_in_file(parts[i].path, parts[i].header.version->header_bytes - 8,
                         fmt::format("base address {:#x} does not follow {}: expected {:#x}; the parts "
                                     "are not of one build",
                                     parts[i].header.base_address, before.path.string(), expected));
        }
    }
}

void read_whole(const PartFile& part, std::span<std::byte> to) {
    std::size_t done = 0;
    while (done < to.size()) {
        const ssize_t n =
            ::pread(part.fd.get(), to.data() + done, to.size() - done, static_cast<off_t>(done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            fail(n == 0 ? ErrorCode::file_changed : ErrorCode::io,
                 fmt::format("{}: cannot read at offset {}: {}", part.path.string(), done,
                             n == 0 ? "the file became shorter" : std::strerror(errno)),
                 {{"file", part.path.string()}, {"offset", std::uint64_t{done}}});
        }
        done += static_cast<std::size_t>(n);
    }
}

std::span<std::byte> place_in_copy(NamedMapping& copy,
                                   std::span<const PartFile> parts,
                                   std::size_t i) {
    const std::uint64_t offset = parts[i].header.base_address - parts[0].header.base_address;
    return copy.bytes().subspan(offset, parts[i].identity.size_bytes);
}

// All parts in one private copy, at the distances that their base addresses have.
NamedMapping relocated_copy(std::span<const PartFile> parts) {
    const std::uint64_t base = parts.front().header.base_address;
    const std::uint64_t bytes =
        parts.back().header.base_address - base + parts.back().identity.size_bytes;
    NamedMapping copy(bytes, MappingClass::relocated_copies);
    PartsValidator validator;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto place = place_in_copy(copy, parts, i);
        read_whole(parts[i], place);
        validator.validate(parts[i], place);
    }
    const std::uint64_t delta = reinterpret_cast<std::uint64_t>(copy.data()) - base;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        relocate_part(place_in_copy(copy, parts, i), parts[i].header, delta);
    }
    copy.seal_read_only();
    return copy;
}

} // namespace

struct RegionEntry {
    Key key;
    std::unique_ptr<const Region> region;
    std::vector<MappedPart*> mapped; // empty when relocated
    NamedMapping copy;               // empty when mapped
    std::uint64_t users = 0;         // handles; guarded by the shard's mutex
};

struct RegistryState {
    // A module's files all belong to the shard of its first one, so that one mutex guards its counts.
    struct Shard {
        mutable std::mutex mutex;
        absl::flat_hash_map<Key, std::unique_ptr<MappedPart>> mapped_parts; // guarded by mutex
        absl::flat_hash_map<Key, std::unique_ptr<RegionEntry>> regions;     // guarded by mutex
    };
    std::array<Shard, 64> shards;
    std::atomic<std::uint64_t> acquired{0};
    std::atomic<std::uint64_t> shared{0};
    std::atomic<std::uint64_t> validated_bytes{0};

    Shard& shard_of(const Key& key) {
        return shards[absl::HashOf(key.files[0].device, key.files[0].inode) % shards.size()];
    }
};

namespace {

using Shard = RegistryState::Shard;

std::vector<Region::Part> region_parts(std::vector<PartFile>& parts,
                                       const std::vector<std::span<const std::byte>>& bytes) {
    std::vector<Region::Part> result;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        result.push_back({std::move(parts[i].path), parts[i].kind, parts[i].identity,
                          std::move(parts[i].header), bytes[i]});
    }
    return result;
}

// Parts that nobody uses any more are unmapped; also those that a failed attempt left behind.
void drop_unused_parts(Shard& shard) {
    absl::erase_if(shard.mapped_parts, [](const auto& part) { return part.second->users == 0; });
}

// A relocated copy of more parts serves for fewer: the earlier ones do not know of the later ones.
RegionEntry* find_relocated_with_prefix(Shard& shard, const Key& key) {
    for (auto& [have, entry] : shard.regions) {
        if (entry->region->is_relocated() && have.trust == key.trust &&
            have.files.size() > key.files.size() &&
            std::equal(key.files.begin(), key.files.end(), have.files.begin())) {
            return entry.get();
        }
    }
    return nullptr;
}

// Maps each part at its base address or finds it there. Empty when a place is taken.
std::vector<MappedPart*> try_map_parts(RegistryState& state,
                                       Shard& shard,
                                       std::span<const PartFile> parts,
                                       Trust trust) {
    std::vector<MappedPart*> result;
    std::vector<bool> is_new;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto& slot = shard.mapped_parts[key_of(parts.first(i + 1), trust)];
        is_new.push_back(slot == nullptr);
        if (slot == nullptr) slot = try_map_at_base(parts[i]);
        if (slot == nullptr) {
            shard.mapped_parts.erase(key_of(parts.first(i + 1), trust));
            return {};
        }
        result.push_back(slot.get());
    }
    PartsValidator validator;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (is_new[i]) {
            validator.validate(parts[i], result[i]->bytes());
            state.validated_bytes += parts[i].identity.size_bytes;
        } else {
            const bool later_is_new = std::find(is_new.begin() + static_cast<std::ptrdiff_t>(i),
                                                is_new.end(), true) != is_new.end();
            validator.skip(parts[i], result[i]->bytes(), later_is_new);
        }
    }
    return result;
}

std::unique_ptr<RegionEntry> mk_mapped_entry(std::vector<PartFile>& parts,
                                             std::vector<MappedPart*> mapped) {
    std::vector<std::span<const std::byte>> bytes;
    for (MappedPart* part : mapped) bytes.push_back(part->bytes());
    auto entry = std::make_unique<RegionEntry>();
    entry->region = std::make_unique<Region>(region_parts(parts, bytes), false);
    for (MappedPart* part : mapped) ++part->users;
    entry->mapped = std::move(mapped);
    return entry;
}

std::unique_ptr<RegionEntry> mk_relocated_entry(RegistryState& state,
                                                std::vector<PartFile>& parts) {
    auto entry = std::make_unique<RegionEntry>();
    entry->copy = relocated_copy(parts);
    std::vector<std::span<const std::byte>> bytes;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        bytes.push_back(place_in_copy(entry->copy, parts, i));
        state.validated_bytes += bytes.back().size();
    }
    entry->region = std::make_unique<Region>(region_parts(parts, bytes), true);
    return entry;
}

std::unique_ptr<RegionEntry> mk_entry(RegistryState& state,
                                      Shard& shard,
                                      std::vector<PartFile>& parts,
                                      Trust trust) {
    require_contiguous(parts);
    try {
        auto mapped = try_map_parts(state, shard, parts, trust);
        if (!mapped.empty()) return mk_mapped_entry(parts, std::move(mapped));
    } catch (...) {
        drop_unused_parts(shard);
        throw;
    }
    drop_unused_parts(shard);
    return mk_relocated_entry(state, parts);
}

void release(RegistryState& state, RegionEntry* entry) noexcept {
    Shard& shard = state.shard_of(entry->key);
    const std::lock_guard lock(shard.mutex);
    if (--entry->users > 0) return;
    for (MappedPart* part : entry->mapped) --part->users;
    shard.regions.erase(shard.regions.find(entry->key));
    drop_unused_parts(shard);
}

} // namespace

RegionHandle::RegionHandle(std::shared_ptr<RegistryState> state, RegionEntry* entry) noexcept
    : state_(std::move(state)), entry_(entry) {}

RegionHandle::RegionHandle(const RegionHandle& other) : state_(other.state_), entry_(other.entry_) {
    if (entry_ == nullptr) return;
    const std::lock_guard lock(state_->shard_of(entry_->key).mutex);
    ++entry_->users;
}

RegionHandle::RegionHandle(RegionHandle&& other) noexcept
    : state_(std::move(other.state_)), entry_(std::exchange(other.entry_, nullptr)) {}

RegionHandle& RegionHandle::operator=(RegionHandle other) noexcept {
    std::swap(state_, other.state_);
    std::swap(entry_, other.entry_);
    return *this;
}

RegionHandle::~RegionHandle() {
    if (entry_ != nullptr) release(*state_, entry_);
}

const Region& RegionHandle::operator*() const noexcept { return *entry_->region; }

RegionRegistry::RegionRegistry() : state_(std::make_shared<RegistryState>()) {}

RegionHandle RegionRegistry::acquire(std::vector<PartFile> parts, Trust trust) {
    LEANHOST_REQUIRE(!parts.empty());
    const Key key = key_of(parts, trust);
    Shard& shard = state_->shard_of(key);
    const std::lock_guard lock(shard.mutex);
    ++state_->acquired;
    auto& slot = shard.regions[key];
    RegionEntry* entry = slot != nullptr ? slot.get() : find_relocated_with_prefix(shard, key);
    if (entry != nullptr) {
        ++state_->shared;
    } else {
        try {
            slot = mk_entry(*state_, shard, parts, trust);
        } catch (...) {
            shard.regions.erase(key);
            throw;
        }
        slot->key = key;
        entry = slot.get();
    }
    ++entry->users;
    return RegionHandle(state_, entry);
}

RegistryStats RegionRegistry::stats() const {
    RegistryStats stats;
    for (const Shard& shard : state_->shards) {
        const std::lock_guard lock(shard.mutex);
        stats.regions += shard.regions.size();
        stats.mapped_parts += shard.mapped_parts.size();
        for (const auto& [key, part] : shard.mapped_parts) {
            stats.mapped_bytes += part->bytes().size();
            if (key.trust == Trust::hostile) stats.sealed_bytes += part->bytes().size();
        }
        for (const auto& [key, entry] : shard.regions) {
            if (!entry->region->is_relocated()) continue;
            ++stats.relocated_regions;
            stats.relocated_bytes += entry->region->size_bytes();
        }
    }
    stats.acquired = state_->acquired;
    stats.shared = state_->shared;
    stats.validated_bytes = state_->validated_bytes;
    return stats;
}

} // namespace leanhost::module
