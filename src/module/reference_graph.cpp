#include "module/reference_graph.hpp"

#include "base/workers.hpp"
#include "module/mentioned_names.hpp"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>

namespace leanhost::module {
namespace {

using Edge = ReferenceGraph::Edge;
using Number = ReferenceGraph::Number;
using object::ConstantInfoRef;
using object::ConstantKind;
using object::NameRef;

// What the constants of one module mention.
struct ModuleReferences {
    std::vector<std::uint32_t> ends; // by constant
    std::vector<Edge> edges;
    std::vector<std::uint8_t> unknown;
};

class ModuleReader {
public:
    ModuleReader(const ClosureModule& module,
                 const ConstantIndex& index,
                 std::span<const Number> first)
        : module_(module), index_(index), first_(first), mentioned_(*module.region) {}

    ModuleReferences read(const Monitor& monitor) {
        ModuleReferences result;
        const std::size_t count = module_.data.constants().size();
        constexpr std::size_t constants_between_looks = 256;
        for (std::size_t i = 0; i < count; ++i) {
            if (i % constants_between_looks == 0)
                monitor.check();
            reading(*module_.region, "constant", [&] { read_constant(module_.data.constant(i)); });
            finish_constant(result);
        }
        return result;
    }

private:
    void read_constant(ConstantInfoRef constant) {
        found_.clear();
        mentions_unknown_ = false;
        mentions_string_ = false;
        mentioned_.read(
            constant, [this](NameRef name, bool is_in_type) { add_name(name, is_in_type); },
            [this](bool is_nat) { mentions_string_ = mentions_string_ || !is_nat; });
        if (mentions_string_)
            add_string_literal();
        if (constant.kind() == ConstantKind::inductive) {
            for (const NameRef name : constant.constructors())
                add_name(name, false);
        }
    }

    void add_name(NameRef name, bool is_in_type) {
        const Number number = number_of(name);
        if (number == none)
            mentions_unknown_ = true;
        else
            found_.push_back(Edge::to(number, is_in_type ? ReferenceGraph::Mention::in_type
                                                         : ReferenceGraph::Mention::elsewhere));
    }

    void add_string_literal() {
        if (!string_literal_) {
            string_literal_.emplace();
            for (const std::string_view name : string_literal_names) {
                if (const auto place = index_.find(Name(name)))
                    string_literal_->push_back(Edge::to(first_[place->module] + place->constant,
                                                        ReferenceGraph::Mention::by_literal));
            }
        }
        found_.insert(found_.end(), string_literal_->begin(), string_literal_->end());
    }

    // A module's terms share their names, so few are looked up.
    Number number_of(NameRef name) {
        const auto [known, is_new] = numbers_.try_emplace(name.object().word(), none);
        if (is_new) {
            if (const auto place = index_.find(name.to_name()))
                known->second = first_[place->module] + place->constant;
        }
        return known->second;
    }

    void finish_constant(ModuleReferences& result) {
        std::sort(found_.begin(), found_.end());
        const auto last = std::unique(found_.begin(), found_.end(),
                                      [](Edge a, Edge b) { return a.constant() == b.constant(); });
        result.edges.insert(result.edges.end(), found_.begin(), last);
        if (result.edges.size() > std::numeric_limits<std::uint32_t>::max())
            fail(ErrorCode::resource_exhausted, "a module with more than 2^32 dependencies");
        result.ends.push_back(static_cast<std::uint32_t>(result.edges.size()));
        result.unknown.push_back(mentions_unknown_ ? 1 : 0);
    }

    static constexpr Number none = std::numeric_limits<Number>::max();

    const ClosureModule& module_;
    const ConstantIndex& index_;
    const std::span<const Number> first_;
    MentionedNames mentioned_;
    absl::flat_hash_map<std::uint64_t, Number> numbers_; // by the name object
    std::vector<Edge> found_;                            // of the constant at hand
    bool mentions_unknown_ = false;
    bool mentions_string_ = false;
    std::optional<std::vector<Edge>> string_literal_; // what each of them rests on
};

std::vector<Number> first_numbers(const ImportClosure& closure) {
    constexpr std::uint64_t most = std::uint64_t{1} << 30;
    std::vector<Number> first{0};
    std::uint64_t sum = 0;
    for (const ClosureModule& module : closure.modules()) {
        sum += module.data.constants().size();
        if (sum >= most)
            fail(ErrorCode::resource_exhausted, "a closure of 2^30 constants and more");
        first.push_back(static_cast<Number>(sum));
    }
    return first;
}

std::vector<ModuleReferences> read_modules(const ImportClosure& closure,
                                           const ConstantIndex& index,
                                           std::span<const Number> first,
                                           unsigned max_threads,
                                           Monitor& monitor) {
    const std::size_t count = closure.modules().size();
    std::vector<ModuleReferences> results(count);
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> done{0};
    run_workers(worker_count(count, max_threads), [&](unsigned worker) {
        try {
            for (std::size_t i = next++; i < count; i = next++) {
                results[i] = ModuleReader(closure.modules()[i], index, first).read(monitor);
                const std::size_t now = ++done;
                if (worker == 0)
                    monitor.report("references", now, count);
            }
        } catch (...) {
            next = count; // the others end after the module they are at
            throw;
        }
    });
    monitor.report("references", count, count);
    return results;
}

} // namespace

ReferenceGraph::ReferenceGraph(const ImportClosure& closure,
                               const ConstantIndex& index,
                               unsigned max_threads,
                               Monitor& monitor)
    : first_(first_numbers(closure)) {
    std::vector<ModuleReferences> modules =
        read_modules(closure, index, first_, max_threads, monitor);
    std::uint64_t edges = 0;
    for (const ModuleReferences& m : modules)
        edges += m.edges.size();
    if (edges > std::numeric_limits<std::uint32_t>::max())
        fail(ErrorCode::resource_exhausted, "a closure of more than 2^32 dependencies");
    dependency_ends_ = Ends(num_constants(), MappingClass::index);
    dependencies_ = Edges(edges, MappingClass::index);
    unknown_ = memory::MappedArray<std::uint8_t>(num_constants(), MappingClass::index);
    std::size_t constant = 0;
    std::uint32_t edge = 0;
    for (ModuleReferences& m : modules) {
        const std::uint32_t before = edge;
        for (const Edge e : m.edges)
            dependencies_[edge++] = e.word();
        for (std::size_t i = 0; i < m.ends.size(); ++i, ++constant) {
            dependency_ends_[constant] = before + m.ends[i];
            unknown_[constant] = m.unknown[i];
        }
        m = ModuleReferences(); // twice in memory only for one module
    }
    transpose();
}

// Counts, then places: ascending because the sources are gone through in order.
void ReferenceGraph::transpose() {
    dependent_ends_ = Ends(num_constants(), MappingClass::index);
    dependents_ = Edges(dependencies_.size(), MappingClass::index);
    for (const std::uint32_t word : dependencies_.span())
        ++dependent_ends_[Edge(word).constant()];
    std::uint32_t begin = 0;
    for (std::uint32_t& end : dependent_ends_.span())
        begin += std::exchange(end, begin);
    for (Number from = 0; from < num_constants(); ++from) {
        for (const Edge to : dependencies(from))
            dependents_[dependent_ends_[to.constant()]++] = Edge::to(from, to.mention()).word();
    }
}

ConstantPlace ReferenceGraph::place_of(Number number) const noexcept {
    const auto behind = std::upper_bound(first_.begin(), first_.end(), number);
    const auto module = static_cast<std::uint32_t>(behind - first_.begin() - 1);
    return {module, number - first_[module]};
}

std::uint64_t ReferenceGraph::size_bytes() const noexcept {
    return dependency_ends_.size_bytes() + dependencies_.size_bytes() +
           dependent_ends_.size_bytes() + dependents_.size_bytes() + unknown_.size_bytes();
}

} // namespace leanhost::module
