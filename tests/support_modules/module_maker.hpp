#pragma once

#include "module/constant_builder.hpp"

#include <filesystem>
#include <span>
#include <vector>

namespace leanhost::test {

/// Makes one module with our own builder, for tests that need a module of a certain shape. It is
/// not checked: terms may be anything.
class ModuleMaker {
public:
    explicit ModuleMaker(const Name& module);

    module::TermBuilder& terms() { return terms_; }
    module::ConstantBuilder& constants() { return constants_; }

    module::BuiltRef prop() { return terms_.mk_sort(module::TermBuilder::level_zero()); }
    /// A constant without universe levels, as a term.
    module::BuiltRef constant(const Name& name);
    module::BuiltConstantHead
    head(const Name& name, module::BuiltRef type, std::span<const Name> universe_params = {});

    void import(const Name& module);
    void add(const module::BuiltConstant& constant) { added_.push_back(constant); }
    void add_axiom(const Name& name, module::BuiltRef type) {
        add(constants_.mk_axiom(head(name, type)));
    }
    void add_axiom(const Name& name) { add_axiom(name, prop()); }
    void add_theorem(const Name& name, module::BuiltRef type, module::BuiltRef value);

    /// The file's bytes. The maker is not to be used any more.
    std::vector<std::byte> bytes() &&;
    /// Writes the file to its place below `root`, replacing what is there by rename, and returns
    /// its path.
    std::filesystem::path write(const std::filesystem::path& root) &&;

private:
    Name module_;
    module::ObjectBuilder objects_;
    module::TermBuilder terms_{objects_};
    module::ConstantBuilder constants_{terms_};
    std::vector<module::BuiltImport> imports_;
    std::vector<module::BuiltConstant> added_;
};

/// A module that imports `imports` and holds axioms of type Prop.
std::filesystem::path write_module(const std::filesystem::path& root,
                                   const Name& module,
                                   const std::vector<Name>& imports = {},
                                   const std::vector<Name>& axioms = {});

/// Puts `bytes` at `path`, by rename, and makes what folders lead there.
void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

std::vector<std::byte> file_bytes(const std::filesystem::path& path);

} // namespace leanhost::test
