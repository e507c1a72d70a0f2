#include "kernel/type_checker.hpp"

#include <fmt/format.h>

namespace leanhost::kernel {
namespace {

/// Writes a term until there is no more room. Binders are named x0, x1, … by depth.
class Printer {
public:
    Printer(const TermStore& store, const NameTable& names, std::size_t limit_bytes)
        : store_(store), names_(names), limit_bytes_(limit_bytes) {}

    std::string take() && {
        if (out_.size() > limit_bytes_) {
            out_.resize(limit_bytes_);
            out_ += " …";
        }
        return std::move(out_);
    }

    void term(Term term, std::uint32_t depth, bool is_atom) {
        constexpr std::uint32_t max_nesting = 200;
        if (out_.size() > limit_bytes_)
            return;
        if (nesting_ > max_nesting) {
            out_ += "…";
            return;
        }
        ++nesting_;
        const TermNode& node = store_[term];
        const bool is_compound = node.kind == TermKind::app || node.kind == TermKind::lam ||
                                 node.kind == TermKind::pi || node.kind == TermKind::let;
        if (is_compound && is_atom)
            out_ += '(';
        parts(term, node, depth);
        if (is_compound && is_atom)
            out_ += ')';
        --nesting_;
    }

private:
    void parts(Term term, const TermNode& node, std::uint32_t depth) {
        switch (node.kind) {
        case TermKind::bvar:
            out_ += node.a < depth ? fmt::format("x{}", depth - 1 - node.a)
                                   : fmt::format("#{}", node.a - depth);
            break;
        case TermKind::fvar:
            out_ += fmt::format("v{}", node.b);
            break;
        case TermKind::sort:
            out_ += "Sort ";
            level(node.a, true);
            break;
        case TermKind::constant:
            out_ += names_.text(node.a, 200);
            levels(node.b);
            break;
        case TermKind::app:
            application(term, depth);
            break;
        case TermKind::lam:
            binder("fun", " => ", node, depth);
            break;
        case TermKind::pi:
            if (store_[node.b].loose == 0) {
                this->term(node.a, depth, true);
                out_ += " → ";
                this->term(node.b, depth + 1, false);
            } else {
                binder("∀", ", ", node, depth);
            }
            break;
        case TermKind::let: {
            const TermNode& rest = store_[node.b];
            out_ += fmt::format("let x{} : ", depth);
            this->term(rest.a, depth, false);
            out_ += " := ";
            this->term(node.a, depth, false);
            out_ += "; ";
            this->term(rest.b, depth + 1, false);
            break;
        }
        case TermKind::proj:
            this->term(node.a, depth, true);
            out_ += fmt::format(".{}", node.extra + 1);
            break;
        case TermKind::nat:
            out_ += std::to_string((std::uint64_t{node.b} << 32) | node.a);
            break;
        case TermKind::big_nat:
            out_ += fmt::format("(a number of {} bits)", std::uint64_t{node.b} * 64);
            break;
        case TermKind::string:
            out_ += fmt::format("\"{}\"", store_.string_text(term).substr(0, 60));
            break;
        default:
            out_ += '?';
        }
    }

    void binder(const char* what, const char* after, const TermNode& node, std::uint32_t depth) {
        out_ += fmt::format("{} x{} : ", what, depth);
        term(node.a, depth, false);
        out_ += after;
        term(node.b, depth + 1, false);
    }

    void application(Term at, std::uint32_t depth) {
        constexpr std::size_t max_args = 40;
        std::vector<Term> args;
        for (; store_.kind(at) == TermKind::app; at = store_[at].a)
            args.push_back(store_[at].b);
        term(at, depth, true);
        const std::size_t count = args.size();
        for (std::size_t i = 0; i < count && i < max_args; ++i) {
            out_ += ' ';
            term(args[count - 1 - i], depth, true);
        }
        if (count > max_args)
            out_ += " …";
    }

    void levels(Levels list) {
        const auto all = store_.levels(list);
        if (all.empty())
            return;
        out_ += ".{";
        for (std::size_t i = 0; i < all.size() && out_.size() <= limit_bytes_; ++i) {
            if (i > 0)
                out_ += ", ";
            level(all[i], false);
        }
        out_ += '}';
    }

    void level(Level of, bool is_atom) {
        if (out_.size() > limit_bytes_)
            return;
        std::uint32_t offset = 0;
        const LevelNode* node = &store_.level(of);
        for (; node->kind == LevelKind::succ; node = &store_.level(node->a))
            ++offset;
        if (node->kind == LevelKind::zero) {
            out_ += std::to_string(offset);
            return;
        }
        const bool is_compound = offset > 0 || node->kind != LevelKind::param;
        if (is_compound && is_atom)
            out_ += '(';
        if (node->kind == LevelKind::param) {
            out_ += names_.text(node->a, 60);
        } else {
            out_ += node->kind == LevelKind::max ? "max " : "imax ";
            level(node->a, true);
            out_ += ' ';
            level(node->b, true);
        }
        if (offset > 0)
            out_ += fmt::format("+{}", offset);
        if (is_compound && is_atom)
            out_ += ')';
    }

    const TermStore& store_;
    const NameTable& names_;
    std::size_t limit_bytes_;
    std::uint32_t nesting_ = 0;
    std::string out_;
};

} // namespace

std::string TypeChecker::print(Term term, std::size_t limit_bytes) {
    Printer printer(store_, names_, limit_bytes);
    printer.term(term, 0, false);
    return std::move(printer).take();
}

} // namespace leanhost::kernel
