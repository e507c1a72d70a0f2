#pragma once

#include "regions/region_table.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace leanhost::regions::test {

inline constexpr std::size_t page = 4096;

struct FakeFile {
    FileIdentity identity;
    std::uint64_t mapped_device = 0; ///< what mappings show; some file systems' differs from fstat
    std::uint64_t path = 0;          ///< stands for its hash; 0: deleted, or replaced
    std::vector<unsigned char> content;
    bool is_regular = true;
};

struct FakePage {
    int file = -1; ///< descriptor; -1: anonymous
    std::uint64_t offset = 0;
    int protection = 0;
    bool is_shared = false;

    bool operator==(const FakePage&) const = default;
};

/// A model of an address space, page by page, and of files; a `System` for RegionTable. A
/// descriptor is a file's number. An address is kept only as a number, unless the test maps at
/// addresses of real memory; then `read_at` writes there.
///
/// Thread-safe, but for the switches, which are set before threads begin.
class FakeSystem {
public:
    // What a test may turn.
    bool can_query = true;                     ///< PROCMAP_QUERY; off: as before Linux 6.11
    bool can_list = true;                      ///< /proc/self/maps
    bool has_memory = true;                    ///< for `storage`
    int unmap_error = 0;                       ///< negative errno that the next munmap fails with
    int protect_error = 0;                     ///< the same, of mprotect
    bool records = true;                       ///< every call into `calls`
    std::int64_t time_ms = 5000;               ///< of `now_ms`
    std::uintptr_t elsewhere = 0x7e0000000000; ///< where a mapping lands that has no place
    std::function<void(int fd)> on_read;       ///< before a read of more than a header

    /// "munmap 1000 2000" and so on, in hexadecimal, the mappings' calls only.
    std::vector<std::string> take_calls() {
        const std::lock_guard lock(mutex_);
        return std::exchange(calls_, {});
    }

    /// A Lean module of `pages` pages, or of fewer bytes when `bytes` says so, opened.
    int add_module(std::uintptr_t base, std::size_t pages, std::size_t bytes = 0) {
        FakeFile file;
        file.content.assign(bytes != 0 ? bytes : pages * page, 0);
        for (std::size_t i = 0; i < file.content.size(); ++i)
            file.content[i] = static_cast<unsigned char>(i * 31 + files_.size());
        std::memcpy(file.content.data(), "olean\2", 6);
        std::memcpy(file.content.data() + 80, &base, sizeof base);
        return add_file(std::move(file));
    }
    int add_file(FakeFile file) {
        const std::lock_guard lock(mutex_);
        const auto number = static_cast<int>(files_.size());
        if (file.identity == FileIdentity{}) {
            file.identity = {.device = 8,
                             .inode = 100 + files_.size(),
                             .size = 0,
                             .mtime_s = 1,
                             .mtime_ns = 2,
                             .ctime_s = 3,
                             .ctime_ns = 4};
        }
        file.identity.size = file.content.size();
        file.mapped_device = file.identity.device;
        if (file.path == 0)
            file.path = 1000 + files_.size();
        files_.push_back(std::move(file));
        return number;
    }
    FakeFile& file(int fd) { return files_[static_cast<std::size_t>(fd)]; }

    /// The page at `address`; null when nothing is there.
    const FakePage* page_at(std::uintptr_t address) const {
        const std::lock_guard lock(mutex_);
        return find(address);
    }
    /// Whether all of [begin, end) is the file from `offset` on, read-only.
    bool shows(std::uintptr_t begin, std::size_t pages, int fd, std::uint64_t offset = 0) const {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = 0; i < pages; ++i) {
            const FakePage* const there = find(begin + i * page);
            if (there == nullptr || *there != FakePage{fd, offset + i * page, PROT_READ, false})
                return false;
        }
        return true;
    }
    std::size_t mapped_pages() const {
        const std::lock_guard lock(mutex_);
        return pages_.size();
    }
    /// Of all threads together: how deep signals are blocked.
    int blocked() const { return blocked_; }
    std::size_t storage_bytes() const { return storage_bytes_; }

    // Behind the table's back.
    void raw_unmap(std::uintptr_t begin, std::size_t pages) {
        const std::lock_guard lock(mutex_);
        clear(begin, begin + pages * page);
    }
    void raw_protect(std::uintptr_t begin, std::size_t pages, int protection) {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = 0; i < pages; ++i)
            pages_.at(begin + i * page).protection = protection;
    }
    void raw_map(std::uintptr_t begin, std::size_t pages, const FakePage& first) {
        const std::lock_guard lock(mutex_);
        put(begin, pages * page, first);
    }

    // The System of RegionTable.
    std::intptr_t map(const MapRequest& request) {
        const std::lock_guard lock(mutex_);
        record("mmap", {request.address, request.length, unsigned_of(request.protection),
                        unsigned_of(request.flags), unsigned_of(request.fd),
                        static_cast<std::uint64_t>(request.offset)});
        const bool is_anonymous = (request.flags & MAP_ANONYMOUS) != 0;
        const bool is_fixed = (request.flags & MAP_FIXED) != 0;
        const bool must_be_free = (request.flags & MAP_FIXED_NOREPLACE) != 0;
        if (request.length == 0 || (is_fixed && request.address % page != 0))
            return -EINVAL;
        if (!is_anonymous && !is_open(request.fd))
            return -EBADF;
        std::uintptr_t at = request.address & ~(page - 1);
        const std::size_t length = whole(request.length);
        if (is_fixed) {
            clear(at, at + length);
        } else if (at == 0 || !is_free(at, at + length)) {
            if (must_be_free)
                return -EEXIST;
            at = take_elsewhere(length);
        }
        put(at, length,
            {is_anonymous ? -1 : request.fd,
             is_anonymous ? 0 : static_cast<std::uint64_t>(request.offset), request.protection,
             (request.flags & MAP_SHARED) != 0});
        return static_cast<std::intptr_t>(at);
    }

    int unmap(std::uintptr_t address, std::size_t length) {
        const std::lock_guard lock(mutex_);
        record("munmap", {address, length});
        if (const int error = std::exchange(unmap_error, 0); error != 0)
            return error;
        if (address % page != 0 || length == 0 || length > user_space ||
            address > user_space - length)
            return -EINVAL;
        clear(address, address + whole(length));
        return 0;
    }

    int protect(std::uintptr_t address, std::size_t length, int protection) {
        const std::lock_guard lock(mutex_);
        record("mprotect", {address, length, unsigned_of(protection)});
        if (const int error = std::exchange(protect_error, 0); error != 0)
            return error;
        if (address % page != 0)
            return -EINVAL;
        for (std::uintptr_t at = address; at < address + length; at += page) {
            const auto there = pages_.find(at);
            if (there == pages_.end())
                return -ENOMEM;
            there->second.protection = protection;
        }
        return 0;
    }

    std::intptr_t remap(std::uintptr_t address,
                        std::size_t length,
                        std::size_t new_length,
                        int flags,
                        std::uintptr_t new_address) {
        const std::lock_guard lock(mutex_);
        record("mremap", {address, length, new_length, unsigned_of(flags), new_address});
        if (address % page != 0 || length == 0 || new_length == 0)
            return -EINVAL;
        const std::size_t before = whole(length);
        const std::size_t after = whole(new_length);
        for (std::uintptr_t at = address; at < address + before; at += page) {
            if (find(at) == nullptr)
                return -EFAULT;
        }
        if ((flags & MREMAP_FIXED) != 0)
            return move(address, before, after, new_address);
        if (after <= before) {
            clear(address + after, address + before);
            return static_cast<std::intptr_t>(address);
        }
        if (is_free(address + before, address + after)) {
            extend(address, before, after);
            return static_cast<std::intptr_t>(address);
        }
        if ((flags & MREMAP_MAYMOVE) == 0)
            return -ENOMEM;
        return move(address, before, after, take_elsewhere(after));
    }

    bool identify(int fd, FileIdentity& identity) const {
        const std::lock_guard lock(mutex_);
        if (!is_open(fd) || !file_of(fd).is_regular)
            return false;
        identity = file_of(fd).identity;
        return true;
    }

    std::size_t read_at(int fd, void* to, std::size_t size, std::int64_t offset) const {
        if (size > olean_header_bytes && on_read)
            on_read(fd);
        const std::lock_guard lock(mutex_);
        if (!is_open(fd))
            return 0;
        const std::vector<unsigned char>& content = file_of(fd).content;
        const auto from = std::min(static_cast<std::size_t>(offset), content.size());
        const std::size_t taken = std::min(size, content.size() - from);
        std::memcpy(to, content.data() + from, taken);
        return taken;
    }

    std::uint64_t path_hash(int fd) const {
        const std::lock_guard lock(mutex_);
        return file_of(fd).path;
    }

    MappingAnswer mapping_at(std::uintptr_t address, Mapping& mapping) const {
        const std::lock_guard lock(mutex_);
        if (!can_query)
            return MappingAnswer::cannot_say;
        const auto there = pages_.find(address & ~(page - 1));
        if (there == pages_.end())
            return MappingAnswer::nothing_there;
        auto first = there;
        while (first != pages_.begin() && continues(*std::prev(first), *first))
            --first;
        mapping = run_from(first).first;
        return MappingAnswer::found;
    }

    template <class Visit>
    void list_mappings(const Visit& visit) const {
        const std::lock_guard lock(mutex_);
        ++listings_;
        for (auto at = pages_.begin(); can_list && at != pages_.end();) {
            const auto [mapping, next] = run_from(at);
            visit(mapping);
            at = next;
        }
    }
    int listings() const { return listings_; }

    void* storage(std::size_t bytes) {
        if (!has_memory)
            return nullptr;
        storage_bytes_ += bytes;
        return std::calloc(1, bytes);
    }
    void give_back(void* storage, std::size_t bytes) {
        storage_bytes_ -= bytes;
        std::free(storage);
    }

    std::int64_t now_ms() const { return time_ms; }

    struct SignalSet {};
    SignalSet block_signals() {
        ++blocked_;
        return {};
    }
    void restore_signals(SignalSet) { --blocked_; }

    void log_event(LeanhostRegionsMode, const char*, const Region&) const {}
    void log_refusal(LeanhostRegionsMode, int, std::uintptr_t) const {}

private:
    using Pages = std::map<std::uintptr_t, FakePage>;
    static constexpr std::uintptr_t user_space = (std::uintptr_t{1} << 47) - page;

    static std::uint64_t unsigned_of(int value) { return static_cast<unsigned>(value); }
    static std::size_t whole(std::size_t length) { return (length + page - 1) & ~(page - 1); }

    bool is_open(int fd) const { return fd >= 0 && static_cast<std::size_t>(fd) < files_.size(); }
    const FakeFile& file_of(int fd) const { return files_[static_cast<std::size_t>(fd)]; }

    const FakePage* find(std::uintptr_t address) const {
        const auto there = pages_.find(address & ~(page - 1));
        return there == pages_.end() ? nullptr : &there->second;
    }
    bool is_free(std::uintptr_t begin, std::uintptr_t end) const {
        const auto next = pages_.lower_bound(begin);
        return next == pages_.end() || next->first >= end;
    }
    void clear(std::uintptr_t begin, std::uintptr_t end) {
        pages_.erase(pages_.lower_bound(begin), pages_.lower_bound(end));
    }
    void put(std::uintptr_t at, std::size_t length, FakePage first) {
        for (std::uintptr_t end = at + length; at < end; at += page) {
            pages_[at] = first;
            first.offset += first.file >= 0 ? page : 0;
        }
    }
    void extend(std::uintptr_t at, std::size_t before, std::size_t after) {
        FakePage first = pages_.at(at);
        first.offset += first.file >= 0 ? before : 0;
        put(at + before, after - before, first);
    }
    std::intptr_t
    move(std::uintptr_t from, std::size_t before, std::size_t after, std::uintptr_t to) {
        Pages moved;
        for (std::size_t i = 0; i < before; i += page)
            moved[to + i] = pages_.at(from + i);
        clear(from, from + before);
        clear(to, to + after);
        moved.erase(moved.lower_bound(to + after), moved.end());
        pages_.merge(moved);
        if (after > before)
            extend(to, before, after);
        return static_cast<std::intptr_t>(to);
    }
    std::uintptr_t take_elsewhere(std::size_t length) {
        while (!is_free(elsewhere, elsewhere + length))
            elsewhere += page;
        return std::exchange(elsewhere, elsewhere + length + page);
    }

    // As the kernel merges: one mapping for pages that go on where the page before ends.
    static bool continues(const Pages::value_type& a, const Pages::value_type& b) {
        FakePage next = a.second;
        next.offset += next.file >= 0 ? page : 0;
        return a.first + page == b.first && next == b.second;
    }
    std::pair<Mapping, Pages::const_iterator> run_from(Pages::const_iterator first) const {
        auto last = first;
        while (std::next(last) != pages_.end() && continues(*last, *std::next(last)))
            ++last;
        Mapping mapping;
        mapping.begin = first->first;
        mapping.end = last->first + page;
        mapping.is_read_only = first->second.protection == PROT_READ;
        mapping.is_shared = first->second.is_shared;
        if (first->second.file >= 0) {
            const FakeFile& file = file_of(first->second.file);
            mapping.offset = first->second.offset;
            mapping.device = file.mapped_device;
            mapping.inode = file.identity.inode;
            mapping.path_hash = file.path;
        }
        return {mapping, std::next(last)};
    }

    void record(const char* name, std::initializer_list<std::uint64_t> arguments) {
        if (!records)
            return;
        std::string call = name;
        for (const std::uint64_t argument : arguments) {
            char text[20];
            std::snprintf(text, sizeof text, " %zx", static_cast<std::size_t>(argument));
            call += text;
        }
        calls_.push_back(std::move(call));
    }

    mutable std::mutex mutex_;
    std::vector<FakeFile> files_;
    Pages pages_;
    std::vector<std::string> calls_;
    mutable int listings_ = 0;
    std::atomic<int> blocked_ = 0;
    std::size_t storage_bytes_ = 0;
};

} // namespace leanhost::regions::test
