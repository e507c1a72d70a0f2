#include "module/region_in_memory.hpp"

#include "module/part_validator.hpp"
#include "module/relocation.hpp"

namespace leanhost::test {

RegionInMemory::RegionInMemory(const Bytes& file)
    : block_(std::make_unique<std::byte[]>(file.size())) {
    std::memcpy(block_.get(), file.data(), file.size());
    const std::span<std::byte> bytes(block_.get(), file.size());
    auto header = module::read_olean_header(bytes);
    if (!header) {
        const Error& error = header.error();
        throw Failure(Error(error.code(), path + (": " + error.message()), error.facts())
                          .with("file", std::string(path)));
    }
    try {
        static_cast<void>(module::validate_part({bytes, &*header}, {}));
    } catch (const module::BadPart& bad) {
        module::fail_in_file(path, bad.offset(), bad.what());
    }
    const auto address = reinterpret_cast<std::uint64_t>(bytes.data());
    module::relocate_part(bytes, *header, address - header->base_address);
    region_.emplace(
        std::vector<module::Region::Part>{
            {path, module::PartKind::olean, {}, *std::move(header), bytes}},
        true);
}

object::ObjectRef RegionInMemory::object(std::size_t offset) const {
    return object::ObjectRef(reinterpret_cast<std::uint64_t>(block_.get()) + offset);
}

} // namespace leanhost::test
