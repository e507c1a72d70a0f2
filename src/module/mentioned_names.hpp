#pragma once

#include "module/region.hpp"
#include "object/constant_info.hpp"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace leanhost::module {

/// What a string literal, its type and the kernel's rules for it rest on without mentioning it. Not
/// every library has all of them.
inline constexpr std::array string_literal_names = {
    std::string_view("Nat"),          std::string_view("List"),
    std::string_view("List.nil"),     std::string_view("List.cons"),
    std::string_view("Char"),         std::string_view("Char.ofNat"),
    std::string_view("String"),       std::string_view("String.mk"),
    std::string_view("String.ofList")};

/// Reads what constants of one region mention, each term of a constant once.
///
/// One reader for one thread. Memory: 4 bytes for each 8 of the region. Borrows the region.
class MentionedNames {
public:
    explicit MentionedNames(const Region& region) {
        for (const Region::Part& part : region.parts()) {
            parts_.push_back({reinterpret_cast<std::uint64_t>(part.bytes.data()),
                              std::vector<std::uint32_t>(part.bytes.size() / 8 + 1)});
        }
    }

    /// Calls `on_name(NameRef, bool is_in_type)` for the constants that `constant`'s type, value
    /// and recursor rules mention (a projection mentions its structure), and
    /// `on_literal(bool is_nat)` for each literal. A name may be told several times.
    /// Throws MalformedObject.
    template <class OnName, class OnLiteral>
    void read(object::ConstantInfoRef constant, OnName&& on_name, OnLiteral&& on_literal) {
        ++stamp_;
        read_below(constant.type(), true, on_name, on_literal);
        if (constant.has_value())
            read_below(constant.value(), false, on_name, on_literal);
        if (constant.kind() == object::ConstantKind::recursor) {
            for (const object::RecursorRuleRef rule : constant.rules())
                read_below(rule.rhs(), false, on_name, on_literal);
        }
    }

private:
    using ExprRef = object::ExprRef;

    // Everything below `root` that was not met yet for this constant.
    template <class OnName, class OnLiteral>
    void read_below(ExprRef root, bool is_in_type, OnName& on_name, OnLiteral& on_literal) {
        todo_.push_back(root);
        while (!todo_.empty()) {
            const ExprRef term = todo_.back();
            todo_.pop_back();
            if (!is_new(term.object()))
                continue;
            const ExprRef::Kind kind = term.kind();
            if (kind == ExprRef::Kind::constant || kind == ExprRef::Kind::proj)
                on_name(term.name(), is_in_type);
            else if (kind == ExprRef::Kind::lit)
                on_literal(term.literal_is_nat());
            const ExprRef::ChildFields below = term.child_fields();
            for (unsigned i = 0; i < below.count; ++i)
                todo_.push_back(term.child(below.first + i));
        }
    }

    bool is_new(object::ObjectRef term) {
        for (Part& part : parts_) {
            const std::uint64_t slot = (term.word() - part.address) / 8;
            if (term.word() >= part.address && slot < part.stamps.size())
                return std::exchange(part.stamps[slot], stamp_) != stamp_;
        }
        return true; // in no part: reading it fails
    }

    /// For each 8 bytes of a part the constant for which a term there was met last, so that nothing
    /// is cleared between constants.
    struct Part {
        std::uint64_t address;
        std::vector<std::uint32_t> stamps;
    };
    std::vector<Part> parts_;
    std::uint32_t stamp_ = 0;
    std::vector<ExprRef> todo_; // empty between calls, unless one threw
};

} // namespace leanhost::module
