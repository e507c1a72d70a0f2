#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
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

/// An open-addressed set of non-zero 32-bit handles whose contents stand elsewhere: what
/// hash-consing looks things up in. Equality and hash are given at each call.
class HandleTable {
public:
    explicit HandleTable(std::uint32_t slots) : slots_(slots, 0), mask_(slots - 1) {}

    template <class Equal>
    std::uint32_t find(std::uint64_t hash, Equal&& equal) const {
        for (std::uint32_t i = static_cast<std::uint32_t>(hash) & mask_;; i = (i + 1) & mask_) {
            const std::uint32_t handle = slots_[i];
            if (handle == 0 || equal(handle))
                return handle;
        }
    }

    /// `handle` must not be in the set. `hash_of(handle)` is asked when the table grows.
    template <class HashOf>
    void insert(std::uint64_t hash, std::uint32_t handle, HashOf&& hash_of) {
        if ((count_ + 1) * 4 > slots_.size() * 3)
            grow(hash_of);
        place(hash, handle);
        ++count_;
    }

    void clear(std::uint32_t keep_slots) {
        if (slots_.size() > keep_slots) {
            std::vector<std::uint32_t>(keep_slots, 0).swap(slots_);
            mask_ = keep_slots - 1;
        } else if (count_ != 0) {
            std::fill(slots_.begin(), slots_.end(), 0);
        }
        count_ = 0;
    }
    std::size_t bytes() const noexcept { return slots_.size() * sizeof(std::uint32_t); }

private:
    void place(std::uint64_t hash, std::uint32_t handle) {
        std::uint32_t i = static_cast<std::uint32_t>(hash) & mask_;
        while (slots_[i] != 0)
            i = (i + 1) & mask_;
        slots_[i] = handle;
    }
    template <class HashOf>
    void grow(HashOf&& hash_of) {
        std::vector<std::uint32_t> old(slots_.size() * 2, 0);
        old.swap(slots_);
        mask_ = static_cast<std::uint32_t>(slots_.size() - 1);
        for (const std::uint32_t handle : old) {
            if (handle != 0)
                place(hash_of(handle), handle);
        }
    }

    std::vector<std::uint32_t> slots_;
    std::uint32_t mask_;
    std::size_t count_ = 0;
};

/// A map from non-zero keys to plain values, open-addressed; nothing is ever taken out of it but
/// everything at once.
template <class Key, class Value>
class KeyMap {
public:
    explicit KeyMap(std::uint32_t slots) : first_slots_(slots), slots_(slots), mask_(slots - 1) {}

    const Value* find(Key key) const noexcept {
        for (std::uint32_t i = index(key);; i = (i + 1) & mask_) {
            if (slots_[i].key == key)
                return &slots_[i].value;
            if (slots_[i].key == Key{})
                return nullptr;
        }
    }
    /// Replaces what stands under `key`.
    void put(Key key, Value value) {
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
    void clear() {
        if (count_ == 0)
            return;
        if (slots_.size() > first_slots_) {
            std::vector<Slot>(first_slots_).swap(slots_);
            mask_ = first_slots_ - 1;
        } else {
            std::fill(slots_.begin(), slots_.end(), Slot{});
        }
        count_ = 0;
    }
    std::size_t size() const noexcept { return count_; }
    std::size_t bytes() const noexcept { return slots_.size() * sizeof(Slot); }

private:
    struct Slot {
        Key key{};
        Value value{};
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
        std::vector<Slot> old(slots_.size() * 2);
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
    std::vector<Slot> slots_;
    std::uint32_t mask_;
    std::size_t count_ = 0;
};

} // namespace leanhost::kernel
