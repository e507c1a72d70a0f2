#include "module/import_closure.hpp"

#include "module/closure_loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>

namespace leanhost::module {
namespace {

// Orders the loaded modules: imports first, each once, as Lean's own import visits them. Not
// recursive: the depth of a closure is its files' choice.
class ImportOrder {
public:
    ImportOrder(std::vector<LoadedModule>& loaded, const ClosureRequest& request)
        : loaded_(loaded), request_(request), state_(loaded.size(), State::unseen),
          position_(loaded.size(), not_placed) {}

    void visit_root(std::uint32_t root) {
        enter(root);
        while (!path_.empty()) {
            Step& top = path_.back();
            const auto& imports = loaded_[top.module].imports;
            if (top.next < imports.size()) {
                enter(imports[top.next++]);
            } else {
                leave(top.module);
                path_.pop_back();
            }
        }
    }

    ImportClosure closure() && { return {std::move(modules_), std::move(missing_)}; }

private:
    enum class State : std::uint8_t { unseen, on_path, done };
    static constexpr std::uint32_t not_placed = UINT32_MAX;
    struct Step {
        std::uint32_t module;
        std::size_t next;
    };

    void enter(std::uint32_t module) {
        if (state_[module] == State::done)
            return;
        if (state_[module] == State::on_path)
            fail_cycle(module);
        const LoadedModule& loaded = loaded_[module];
        if (loaded.failure != nullptr)
            std::rethrow_exception(loaded.failure);
        if (loaded.is_missing) {
            note_missing(module);
        } else {
            state_[module] = State::on_path;
            path_.push_back({module, 0});
        }
    }

    void leave(std::uint32_t module) {
        LoadedModule& loaded = loaded_[module];
        state_[module] = State::done;
        position_[module] = static_cast<std::uint32_t>(modules_.size());
        std::vector<std::uint32_t> imports;
        for (const std::uint32_t import : loaded.imports) {
            if (position_[import] != not_placed)
                imports.push_back(position_[import]);
        }
        std::string text = loaded.name.to_string();
        modules_.push_back({std::move(loaded.name), std::move(text), std::move(loaded.region),
                            *loaded.data, std::move(imports), loaded.lacks_private_part});
    }

    void note_missing(std::uint32_t module) {
        const Name importer = path_.empty() ? Name() : loaded_[path_.back().module].name;
        if (!request_.imports.allow_missing)
            fail_missing(loaded_[module].name, importer);
        state_[module] = State::done;
        missing_.push_back({loaded_[module].name, importer});
    }

    [[noreturn]] void fail_missing(const Name& module, const Name& importer) const {
        const std::string by =
            importer.is_anonymous() ? "" : fmt::format(", imported by '{}'", importer.to_string());
        const std::string path = request_.search_path.to_string();
        fail(ErrorCode::missing_module,
             fmt::format(
                 "module '{}'{} is not in the search path '{}' (allow_missing leaves such modules "
                 "out)",
                 module.to_string(), by, path),
             {{"module", module.to_string()},
              {"imported_by", importer.to_string()},
              {"search_path", path}});
    }

    [[noreturn]] void fail_cycle(std::uint32_t module) const {
        std::string cycle;
        bool inside = false;
        for (const Step& step : path_) {
            inside = inside || step.module == module;
            if (inside)
                cycle += loaded_[step.module].name.to_string() + " → ";
        }
        cycle += loaded_[module].name.to_string();
        fail(ErrorCode::import_cycle, "modules import each other: " + cycle, {{"cycle", cycle}});
    }

    std::vector<LoadedModule>& loaded_;
    const ClosureRequest& request_;
    std::vector<State> state_;
    std::vector<std::uint32_t> position_;
    std::vector<Step> path_;
    std::vector<ClosureModule> modules_;
    std::vector<MissingModule> missing_;
};

} // namespace

std::uint64_t ImportClosure::num_constants() const noexcept {
    return std::accumulate(
        modules_.begin(), modules_.end(), std::uint64_t{0},
        [](std::uint64_t sum, const ClosureModule& m) { return sum + m.data.constants().size(); });
}

std::uint64_t ImportClosure::size_bytes() const noexcept {
    return std::accumulate(
        modules_.begin(), modules_.end(), std::uint64_t{0},
        [](std::uint64_t sum, const ClosureModule& m) { return sum + m.region->size_bytes(); });
}

bool ImportClosure::is_current() const {
    return std::all_of(modules_.begin(), modules_.end(), [](const ClosureModule& m) {
        const auto parts = m.region->parts();
        const auto private_part = part_path(parts[0].path, PartKind::private_part);
        if (m.lacks_private_part && identity_at(private_part))
            return false; // it has been built since
        return std::all_of(parts.begin(), parts.end(), [](const Region::Part& part) {
            return identity_at(part.path) == part.identity;
        });
    });
}

ImportClosure load_closure(const ClosureRequest& request, RegionSource& regions, Monitor& monitor) {
    std::vector<LoadedModule> loaded = load_modules(request, regions, monitor);
    ImportOrder order(loaded, request);
    // The first slots are those asked for, in order; a module named twice has one slot.
    for (std::uint32_t root = 0; root < loaded.size() && loaded[root].is_root; ++root) {
        order.visit_root(root);
    }
    return std::move(order).closure();
}

} // namespace leanhost::module
