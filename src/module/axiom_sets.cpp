#include "module/axiom_sets.hpp"

#include <algorithm>

namespace leanhost::module {

namespace {

constexpr std::uint64_t max_elements = std::uint64_t{16} << 20;
constexpr std::uint32_t unvisited = 0;

} // namespace

// Tarjan's algorithm with a stack of its own: hands out components, what they depend on first.
class AxiomSets::Components {
public:
    explicit Components(const ReferenceGraph& graph)
        : graph_(graph), order_(graph.num_constants(), MappingClass::index),
          lowest_(graph.num_constants(), MappingClass::index),
          is_open_(graph.num_constants(), MappingClass::index) {}

    template <class Component>
    void visit_from(Number root, const Component& component) {
        if (order_[root] != unvisited)
            return;
        enter(root);
        while (!path_.empty()) {
            Step& step = path_.back();
            const auto below = graph_.dependencies(step.constant);
            if (step.next < below.size()) {
                const Number to = below[step.next++].constant();
                if (order_[to] == unvisited)
                    enter(to);
                else if (is_open_[to] != 0)
                    lower(step.constant, order_[to]);
                continue;
            }
            const Number done = step.constant;
            path_.pop_back();
            if (!path_.empty())
                lower(path_.back().constant, lowest_[done]);
            if (lowest_[done] == order_[done])
                close(done, component);
        }
    }

private:
    struct Step {
        Number constant;
        std::uint32_t next;
    };

    void enter(Number constant) {
        order_[constant] = lowest_[constant] = ++count_;
        is_open_[constant] = 1;
        open_.push_back(constant);
        path_.push_back({constant, 0});
    }
    void lower(Number constant, std::uint32_t to) {
        lowest_[constant] = std::min(lowest_[constant], to);
    }
    template <class Component>
    void close(Number first, const Component& component) {
        std::size_t begin = open_.size();
        do {
            is_open_[open_[--begin]] = 0;
        } while (open_[begin] != first);
        component(std::span<const Number>(open_).subspan(begin));
        open_.resize(begin);
    }

    const ReferenceGraph& graph_;
    memory::MappedArray<std::uint32_t> order_; // from 1 in order of discovery
    memory::MappedArray<std::uint32_t> lowest_;
    memory::MappedArray<std::uint8_t> is_open_;
    std::vector<Number> open_;
    std::vector<Step> path_;
    std::uint32_t count_ = 0;
};

AxiomSets::AxiomSets(const ImportClosure& closure, const ReferenceGraph& graph, Monitor& monitor)
    : set_of_(graph.num_constants(), MappingClass::index) {
    const SetIndex none = intern({});
    const auto take_component = [&](std::span<const Number> members) {
        SetIndex set = none;
        bool is_incomplete = false;
        for (const Number member : members) {
            is_incomplete = is_incomplete || graph.mentions_unknown(member);
            const ConstantPlace place = graph.place_of(member);
            const bool is_axiom = reading(*closure.modules()[place.module].region, "constant", [&] {
                return constant_at(closure, place).kind() == object::ConstantKind::axiom;
            });
            if (is_axiom)
                set = unite(set, intern({member}));
            // Those of the same component have the empty set as yet, which changes nothing.
            for (const ReferenceGraph::Edge edge : graph.dependencies(member)) {
                const std::uint32_t below = set_of_[edge.constant()];
                set = unite(set, below >> 1);
                is_incomplete = is_incomplete || (below & 1) != 0;
            }
        }
        for (const Number member : members)
            set_of_[member] = set << 1 | (is_incomplete ? 1U : 0U);
    };
    Components components(graph);
    constexpr Number constants_between_reports = 4096;
    for (Number i = 0; i < graph.num_constants(); ++i) {
        if (i % constants_between_reports == 0)
            monitor.report("axioms", i, graph.num_constants());
        components.visit_from(i, take_component);
    }
    monitor.report("axioms", graph.num_constants(), graph.num_constants());
    known_ = {};
    unions_ = {};
}

AxiomSets::SetIndex AxiomSets::intern(std::vector<Number> set) {
    const auto [known, is_new] = known_.try_emplace(std::move(set), sets_.size());
    if (is_new) {
        total_elements_ += known->first.size();
        if (total_elements_ > max_elements) {
            fail(ErrorCode::resource_exhausted,
                 "the sets of axioms hold more than 16 million axioms together");
        }
        sets_.push_back(known->first);
    }
    return known->second;
}

AxiomSets::SetIndex AxiomSets::unite(SetIndex a, SetIndex b) {
    if (a == b || sets_[b].empty())
        return a;
    if (sets_[a].empty())
        return b;
    const auto [known, is_new] = unions_.try_emplace(std::minmax(a, b), 0);
    if (is_new) {
        std::vector<Number> both;
        std::set_union(sets_[a].begin(), sets_[a].end(), sets_[b].begin(), sets_[b].end(),
                       std::back_inserter(both));
        const SetIndex united = intern(std::move(both));
        unions_[std::minmax(a, b)] = united;
        return united;
    }
    return known->second;
}

} // namespace leanhost::module
