#pragma once

#include "kernel/check_export.hpp"

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

namespace leanhost::kernel::test {

/// Writes an export line by line; every function gives the id of what its line defines.
class ExportText {
public:
    using Id = unsigned;

    ExportText();
    /// What can be written behind an export whose ids are all below `first_id`.
    explicit ExportText(Id first_id);

    Id name(const std::string& dotted);
    Id level_param(const std::string& name);
    Id level_succ(Id of);
    Id level_max(Id lhs, Id rhs);
    Id level_imax(Id lhs, Id rhs);

    Id bvar(unsigned index);
    Id sort(Id level);
    Id constant(const std::string& name, const std::vector<Id>& levels = {});
    Id app(Id function, const std::vector<Id>& args);
    Id lam(Id type, Id body);
    Id pi(Id type, Id body);
    Id let(Id type, Id value, Id body);
    Id proj(const std::string& type, unsigned index, Id structure);
    Id nat(const std::string& digits);
    Id string(const std::string& text);

    ExportText&
    axiom(const std::string& name, Id type, const std::vector<std::string>& params = {});
    ExportText& definition(const std::string& name,
                           Id type,
                           Id value,
                           const std::vector<std::string>& params = {},
                           const std::string& safety = "safe");
    ExportText& theorem(const std::string& name, Id type, Id value);
    /// A line as it is.
    ExportText& line(const std::string& text);

    /// inductive Nat with its recursor, as Lean declares it.
    ExportText& nat_type();
    /// inductive Bool : Type | false | true, with its recursor.
    ExportText& bool_type();
    /// Nat.add by recursion on the second argument; `wrong`: 5 is added to what comes out at 0.
    ExportText& nat_add(bool wrong);
    /// Eq and Eq.refl with the recursor.
    ExportText& eq_type();

    const std::string& text() const { return text_; }
    ExportReport check(const CheckOptions& options = {}) const;

private:
    Id term(const std::string& what);
    std::string list(const std::vector<Id>& ids) const;
    std::string names(const std::vector<std::string>& names);

    std::string text_;
    std::map<std::string, Id> names_;
    Id first_name_ = 1;
    Id next_level_ = 1;
    Id next_term_ = 0;
};

/// What is checked from a file of its own.
ExportReport check_text(const std::string& text, const CheckOptions& options = {});

} // namespace leanhost::kernel::test
