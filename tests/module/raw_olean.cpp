#include "module/raw_olean.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace leanhost::test {
namespace {

constexpr std::uint64_t object_area_of_v0 = 0; // pointers are offsets from the end of the header

std::uint64_t first_object_address(const module::OleanVersion& version, std::uint64_t base) {
    return version.has_base_address ? base + version.header_bytes + 8 : object_area_of_v0;
}

void append(Bytes& bytes, std::string_view text) {
    const auto* const from = reinterpret_cast<const std::byte*>(text.data());
    bytes.insert(bytes.end(), from, from + text.size());
}

void append(Bytes& bytes, const Bytes& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

} // namespace

const module::OleanVersion& version_named(std::string_view id) {
    for (const module::OleanVersion& version : module::olean_versions()) {
        if (version.id == id)
            return version;
    }
    throw std::invalid_argument("no such version");
}

RawOlean::RawOlean(std::string_view version, std::uint64_t base)
    : objects(first_object_address(version_named(version), base),
              !version_named(version).has_base_address),
      version_(&version_named(version)), base_(base) {}

Bytes RawOlean::header() const {
    Bytes bytes;
    append(bytes, version_->id == "v0" || version_->id == "v0b" ? "oleanfile!!!!!!!" : "olean");
    if (version_->id == "v1")
        append(bytes, "\1" + std::string(42, 'h'));
    if (version_->id == "v2")
        append(bytes, "\2\1" + std::string(33, 'v') + std::string(40, 'h'));
    if (!version_->has_base_address)
        return bytes;
    bytes.resize(version_->header_bytes);
    store(bytes, version_->header_bytes - 8, base_);
    return bytes;
}

Bytes RawOlean::file(std::uint64_t root) const {
    Bytes bytes = header();
    const auto append_root = [&] {
        bytes.resize(bytes.size() + 8);
        store(bytes, bytes.size() - 8, root);
    };
    if (!version_->root_is_last)
        append_root();
    append(bytes, objects.bytes());
    if (version_->root_is_last) {
        bytes.resize(bytes.size() + 8);
        store(bytes, bytes.size() - 8, 0xff00030000000010); // the terminator of 2020
        append_root();
    }
    return bytes;
}

std::size_t RawOlean::offset(std::uint64_t word) const {
    return version_->has_base_address ? word - base_ : word + version_->header_bytes;
}

std::size_t RawOlean::root_offset() const {
    return version_->root_is_last ? version_->header_bytes + objects.bytes().size() + 8
                                  : version_->header_bytes;
}

std::uint64_t RawOlean::module_data(std::uint64_t imports,
                                    std::uint64_t constant_names,
                                    std::uint64_t constants,
                                    std::uint64_t extra_names,
                                    std::uint64_t entries) {
    if (version_->id == "v0")
        return objects.ctor(0, {imports, constants, entries});
    const std::vector<std::uint64_t> fields = {imports, constant_names, constants, extra_names,
                                               entries};
    return version_->id == "v2" ? objects.ctor(0, fields, {0}) : objects.ctor(0, fields);
}

std::uint64_t RawOlean::empty_module_data() {
    const std::uint64_t none = objects.array({});
    return module_data(none, none, none, none, none);
}

Bytes empty_module(std::string_view version, std::uint64_t base) {
    RawOlean olean(version, base);
    return olean.file(olean.empty_module_data());
}

Bytes read_file(const std::filesystem::path& path) {
    Bytes bytes(std::filesystem::file_size(path));
    std::ifstream in(path, std::ios::binary);
    in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!in)
        throw std::runtime_error("cannot read " + path.string());
    return bytes;
}

std::string_view as_text(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void store(Bytes& bytes, std::size_t offset, std::uint64_t word) {
    std::memcpy(bytes.data() + offset, &word, sizeof(word));
}

std::uint64_t load(const Bytes& bytes, std::size_t offset) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + offset, sizeof(word));
    return word;
}

void* take_place(std::uint64_t address, std::size_t bytes) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
#ifdef __SANITIZE_THREAD__
    flags |= MAP_FIXED; // else it maps page 0 instead of refusing
#endif
    void* const wanted = reinterpret_cast<void*>(address);
    void* const at = ::mmap(wanted, bytes, PROT_NONE, flags, -1, 0);
    if (at == wanted)
        return at;
    if (at != MAP_FAILED)
        ::munmap(at, bytes);
    return nullptr;
}

// Sanitizers keep large parts of the address space to themselves, not the same ones, so try.
std::uint64_t free_base_address(std::size_t bytes) {
    for (std::uint64_t base = 0x10000000; base < module::max_base_address; base += base / 4) {
        const std::uint64_t aligned = base & ~(module::base_address_alignment - 1);
        if (void* const at = take_place(aligned, bytes)) {
            ::munmap(at, bytes);
            return aligned;
        }
    }
    throw std::runtime_error("no free place in the address space");
}

} // namespace leanhost::test
