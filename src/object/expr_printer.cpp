#include "object/expr_printer.hpp"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/container/node_hash_set.h>

#include <deque>
#include <vector>

namespace leanhost::object {
namespace {

// Bytes of `text` without the beginnings of a character at its end.
std::size_t whole_characters(std::string_view text) {
    std::size_t at = text.size();
    while (at > 0 && (static_cast<unsigned char>(text[at - 1]) & 0xC0U) == 0x80U)
        --at;
    if (at == 0)
        return 0;
    const auto lead = static_cast<unsigned char>(text[--at]);
    const std::size_t bytes = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return at + bytes <= text.size() ? text.size() : at;
}

// Text up to a bound; what comes after it is not kept.
class BoundedText {
public:
    explicit BoundedText(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    // An object was passed that prints as nothing. They count, because all that does print may
    // share one long chain of them.
    void pass() {
        if (++passed_ == max_passed)
            is_full_ = true;
    }
    void add(std::string_view text) {
        if (is_full_)
            return;
        if (text_.size() + text.size() > max_bytes_) {
            is_full_ = true;
            text = text.substr(0, max_bytes_ - text_.size());
        }
        text_ += text;
    }
    bool is_full() const { return is_full_; }
    std::size_t bytes_left() const { return max_bytes_ - text_.size(); }

    PrintedTerm finish() && {
        if (is_full_) {
            text_.resize(whole_characters(text_));
            text_ += "…";
        }
        return {std::move(text_), is_full_};
    }

private:
    static constexpr std::uint64_t max_passed = 10'000'000;
    std::string text_;
    std::size_t max_bytes_;
    std::uint64_t passed_ = 0;
    bool is_full_ = false;
};

// Printing keeps its own stack of what is still to be written: the next thing last.
enum class Position : std::uint8_t { open, argument };

class LevelPrinter {
public:
    LevelPrinter(BoundedText& out, LevelRef level, Position position) : out_(out) {
        todo_.push_back({level, {}, position});
    }
    void run() {
        while (!todo_.empty() && !out_.is_full()) {
            const Item item = todo_.back();
            todo_.pop_back();
            if (item.text.empty()) {
                print(item.level, item.position);
            } else {
                out_.add(item.text);
            }
        }
    }

private:
    struct Item {
        LevelRef level;
        std::string_view text;
        Position position;
    };
    void push(std::string_view text) {
        todo_.push_back({LevelRef(ObjectRef()), text, Position::open});
    }
    void push(LevelRef level) { todo_.push_back({level, {}, Position::argument}); }

    void print(LevelRef level, Position position) {
        std::uint64_t offset = 0;
        for (; level.kind() == LevelRef::Kind::succ; level = level.pred()) {
            ++offset;
            out_.pass();
        }
        switch (level.kind()) {
        case LevelRef::Kind::zero:
            out_.add(std::to_string(offset));
            return;
        case LevelRef::Kind::param:
        case LevelRef::Kind::mvar: {
            const bool parens = offset > 0 && position == Position::argument;
            if (parens)
                out_.add("(");
            out_.add(level.kind() == LevelRef::Kind::mvar ? "?" : "");
            out_.add(level.name().to_string());
            if (offset > 0)
                out_.add("+" + std::to_string(offset));
            if (parens)
                out_.add(")");
            return;
        }
        default:
            print_max(level, offset, position);
        }
    }

    void print_max(LevelRef level, std::uint64_t offset, Position position) {
        const bool outer = position == Position::argument;
        if (outer)
            out_.add("(");
        if (outer)
            push(")");
        if (offset > 0) {
            offsets_.push_back(")+" + std::to_string(offset));
            push(offsets_.back());
            out_.add("(");
        }
        out_.add(level.kind() == LevelRef::Kind::max ? "max " : "imax ");
        push(level.rhs());
        push(" ");
        push(level.lhs());
    }

    BoundedText& out_;
    std::vector<Item> todo_;
    std::deque<std::string> offsets_; // views of them are in todo_
};

std::string cut(std::string text, std::size_t max_bytes) {
    if (text.size() <= max_bytes)
        return text;
    text.resize(max_bytes);
    text.resize(whole_characters(text));
    return text + "…";
}

// "x" for x, "x✝" for a name with macro scopes, "_" for none. A binder's name is kept while its
// body is printed, so it is short.
std::string display_name(NameRef name, BoundedText& out) {
    constexpr std::size_t max_bytes = 256;
    if (name.is_anonymous())
        return "_";
    for (NameRef at = name; !at.is_anonymous(); at = at.prefix()) {
        out.pass();
        if (at.is_string() && at.string_component() == "_@") {
            return cut(at.prefix().to_string(), max_bytes) + "✝";
        }
    }
    return cut(name.to_string(), max_bytes);
}

// Whether the term mentions the variable of the binder around it. Looks at a bounded number of
// subterms and says yes when that does not settle it: then the binder is written out.
bool may_mention_binder(ExprRef body) {
    constexpr std::size_t max_visits = 512;
    struct Visit {
        ExprRef term;
        std::uint64_t depth;
    };
    std::vector<Visit> todo{{body, 0}};
    for (std::size_t visits = 0; !todo.empty(); ++visits) {
        if (visits == max_visits)
            return true;
        const Visit visit = todo.back();
        todo.pop_back();
        const ExprRef::Kind kind = visit.term.kind();
        if (kind == ExprRef::Kind::bvar && visit.term.bvar_index().try_uint64() == visit.depth) {
            return true;
        }
        const auto fields = visit.term.child_fields();
        for (unsigned i = 0; i < fields.count; ++i) {
            const bool is_body = i + 1 == fields.count &&
                                 (kind == ExprRef::Kind::lam || kind == ExprRef::Kind::forall_e ||
                                  kind == ExprRef::Kind::let_e);
            todo.push_back({visit.term.child(fields.first + i), visit.depth + (is_body ? 1 : 0)});
        }
    }
    return false;
}

// Names of the binders around what is being printed, innermost last, made distinct by a number.
class Scope {
public:
    std::size_t size() const { return binders_.size(); }
    /// Name of the de Bruijn index `index`, below `size()`.
    const std::string& name_of(std::uint64_t index) const {
        return binders_[binders_.size() - 1 - index].name;
    }
    std::string next_name(const std::string& base) const { return numbered(base).first; }

    void bind(const std::string& base) {
        const auto [name, suffix] = numbered(base);
        binders_.push_back({name, base, suffix});
        used_.insert(name);
        next_suffix_[base] = suffix + 1;
    }
    void unbind() {
        const Binder& last = binders_.back();
        used_.erase(last.name);
        next_suffix_[last.base] = last.suffix;
        binders_.pop_back();
    }

private:
    struct Binder {
        std::string name;
        std::string base;
        std::size_t suffix;
    };
    std::pair<std::string, std::size_t> numbered(const std::string& base) const {
        const auto next = next_suffix_.find(base);
        for (std::size_t suffix = next == next_suffix_.end() ? 0 : next->second;; ++suffix) {
            std::string name = suffix == 0 ? base : base + "_" + std::to_string(suffix);
            if (!used_.contains(name))
                return {std::move(name), suffix};
        }
    }
    std::vector<Binder> binders_;
    absl::flat_hash_set<std::string> used_;
    absl::flat_hash_map<std::string, std::size_t> next_suffix_;
};

class TermPrinter {
public:
    explicit TermPrinter(std::size_t max_bytes) : out_(max_bytes) {}

    PrintedTerm print(ExprRef term) && {
        push_term(term, Position::open);
        while (!todo_.empty() && !out_.is_full())
            step();
        return std::move(out_).finish();
    }

private:
    using Kind = ExprRef::Kind;
    enum class Do : std::uint8_t { text, term, bind, unbind };
    struct Item {
        Do what;
        Position position;
        ExprRef term;          // term
        NameRef name;          // bind
        std::string_view text; // text, with static lifetime
    };

    // Items are pushed last first.
    void push_text(std::string_view text) {
        todo_.push_back(
            {Do::text, Position::open, ExprRef(ObjectRef()), NameRef(ObjectRef()), text});
    }
    void push_term(ExprRef term, Position position) {
        todo_.push_back({Do::term, position, term, NameRef(ObjectRef()), {}});
    }
    void push_bind(NameRef name) {
        todo_.push_back({Do::bind, Position::open, ExprRef(ObjectRef()), name, {}});
    }
    void push_unbind() {
        todo_.push_back(
            {Do::unbind, Position::open, ExprRef(ObjectRef()), NameRef(ObjectRef()), {}});
    }

    void step() {
        const Item item = todo_.back();
        todo_.pop_back();
        switch (item.what) {
        case Do::text:
            out_.add(item.text);
            break;
        case Do::term:
            print_step(item.term, item.position);
            break;
        case Do::bind:
            scope_.bind(display_name(item.name, out_));
            break;
        case Do::unbind:
            scope_.unbind();
            break;
        }
    }

    void print_step(ExprRef term, Position position) {
        for (; term.kind() == Kind::mdata; term = term.mdata_expr())
            out_.pass();
        switch (term.kind()) {
        case Kind::bvar:
            print_bvar(term);
            break;
        case Kind::fvar:
            out_.add(term.name().to_string());
            break;
        case Kind::mvar:
            out_.add("?" + term.name().to_string());
            break;
        case Kind::sort:
            print_sort(term.sort_level(), position);
            break;
        case Kind::constant:
            print_constant(term);
            break;
        case Kind::app:
            print_app(term, position);
            break;
        case Kind::lam:
            print_binder(term, "fun ", " => ", position);
            break;
        case Kind::forall_e:
            print_forall(term, position);
            break;
        case Kind::let_e:
            print_let(term, position);
            break;
        case Kind::lit:
            print_literal(term);
            break;
        case Kind::proj:
            push_text(number(term.proj_index().uint64() + 1));
            push_text(".");
            push_term(term.proj_struct(), Position::argument);
            break;
        case Kind::mdata:
            break;
        }
    }

    void open(Position position) {
        if (position == Position::open)
            return;
        out_.add("(");
        push_text(")");
    }

    void print_bvar(ExprRef term) {
        const auto index = term.bvar_index().try_uint64();
        if (index && *index < scope_.size()) {
            out_.add(scope_.name_of(*index));
        } else {
            out_.add("#" + term.bvar_index().to_string());
        }
    }

    void print_sort(LevelRef level, Position position) {
        if (level.kind() == LevelRef::Kind::zero)
            return out_.add("Prop");
        const bool is_type = level.kind() == LevelRef::Kind::succ;
        if (is_type)
            level = level.pred();
        if (is_type && level.kind() == LevelRef::Kind::zero)
            return out_.add("Type");
        if (position == Position::argument)
            out_.add("(");
        out_.add(is_type ? "Type " : "Sort ");
        LevelPrinter(out_, level, Position::argument).run();
        if (position == Position::argument)
            out_.add(")");
    }

    void print_constant(ExprRef term) {
        out_.add(term.name().to_string());
        const auto levels = term.const_levels();
        if (levels.empty())
            return;
        std::string_view separator = ".{";
        for (const LevelRef level : levels) {
            out_.add(separator);
            LevelPrinter(out_, level, Position::open).run();
            separator = ", ";
        }
        out_.add("}");
    }

    void print_app(ExprRef term, Position position) {
        open(position);
        for (; term.kind() == Kind::app; term = term.app_function()) {
            push_term(term.app_argument(), Position::argument);
            push_text(" ");
        }
        if (term.kind() == Kind::constant)
            out_.add("@");
        push_term(term, Position::argument);
    }

    void print_binder(ExprRef term,
                      std::string_view keyword,
                      std::string_view before_body,
                      Position position) {
        static constexpr std::string_view brackets[4][2] = {
            {"(", ")"}, {"{", "}"}, {"⦃", "⦄"}, {"[", "]"}};
        const auto bracket = brackets[static_cast<std::size_t>(term.binder_info())];
        open(position);
        out_.add(keyword);
        out_.add(bracket[0]);
        out_.add(scope_.next_name(display_name(term.binder_name(), out_)));
        out_.add(" : ");
        push_unbind();
        push_term(term.binder_body(), Position::open);
        push_bind(term.binder_name());
        push_text(before_body);
        push_text(bracket[1]);
        push_term(term.binder_type(), Position::open);
    }

    void print_forall(ExprRef term, Position position) {
        const bool is_arrow =
            term.binder_info() == BinderInfo::explicit_ && !may_mention_binder(term.binder_body());
        if (!is_arrow)
            return print_binder(term, "∀ ", ", ", position);
        open(position);
        push_unbind();
        push_term(term.binder_body(), Position::open);
        push_bind(term.binder_name());
        push_text(" → ");
        push_term(term.binder_type(), Position::argument);
    }

    void print_let(ExprRef term, Position position) {
        open(position);
        out_.add(term.let_non_dep() ? "have " : "let ");
        out_.add(scope_.next_name(display_name(term.binder_name(), out_)));
        out_.add(" : ");
        push_unbind();
        push_term(term.let_body(), Position::open);
        push_bind(term.binder_name());
        push_text("; ");
        push_term(term.let_value(), Position::open);
        push_text(" := ");
        push_term(term.binder_type(), Position::open);
    }

    void print_literal(ExprRef term) {
        if (term.literal_is_nat())
            return out_.add(term.nat_literal().to_string(out_.bytes_left()));
        out_.add("\"");
        for (const char c : term.string_literal()) {
            print_character(c);
            if (out_.is_full())
                return;
        }
        out_.add("\"");
    }

    // As Lean quotes strings.
    void print_character(char c) {
        static constexpr std::string_view digits = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
        case '"':
            return out_.add("\\\"");
        case '\\':
            return out_.add("\\\\");
        case '\n':
            return out_.add("\\n");
        case '\t':
            return out_.add("\\t");
        default:
            if (byte >= 0x20 && byte != 0x7F)
                return out_.add(std::string_view(&c, 1));
            out_.add("\\x");
            out_.add(digits.substr(byte >> 4U, 1));
            out_.add(digits.substr(byte & 0xFU, 1));
        }
    }

    std::string_view number(std::uint64_t value) {
        return *numbers_.insert(std::to_string(value)).first;
    }

    BoundedText out_;
    std::vector<Item> todo_;
    Scope scope_;
    absl::node_hash_set<std::string> numbers_;
};

} // namespace

PrintedTerm print_term(ExprRef term, std::size_t max_bytes) {
    return TermPrinter(max_bytes).print(term);
}

PrintedTerm print_level(LevelRef level, std::size_t max_bytes) {
    BoundedText out(max_bytes);
    LevelPrinter(out, level, Position::open).run();
    return std::move(out).finish();
}

} // namespace leanhost::object
