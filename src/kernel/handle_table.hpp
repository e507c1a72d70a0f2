#pragma once

#include "base/require.hpp"
#include "kernel/zeroed_slots.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace leanhost::kernel {

/// Spreads the bits of a key over all 64 bits.
inline std::uint64_t mix(std::uint64_t x) noexcept {
    x *= 0x9E3779B97F4A7C15ULL;
    return x ^ (x >> 32);
}
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    return mix(mix(a) ^ b);
}

/// An open-addressed set of the indices 1, 2, 3, … of an array's elements, of which a slot keeps,
/// where there is room, some bits of the hash as well: looking in vain then costs no look at an
/// element. Equality and hash are given at each call.
class IndexTable {
public:
    explicit IndexTable(std::uint32_t slots) : slots_(slots), mask_(slots - 1) {
        set_index_bits(smallest_index_bits);
    }

    /// Fetches what `find` with that hash will look at first.
    void prefetch(std::uint64_t hash) const {
        __builtin_prefetch(&slots_[static_cast<std::uint32_t>(hash) & mask_]);
    }

    /// The set as it was: what comes into it later is not seen. Holds until the set is cleared or,
    /// unless it keeps old slots, grows; meanwhile another thread may insert.
    struct View {
        const std::uint32_t* slots;
        std::uint32_t mask;
        std::uint32_t index_mask;
        std::uint32_t end; ///< of the indices that are seen

        /// 0: not there.
        template <class Equal>
        std::uint32_t find(std::uint64_t hash, Equal&& equal) const {
            const std::uint32_t tag = static_cast<std::uint32_t>(hash >> 32) & ~index_mask;
            for (std::uint32_t i = static_cast<std::uint32_t>(hash) & mask;; i = (i + 1) & mask) {
                const std::uint32_t slot = __atomic_load_n(&slots[i], __ATOMIC_RELAXED);
                if (slot == 0)
                    return 0;
                const std::uint32_t index = slot & index_mask;
                if ((slot & ~index_mask) == tag && index < end && equal(index))
                    return index;
            }
        }
    };
    View view(std::uint32_t end) const noexcept {
        return {slots_.begin(), mask_, index_mask_, end};
    }
    void keep_old_slots() noexcept { keeps_old_ = true; }

    /// 0: not there.
    template <class Equal>
    std::uint32_t find(std::uint64_t hash, Equal&& equal) const {
        return view(0xFFFFFFFF).find(hash, equal);
    }

    /// The index of an equal element or, if there is none, what `push` returns, which is in the set
    /// then. `hash_of(index)` is asked when the table grows.
    template <class Equal, class HashOf, class Push>
    std::uint32_t find_or_insert(std::uint64_t hash, Equal&& equal, HashOf&& hash_of, Push&& push) {
        const std::uint32_t tag = tag_of(hash);
        std::uint32_t i = static_cast<std::uint32_t>(hash) & mask_;
        while (const std::uint32_t slot = slots_[i]) {
            if ((slot & ~index_mask_) == tag && equal(slot & index_mask_))
                return slot & index_mask_;
            i = (i + 1) & mask_;
        }
        const std::uint32_t index = push();
        if ((count_ + 1) * 8 > slots_.size() * 5 || index > index_mask_) {
            grow(index, hash_of);
            place(hash, index);
        } else {
            __atomic_store_n(&slots_[i], index | tag, __ATOMIC_RELAXED);
        }
        ++count_;
        return index;
    }

    void clear(std::uint32_t keep_slots) {
        if (slots_.size() > keep_slots) {
            ZeroedSlots<std::uint32_t>(keep_slots).swap(slots_);
            mask_ = keep_slots - 1;
        } else if (count_ != 0) {
            slots_.zero();
        }
        count_ = 0;
    }
    /// With old slots that are kept: each half as many as the next.
    std::size_t bytes() const noexcept {
        std::size_t bytes = slots_.bytes();
        for (const auto& old : old_)
            bytes += old.bytes();
        return bytes;
    }
    std::size_t load_bytes() const noexcept { return count_ * sizeof(std::uint32_t); }

private:
    static constexpr unsigned smallest_index_bits = 20;

    void set_index_bits(unsigned bits) {
        index_mask_ = bits >= 32 ? 0xFFFFFFFF : (std::uint32_t{1} << bits) - 1;
    }
    std::uint32_t tag_of(std::uint64_t hash) const {
        return static_cast<std::uint32_t>(hash >> 32) & ~index_mask_;
    }
    void place(std::uint64_t hash, std::uint32_t index) {
        std::uint32_t i = static_cast<std::uint32_t>(hash) & mask_;
        while (slots_[i] != 0)
            i = (i + 1) & mask_;
        __atomic_store_n(&slots_[i], index | tag_of(hash), __ATOMIC_RELAXED);
    }
    template <class HashOf>
    void grow(std::uint32_t index, HashOf&& hash_of) {
        const std::uint32_t old_mask = index_mask_;
        const bool is_full = (count_ + 1) * 8 > slots_.size() * 5; // or else the index is too great
        ZeroedSlots<std::uint32_t> old(slots_.size() * (is_full ? 2 : 1));
        old.swap(slots_);
        mask_ = static_cast<std::uint32_t>(slots_.size() - 1);
        // Twice the index that is at hand: until then the table has grown again.
        set_index_bits(
            std::max(smallest_index_bits, static_cast<unsigned>(std::bit_width(index)) + 1));
        for (const std::uint32_t slot : old) {
            if (slot != 0)
                place(hash_of(slot & old_mask), slot & old_mask);
        }
        if (keeps_old_)
            old_.push_back(std::move(old));
    }

    ZeroedSlots<std::uint32_t> slots_;
    std::uint32_t mask_;
    std::uint32_t index_mask_ = 0;
    std::size_t count_ = 0;
    bool keeps_old_ = false;
    std::vector<ZeroedSlots<std::uint32_t>> old_; ///< which views may look at
};

/// A map from non-zero keys to plain values, open-addressed; nothing is ever taken out of it but
/// everything at once.
template <class Key, class Value>
class KeyMap {
public:
    explicit KeyMap(std::uint32_t slots) : first_slots_(slots), slots_(slots), mask_(slots - 1) {}

    /// Null for the key zero, which marks an empty slot.
    const Value* find(Key key) const noexcept {
        for (std::uint32_t i = index(key);; i = (i + 1) & mask_) {
            if (slots_[i].key == Key{})
                return nullptr;
            if (slots_[i].key == key)
                return &slots_[i].value;
        }
    }
    /// Replaces what stands under `key`, which is not zero.
    void put(Key key, Value value) {
        LEANHOST_REQUIRE(key != Key{});
        std::uint32_t i = index(key);
        while (slots_[i].key != Key{} && slots_[i].key != key)
            i = (i + 1) & mask_;
        if (slots_[i].key == Key{}) {
            if ((count_ + 1) * 4 > slots_.size() * 3) {
                grow();
                put(key, value);
                return;
            }
            ++count_;
            slots_[i].key = key;
        }
        slots_[i].value = value;
    }
    /// Keeps at most `keep_slots`.
    void clear(std::size_t keep_slots = 0) {
        if (count_ == 0)
            return;
        const std::size_t keep = std::max<std::size_t>(keep_slots, first_slots_);
        if (slots_.size() > keep) {
            ZeroedSlots<Slot>(keep).swap(slots_);
            mask_ = static_cast<std::uint32_t>(keep - 1);
        } else {
            slots_.zero();
        }
        count_ = 0;
    }
    std::size_t size() const noexcept { return count_; }
    std::size_t bytes() const noexcept { return slots_.size() * sizeof(Slot); }
    std::size_t load_bytes() const noexcept { return count_ * sizeof(Slot); }

private:
    struct Slot {
        Key key;
        Value value;
    };
    static std::uint64_t hash(std::uint64_t key) noexcept { return mix(key); }
    template <class K>
    static std::uint64_t hash(const K& key) noexcept requires requires {
        key.hash();
    }
    { return key.hash(); }
    std::uint32_t index(const Key& key) const noexcept {
        return static_cast<std::uint32_t>(hash(key)) & mask_;
    }
    void grow() {
        ZeroedSlots<Slot> old(slots_.size() * 2);
        old.swap(slots_);
        mask_ = static_cast<std::uint32_t>(slots_.size() - 1);
        for (const Slot& slot : old) {
            if (slot.key == Key{})
                continue;
            std::uint32_t i = index(slot.key);
            while (slots_[i].key != Key{})
                i = (i + 1) & mask_;
            slots_[i] = slot;
        }
    }

    std::uint32_t first_slots_;
    ZeroedSlots<Slot> slots_;
    std::uint32_t mask_;
    std::size_t count_ = 0;
};

} // namespace leanhost::kernel
