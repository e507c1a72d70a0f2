#include "support_modules/module_maker.hpp"

#include "module/olean_writer.hpp"

#include <fstream>
#include <stdexcept>

namespace leanhost::test {

using module::BuiltRef;

ModuleMaker::ModuleMaker(const Name& module)
    : module_(module), objects_(module::base_address_of(module.hash())) {}

BuiltRef ModuleMaker::constant(const Name& name) {
    return terms_.mk_const(terms_.mk_name(name), {});
}

module::BuiltConstantHead
ModuleMaker::head(const Name& name, BuiltRef type, std::span<const Name> universe_params) {
    std::vector<BuiltRef> params;
    for (const Name& param : universe_params)
        params.push_back(terms_.mk_name(param));
    return {terms_.mk_name(name), terms_.mk_list(params), type};
}

void ModuleMaker::import(const Name& module) {
    imports_.push_back({terms_.mk_name(module)});
}

void ModuleMaker::add_theorem(const Name& name, BuiltRef type, BuiltRef value) {
    const BuiltRef all[] = {terms_.mk_name(name)};
    add(constants_.mk_theorem(head(name, type), value, terms_.mk_list(all)));
}

std::vector<std::byte> ModuleMaker::bytes() && {
    objects_.finish_part(constants_.mk_module_data({imports_, added_, {}, {}, false}));
    std::vector<module::BuiltPart> parts = std::move(objects_).take_parts();
    write_header_v2(parts[0], {"4.29.0", "a hash of a test"});
    return std::move(parts[0].bytes);
}

std::filesystem::path ModuleMaker::write(const std::filesystem::path& root) && {
    std::filesystem::path path = root;
    for (const auto& component : module_.components()) {
        path /= component.is_number ? std::to_string(component.number) : component.text;
    }
    path += ".olean";
    replace_file(path, std::move(*this).bytes());
    return path;
}

std::filesystem::path write_module(const std::filesystem::path& root,
                                   const Name& module,
                                   const std::vector<Name>& imports,
                                   const std::vector<Name>& axioms) {
    ModuleMaker maker(module);
    for (const Name& import : imports)
        maker.import(import);
    for (const Name& axiom : axioms)
        maker.add_axiom(axiom);
    return std::move(maker).write(root);
}

void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    std::filesystem::create_directories(path.parent_path());
    const std::filesystem::path temporary = path.string() + ".new";
    std::ofstream file(temporary, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file)
        throw std::runtime_error("cannot write " + temporary.string());
    std::filesystem::rename(temporary, path);
}

std::vector<std::byte> file_bytes(const std::filesystem::path& path) {
    std::vector<std::byte> bytes(std::filesystem::file_size(path));
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file)
        throw std::runtime_error("cannot read " + path.string());
    return bytes;
}

} // namespace leanhost::test
