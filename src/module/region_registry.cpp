#include "module/region_registry.hpp"

#include "base/require.hpp"
#include "memory/named_mapping.hpp"
#include "module/parts_validator.hpp"
#include "module/relocated_copy.hpp"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>

namespace leanhost::module {
namespace {

using memory::NamedMapping;

// The files of a region, or of a part together with the parts before it: a later part was validated
// against just those, and points into them. Sealed copies and mapped files do not stand in for each
// other.
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
    for (const PartFile& part : parts)
        key.files.push_back(part.identity);
    return key;
}

// Map there or nowhere. The thread sanitizer keeps most of the address space to itself; asked for a
// place in it, it understands MAP_FIXED as a demand and refuses, but takes MAP_FIXED_NOREPLACE
// alone for a hint, puts 0 in its place, and root then maps the null page.
#ifdef __SANITIZE_THREAD__
constexpr int only_there = MAP_FIXED | MAP_FIXED_NOREPLACE;
#else
constexpr int only_there = MAP_FIXED_NOREPLACE;
#endif

} // namespace

// One part at its base address, valid; shared by the regions that have it. Made and destroyed under
// its shard's mutex: the place must not be seen as taken by a mapping that is on its way out.
class MappedPart {
public:
    using Table = absl::flat_hash_map<Key, std::weak_ptr<MappedPart>>;

    /// Null when the place is taken, or lies where nothing may be mapped.
    static std::shared_ptr<MappedPart> try_map(const PartFile& part);

    MappedPart() = default;
    MappedPart(const MappedPart&) = delete;
    MappedPart& operator=(const MappedPart&) = delete;
    ~MappedPart() {
        if (!bytes_.empty())
            ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
        if (table_ != nullptr)
            table_->erase(key_);
    }

    std::span<const std::byte> bytes() const noexcept { return bytes_; }
    bool is_listed() const noexcept { return table_ != nullptr; }

    /// From now on others find it; only for a part that was validated.
    static void list(const std::shared_ptr<MappedPart>& part, Key key, Table& table) {
        part->key_ = std::move(key);
        table[part->key_] = part;
        part->table_ = &table;
    }

private:
    std::span<const std::byte> bytes_;
    Key key_;
    Table* table_ = nullptr;
};

std::shared_ptr<MappedPart> MappedPart::try_map(const PartFile& part) {
    const std::uint64_t base = part.header.base_address;
    const std::size_t bytes = part.identity.size_bytes;
    if (!part.header.version->has_base_address || base + bytes > max_base_address)
        return nullptr;
    auto mapped = std::make_shared<MappedPart>();
    void* const wanted = reinterpret_cast<void*>(base);
    void* const at = ::mmap(wanted, bytes, PROT_READ, MAP_PRIVATE | only_there, part.fd.get(), 0);
    if (at == MAP_FAILED) {
        if (errno != ENOMEM)
            return nullptr; // taken, or not to be had for another reason
        fail(ErrorCode::resource_exhausted,
             fmt::format("{}: cannot be mapped: {}; a process may have as many mappings as "
                         "vm.max_map_count says",
                         part.path.string(), std::strerror(errno)),
             {{"file", part.path.string()}});
    }
    mapped->bytes_ = {static_cast<const std::byte*>(at), bytes};
    // A kernel that does not know MAP_FIXED_NOREPLACE takes the base address as a hint.
    return at == wanted ? mapped : nullptr;
}

// Shared by the regions of more and of fewer parts of one module: the earlier parts do not know of
// the later ones.
struct PrivateCopy {
    NamedMapping mapping;
    std::uint64_t file_bytes;
};

struct RegionEntry {
    Key key;
    std::unique_ptr<const Region> region;
    std::vector<std::shared_ptr<MappedPart>> mapped; // empty when relocated
    std::shared_ptr<const PrivateCopy> copy;         // null when mapped
    std::uint64_t users = 0;                         // handles; guarded by the shard's mutex
};

struct RegistryState {
    // A module's files all belong to the shard of its first one, so that one mutex guards its
    // counts.
    struct Shard {
        mutable std::mutex mutex;
        MappedPart::Table mapped_parts;                                 // guarded by mutex
        absl::flat_hash_map<Key, std::unique_ptr<RegionEntry>> regions; // guarded by mutex
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

using MappedParts = std::vector<std::shared_ptr<MappedPart>>;

void validate_new_parts(RegistryState& state,
                        std::span<const PartFile> parts,
                        const MappedParts& mapped) {
    PartsValidator validator;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!mapped[i]->is_listed()) {
            validator.validate(parts[i], mapped[i]->bytes());
            state.validated_bytes += parts[i].identity.size_bytes;
        } else {
            const bool later_is_new =
                std::any_of(mapped.begin() + static_cast<std::ptrdiff_t>(i), mapped.end(),
                            [](const auto& part) { return !part->is_listed(); });
            validator.skip(parts[i], mapped[i]->bytes(), later_is_new);
        }
    }
}

// Maps each part at its base address or finds it there. Empty when a place is taken.
MappedParts
try_map_parts(RegistryState& state, Shard& shard, std::span<const PartFile> parts, Trust trust) {
    MappedParts mapped;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto there = shard.mapped_parts.find(key_of(parts.first(i + 1), trust));
        mapped.push_back(there != shard.mapped_parts.end() ? there->second.lock()
                                                           : MappedPart::try_map(parts[i]));
        if (mapped.back() == nullptr)
            return {};
    }
    validate_new_parts(state, parts, mapped);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (mapped[i]->is_listed())
            continue;
        MappedPart::list(mapped[i], key_of(parts.first(i + 1), trust), shard.mapped_parts);
    }
    return mapped;
}

std::unique_ptr<RegionEntry> mk_mapped_entry(std::vector<PartFile>& parts, MappedParts mapped) {
    PartBytes bytes;
    for (const auto& part : mapped)
        bytes.push_back(part->bytes());
    auto entry = std::make_unique<RegionEntry>();
    entry->region = std::make_unique<Region>(region_parts(parts, bytes), false);
    entry->mapped = std::move(mapped);
    return entry;
}

// Null, or the relocated region of a module that has the parts asked for and more.
const RegionEntry* find_wider_copy(const Shard& shard, const Key& key) {
    for (const auto& [have, entry] : shard.regions) {
        if (entry->copy != nullptr && have.trust == key.trust &&
            have.files.size() > key.files.size() &&
            std::equal(key.files.begin(), key.files.end(), have.files.begin())) {
            return entry.get();
        }
    }
    return nullptr;
}

std::unique_ptr<RegionEntry> mk_narrower_entry(std::vector<PartFile>& parts,
                                               const RegionEntry& wider) {
    PartBytes bytes;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        bytes.push_back(wider.region->parts()[i].bytes);
    }
    auto entry = std::make_unique<RegionEntry>();
    entry->region = std::make_unique<Region>(region_parts(parts, bytes), true);
    entry->copy = wider.copy;
    return entry;
}

std::unique_ptr<RegionEntry> mk_relocated_entry(RegistryState& state,
                                                std::vector<PartFile>& parts) {
    RelocatedCopy copy(parts, RelocatedCopy::Validate::yes);
    auto entry = std::make_unique<RegionEntry>();
    entry->region = std::make_unique<Region>(region_parts(parts, copy.part_bytes()), true);
    const std::uint64_t bytes = entry->region->size_bytes();
    entry->copy =
        std::make_shared<const PrivateCopy>(PrivateCopy{std::move(copy).mapping(), bytes});
    state.validated_bytes += bytes;
    return entry;
}

std::unique_ptr<RegionEntry>
mk_entry(RegistryState& state, Shard& shard, std::vector<PartFile>& parts, const Key& key) {
    if (const RegionEntry* wider = find_wider_copy(shard, key)) {
        return mk_narrower_entry(parts, *wider);
    }
    require_contiguous(parts);
    MappedParts mapped = try_map_parts(state, shard, parts, key.trust);
    return mapped.empty() ? mk_relocated_entry(state, parts)
                          : mk_mapped_entry(parts, std::move(mapped));
}

void release(RegistryState& state, RegionEntry* entry) noexcept {
    Shard& shard = state.shard_of(entry->key);
    const std::lock_guard lock(shard.mutex);
    if (--entry->users > 0)
        return;
    shard.regions.erase(shard.regions.find(entry->key)); // under the mutex: see MappedPart
}

} // namespace

RegionHandle::RegionHandle(std::shared_ptr<RegistryState> state, RegionEntry* entry) noexcept
    : region_(entry->region.get()), state_(std::move(state)), entry_(entry) {}

RegionHandle::RegionHandle(const RegionHandle& other)
    : region_(other.region_), state_(other.state_), entry_(other.entry_) {
    if (entry_ == nullptr)
        return;
    const std::lock_guard lock(state_->shard_of(entry_->key).mutex);
    ++entry_->users;
}

RegionHandle::RegionHandle(RegionHandle&& other) noexcept
    : region_(std::exchange(other.region_, nullptr)), state_(std::move(other.state_)),
      entry_(std::exchange(other.entry_, nullptr)) {}

RegionHandle& RegionHandle::operator=(RegionHandle other) noexcept {
    std::swap(region_, other.region_);
    std::swap(state_, other.state_);
    std::swap(entry_, other.entry_);
    return *this;
}

RegionHandle::~RegionHandle() {
    if (entry_ != nullptr)
        release(*state_, entry_);
}

RegionRegistry::RegionRegistry() : state_(std::make_shared<RegistryState>()) {}

RegionHandle RegionRegistry::acquire(std::vector<PartFile> parts, Trust trust) {
    LEANHOST_REQUIRE(!parts.empty());
    const Key key = key_of(parts, trust);
    Shard& shard = state_->shard_of(key);
    const std::lock_guard lock(shard.mutex);
    ++state_->acquired;
    const auto known = shard.regions.find(key);
    if (known != shard.regions.end()) {
        ++state_->shared;
        ++known->second->users;
        return RegionHandle(state_, known->second.get());
    }
    std::unique_ptr<RegionEntry> entry = mk_entry(*state_, shard, parts, key);
    entry->key = key;
    entry->users = 1;
    return RegionHandle(state_, shard.regions.emplace(key, std::move(entry)).first->second.get());
}

RegistryStats RegionRegistry::stats() const {
    RegistryStats stats;
    for (const Shard& shard : state_->shards) {
        const std::lock_guard lock(shard.mutex);
        stats.regions += shard.regions.size();
        stats.mapped_parts += shard.mapped_parts.size();
        for (const auto& [key, part] : shard.mapped_parts) {
            const std::uint64_t bytes = part.lock()->bytes().size();
            stats.mapped_bytes += bytes;
            if (key.trust == Trust::hostile)
                stats.sealed_bytes += bytes;
        }
        absl::flat_hash_set<const PrivateCopy*> copies;
        for (const auto& [key, entry] : shard.regions) {
            if (entry->copy == nullptr)
                continue;
            ++stats.relocated_regions;
            if (copies.insert(entry->copy.get()).second) {
                stats.relocated_bytes += entry->copy->file_bytes;
            }
        }
    }
    stats.acquired = state_->acquired;
    stats.shared = state_->shared;
    stats.validated_bytes = state_->validated_bytes;
    return stats;
}

} // namespace leanhost::module
