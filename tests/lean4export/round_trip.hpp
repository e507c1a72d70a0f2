#pragma once

#include "module/import_closure.hpp"
#include "module/lean4export/export_table.hpp"

#include <absl/container/flat_hash_set.h>

#include <map>
#include <string>
#include <vector>

namespace leanhost::test {

/// The modules below `directory` that `root` brings in.
module::ImportClosure
import_all(const std::filesystem::path& directory, const Name& root, module::RegionSource& regions);

/// Compares a table with modules made of it, term by term: kinds, names, levels, literals, binders
/// and all fields of constants. Knows nothing of how modules are made; terms of any depth.
class RoundTrip {
public:
    explicit RoundTrip(const module::lean4export::ExportTable& table) : table_(table) {}

    /// Every constant of the table is in the closure and is the same, and there are no others.
    void compare(const module::ImportClosure& closure);

    /// What was found, at most ten of them; empty when nothing differs.
    const std::vector<std::string>& differences() const noexcept { return differences_; }
    std::size_t terms_compared() const noexcept { return terms_.size(); }

private:
    using Id = module::lean4export::Id;
    struct Pair {
        std::uint32_t item;
        object::ExprRef term;
    };

    void differ(const std::string& what);
    void expect(bool is_same, const char* what);
    void number(std::uint64_t expected, object::NatRef found, const char* what);
    void name(module::lean4export::NameIndex expected, object::NameRef found);
    void names(const std::vector<Id>& expected, object::ListRef<object::NameRef> found);
    void level(module::lean4export::LevelIndex expected, object::LevelRef found);
    void term(Id expected, object::ExprRef found);
    void one_term(Pair pair, std::vector<Pair>& todo);
    void constant(const module::lean4export::ExportConstant& expected,
                  object::ConstantInfoRef found);
    void fields(const module::lean4export::ExportConstant& expected, object::ConstantInfoRef found);
    void recursor(const module::lean4export::ExportConstant& expected,
                  object::ConstantInfoRef found);

    const module::lean4export::ExportTable& table_;
    std::string at_; // the constant that is compared
    std::vector<std::string> differences_;
    // Pairs that are settled: position in the table, address.
    using Settled = absl::flat_hash_set<std::pair<std::uint32_t, std::uint64_t>>;
    Settled names_;
    Settled levels_;
    Settled terms_;
};

} // namespace leanhost::test
