#include "engine_native/declaration_search.hpp"

#include "base/failure.hpp"
#include "engine_native/declaration_row.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::engine_native {
namespace {

using module::ConstantPlace;
using Number = module::ReferenceGraph::Number;

// One search: conditions from the cheapest to the dearest.
class Search {
public:
    Search(const LoadedClosure& loaded,
           const DeclarationFilter& filter,
           const DeclarationFields& fields,
           const DeclarationSink& sink,
           Monitor& monitor)
        : loaded_(loaded), filter_(filter), fields_(fields), sink_(sink), monitor_(monitor) {}

    SearchSummary run() {
        find_mentioned();
        const auto& modules = loaded_.closure().modules();
        for (std::uint32_t m = 0; m < modules.size() && !summary_.was_stopped; ++m) {
            monitor_.report("search", m, modules.size());
            if (is_below(modules[m].name, filter_.module))
                search_module(m);
        }
        return summary_;
    }

private:
    void find_mentioned() {
        if (filter_.type_mentions.empty())
            return;
        graph_ = &loaded_.references(monitor_);
        for (const Name& name : filter_.type_mentions) {
            const auto place = loaded_.index().find(name);
            if (!place) {
                fail(ErrorCode::not_found,
                     fmt::format("no imported module declares '{}', which types shall mention",
                                 name.to_string()),
                     {{"declaration", name.to_string()}});
            }
            mentioned_.push_back(graph_->number_of(*place));
        }
    }

    void search_module(std::uint32_t m) {
        const module::ClosureModule& module = loaded_.closure().modules()[m];
        const auto count = static_cast<std::uint32_t>(module.data.constants().size());
        constexpr std::uint32_t constants_between_looks = 1024;
        for (std::uint32_t i = 0; i < count && !summary_.was_stopped; ++i) {
            if (i % constants_between_looks == 0)
                monitor_.check();
            look_at(module, {m, i});
        }
    }

    void look_at(const module::ClosureModule& module, ConstantPlace place) {
        ++summary_.looked_at;
        std::optional<Name> name;
        const bool is_wanted = module::reading(*module.region, "constant", [&] {
            const object::ConstantInfoRef constant = module.data.constant(place.constant);
            if (!has_wanted_kind(constant))
                return false;
            name = constant.name().to_name();
            return has_wanted_name(*name) && mentions_wanted(place);
        });
        // Where several modules hold it, the first stands for all.
        if (!is_wanted || loaded_.index().find(*name) != place)
            return;
        ++summary_.found;
        const Declaration declaration = declaration_at(loaded_, place, fields_);
        summary_.was_stopped = tell(*name, declaration) == SinkAnswer::stop;
    }

    bool has_wanted_kind(object::ConstantInfoRef constant) const {
        return filter_.kinds.empty() ||
               std::find(filter_.kinds.begin(), filter_.kinds.end(),
                         public_kind(constant.kind())) != filter_.kinds.end();
    }
    bool has_wanted_name(const Name& name) const {
        return is_below(name, filter_.prefix) &&
               (filter_.pattern.empty() || matches_pattern(name.to_string(), filter_.pattern));
    }
    bool mentions_wanted(ConstantPlace place) const {
        if (mentioned_.empty())
            return true;
        const auto edges = graph_->dependencies(graph_->number_of(place));
        return std::all_of(mentioned_.begin(), mentioned_.end(), [&](Number wanted) {
            const auto at = std::lower_bound(
                edges.begin(), edges.end(), wanted,
                [](module::ReferenceGraph::Edge e, Number n) { return e.constant() < n; });
            return at != edges.end() && at->constant() == wanted && at->is_in_type();
        });
    }

    SinkAnswer tell(const Name& name, const Declaration& declaration) const {
        try {
            return sink_(name, declaration);
        } catch (const std::exception& error) {
            fail(ErrorCode::sink_failed,
                 fmt::format("the sink of a search threw: {}", error.what()));
        } catch (...) {
            fail(ErrorCode::sink_failed, "the sink of a search threw");
        }
    }

    const LoadedClosure& loaded_;
    const DeclarationFilter& filter_;
    const DeclarationFields& fields_;
    const DeclarationSink& sink_;
    Monitor& monitor_;
    const module::ReferenceGraph* graph_ = nullptr;
    std::vector<Number> mentioned_;
    SearchSummary summary_;
};

} // namespace

SearchSummary search(const LoadedClosure& loaded,
                     const DeclarationFilter& filter,
                     const DeclarationFields& fields,
                     const DeclarationSink& sink,
                     Monitor& monitor) {
    return Search(loaded, filter, fields, sink, monitor).run();
}

bool matches_pattern(std::string_view text, std::string_view pattern) noexcept {
    std::size_t t = 0;
    std::size_t p = 0;
    std::size_t star = std::string_view::npos; // the last one, and where its text began
    std::size_t star_text = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool is_below(const Name& name, const Name& prefix) noexcept {
    return name.components().size() >= prefix.components().size() &&
           std::equal(prefix.components().begin(), prefix.components().end(),
                      name.components().begin());
}

} // namespace leanhost::engine_native
