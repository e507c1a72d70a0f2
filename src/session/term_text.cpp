#include <leanhost/term.hpp>

#include <fmt/format.h>

namespace leanhost {
namespace {

// Writes a term until there is no more room. Binders are named x0, x1, … by depth. Recursion is
// bounded, and so is the work: what is shared is printed each time, but never beyond the room.
class TermText {
public:
    TermText(const TermTable& table, std::size_t max_bytes)
        : table_(table), max_bytes_(max_bytes) {}

    std::string take() && {
        if (is_full()) {
            out_.resize(character_start(max_bytes_));
            out_ += " …";
        }
        return std::move(out_);
    }

    void term(TermIndex index, std::uint32_t depth, bool is_atom) {
        constexpr std::uint32_t max_nesting = 1000;
        if (is_full())
            return;
        if (nesting_ > max_nesting) {
            out_ += "…";
            return;
        }
        ++nesting_;
        const TermNode& node = table_.terms()[index];
        const bool has_parentheses = is_atom && is_compound(node.kind);
        if (has_parentheses)
            out_ += '(';
        parts(index, node, depth);
        if (has_parentheses)
            out_ += ')';
        --nesting_;
    }

private:
    bool is_full() const noexcept { return out_.size() > max_bytes_; }

    std::size_t character_start(std::size_t at) const noexcept {
        constexpr unsigned char mask = 0xC0;
        while (at > 0 && (static_cast<unsigned char>(out_[at]) & mask) == 0x80)
            --at;
        return at;
    }

    static bool is_compound(TermKind kind) noexcept {
        return kind == TermKind::app || kind == TermKind::lam || kind == TermKind::pi ||
               kind == TermKind::let;
    }

    std::string name(std::uint32_t position) const { return table_.names()[position].to_string(); }

    void parts(TermIndex index, const TermNode& node, std::uint32_t depth) {
        switch (node.kind) {
        case TermKind::bvar:
            out_ += node.fields[0] < depth ? fmt::format("x{}", depth - 1 - node.fields[0])
                                           : fmt::format("#{}", node.fields[0] - depth);
            return;
        case TermKind::fvar:
            out_ += name(node.fields[0]);
            return;
        case TermKind::mvar:
            out_ += "?" + name(node.fields[0]);
            return;
        case TermKind::sort:
            return sort(node.fields[0]);
        case TermKind::constant:
            out_ += name(node.fields[0]);
            return levels(table_.levels_of(node));
        case TermKind::app:
            return application(index, depth);
        case TermKind::lam:
            return binder("fun", " => ", node, depth);
        case TermKind::pi:
            return binder("∀", ", ", node, depth);
        case TermKind::let:
            return let(node, depth);
        case TermKind::proj:
            term(node.fields[2], depth, true);
            out_ += fmt::format(".{}", std::uint64_t{node.fields[1]} + 1);
            return;
        case TermKind::nat:
            return natural(table_.texts()[node.fields[0]]);
        case TermKind::string:
            return string(table_.texts()[node.fields[0]]);
        }
    }

    void sort(LevelIndex of) {
        if (table_.levels()[of].kind == LevelKind::zero) {
            out_ += "Prop";
            return;
        }
        out_ += "Sort ";
        level(of, true, 0);
    }

    void binder(const char* what, const char* after, const TermNode& node, std::uint32_t depth) {
        out_ += fmt::format("{} x{} : ", what, depth);
        term(node.fields[0], depth, false);
        out_ += after;
        term(node.fields[1], depth + 1, false);
    }

    void let(const TermNode& node, std::uint32_t depth) {
        out_ += fmt::format("let x{} : ", depth);
        term(node.fields[0], depth, false);
        out_ += " := ";
        term(node.fields[1], depth, false);
        out_ += "; ";
        term(node.fields[2], depth + 1, false);
    }

    void application(TermIndex at, std::uint32_t depth) {
        std::vector<TermIndex> args;
        for (; table_.terms()[at].kind == TermKind::app; at = table_.terms()[at].fields[0])
            args.push_back(table_.terms()[at].fields[1]);
        term(at, depth, true);
        for (auto arg = args.rbegin(); arg != args.rend() && !is_full(); ++arg) {
            out_ += ' ';
            term(*arg, depth, true);
        }
    }

    // Up to 64 bits as a number, beyond it in hexadecimal digits.
    void natural(const std::string& bytes) {
        if (bytes.size() <= sizeof(std::uint64_t)) {
            std::uint64_t value = 0;
            for (std::size_t i = bytes.size(); i-- > 0;)
                value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
            out_ += std::to_string(value);
            return;
        }
        out_ += fmt::format("0x{:x}", static_cast<unsigned char>(bytes.back()));
        for (std::size_t i = bytes.size() - 1; i-- > 0 && !is_full();)
            out_ += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
    }

    void string(std::string_view text) {
        out_ += '"';
        for (const char c : text.substr(0, max_bytes_)) {
            if (c == '"' || c == '\\')
                out_ += '\\';
            if (c == '\n')
                out_ += "\\n";
            else
                out_ += c;
        }
        out_ += '"';
    }

    void levels(std::span<const LevelIndex> list) {
        if (list.empty())
            return;
        out_ += ".{";
        for (std::size_t i = 0; i < list.size() && !is_full(); ++i) {
            if (i > 0)
                out_ += ", ";
            level(list[i], false, 0);
        }
        out_ += '}';
    }

    void level(LevelIndex of, bool is_atom, unsigned nesting) {
        constexpr unsigned max_nesting = 200;
        if (is_full())
            return;
        if (nesting > max_nesting) {
            out_ += "…";
            return;
        }
        std::uint32_t offset = 0;
        for (; table_.levels()[of].kind == LevelKind::succ; of = table_.levels()[of].fields[0])
            ++offset;
        const LevelNode& node = table_.levels()[of];
        if (node.kind == LevelKind::zero) {
            out_ += std::to_string(offset);
            return;
        }
        const bool is_named = node.kind == LevelKind::param || node.kind == LevelKind::mvar;
        const bool has_parentheses = is_atom && (offset > 0 || !is_named);
        if (has_parentheses)
            out_ += '(';
        if (is_named) {
            out_ += (node.kind == LevelKind::mvar ? "?" : "") + name(node.fields[0]);
        } else {
            out_ += level_kind_name(node.kind);
            for (const LevelIndex side : node.fields) {
                out_ += ' ';
                level(side, true, nesting + 1);
            }
        }
        if (offset > 0)
            out_ += fmt::format("+{}", offset);
        if (has_parentheses)
            out_ += ')';
    }

    const TermTable& table_;
    const std::size_t max_bytes_;
    std::uint32_t nesting_ = 0;
    std::string out_;
};

} // namespace

std::string term_text(const Term& term, std::size_t max_bytes) {
    if (term.root >= term.table.terms().size())
        return "(no term)";
    TermText text(term.table, max_bytes);
    text.term(term.root, 0, false);
    return std::move(text).take();
}

} // namespace leanhost
