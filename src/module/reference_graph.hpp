#pragma once

#include "module/constant_index.hpp"

#include <span>

namespace leanhost::module {

/// Which constants mention which, over one closure. Constants have numbers here: module by module
/// in import order, in each in the module's own order.
///
/// A constant depends on those that its type, its value and its recursor rules mention (a
/// projection mentions its structure), and an inductive type on its constructors; also on what a
/// string literal stands for, which edges of a kind of their own say. Of a constant that several
/// modules hold, the one that the index finds stands for all. Built once for each
/// closure, immutable, thread-safe; metered as index. Memory: 8 bytes a constant and 8 a
/// dependency.
class ReferenceGraph {
public:
    /// Reads every term of the closure, in parallel by module. Borrows both.
    /// Throws Failure: invalid_input (a constant that is none); resource_exhausted (more than 2^31
    /// constants or 2^32 dependencies); cancelled, sink_failed.
    ReferenceGraph(const ImportClosure& closure,
                   const ConstantIndex& index,
                   unsigned max_threads,
                   Monitor& monitor);

    using Number = std::uint32_t;

    std::size_t num_constants() const noexcept { return first_.back(); }
    Number number_of(ConstantPlace place) const noexcept {
        return first_[place.module] + place.constant;
    }
    ConstantPlace place_of(Number number) const noexcept;

    /// How one constant depends on another.
    enum class Mention : std::uint8_t {
        in_type,
        elsewhere,  ///< in a value, a rule, as a constructor
        by_literal, ///< not by name: a string literal stands for it
    };
    /// One dependency: the other constant, and the first way of mentioning that applies.
    class Edge {
    public:
        explicit Edge(std::uint32_t word) noexcept : word_(word) {}
        Number constant() const noexcept { return word_ & (literal_bit - 1); }
        bool is_in_type() const noexcept { return mention() == Mention::in_type; }
        bool is_by_name() const noexcept { return mention() != Mention::by_literal; }
        Mention mention() const noexcept {
            return (word_ & type_bit) != 0      ? Mention::in_type
                   : (word_ & literal_bit) == 0 ? Mention::elsewhere
                                                : Mention::by_literal;
        }
        std::uint32_t word() const noexcept { return word_; }
        static Edge to(Number constant, Mention mention) noexcept {
            return Edge(constant | (mention == Mention::in_type      ? type_bit
                                    : mention == Mention::by_literal ? literal_bit
                                                                     : 0));
        }
        /// By constant; in types first, by literals last.
        bool operator<(Edge other) const noexcept {
            return constant() != other.constant() ? constant() < other.constant()
                                                  : mention() < other.mention();
        }

    private:
        static constexpr std::uint32_t type_bit = std::uint32_t{1} << 31;
        static constexpr std::uint32_t literal_bit = std::uint32_t{1} << 30;
        std::uint32_t word_;
    };
    static_assert(sizeof(Edge) == 4);

    /// Ascending, each once. Valid as long as the graph.
    std::span<const Edge> dependencies(Number number) const noexcept {
        return edges_of(dependency_ends_, dependencies_, number);
    }
    /// Those that depend on it: ascending, each once; the edge says how they mention it.
    std::span<const Edge> dependents(Number number) const noexcept {
        return edges_of(dependent_ends_, dependents_, number);
    }
    /// Whether it mentions a constant that no module of the closure has: then what is known of it
    /// here is not all.
    bool mentions_unknown(Number number) const noexcept { return unknown_[number] != 0; }

    std::uint64_t size_bytes() const noexcept;

private:
    using Ends = memory::MappedArray<std::uint32_t>; // by constant: where its edges end
    using Edges = memory::MappedArray<std::uint32_t>;

    static std::span<const Edge>
    edges_of(const Ends& ends, const Edges& edges, Number number) noexcept {
        const std::size_t begin = number == 0 ? 0 : ends[number - 1];
        return {reinterpret_cast<const Edge*>(edges.span().data()) + begin, ends[number] - begin};
    }
    void transpose();

    std::vector<Number> first_; // by module, and one behind the last
    Ends dependency_ends_;
    Edges dependencies_;
    Ends dependent_ends_;
    Edges dependents_;
    memory::MappedArray<std::uint8_t> unknown_;
};

} // namespace leanhost::module
