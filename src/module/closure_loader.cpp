#include "module/closure_loader.hpp"

#include "base/workers.hpp"

#include <absl/container/flat_hash_map.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace leanhost::module {
namespace {

// A module's name is a path below the search path, so no more than a path may have.
constexpr std::size_t max_module_name_bytes = 4096;

// Names come from files and Lean's hash has no key: this one has, so that they cannot be made to
// collide.
struct KeyedNameHash {
    std::size_t operator()(const Name& name) const {
        std::size_t hash = 0;
        for (const auto& c : name.components())
            hash = absl::HashOf(hash, c.text, c.number, c.is_number);
        return hash;
    }
};

// Parts are renamed into place one by one, the public one last or first: when it is still the one
// that was opened after all others were, they belong together.
void require_same_build(const std::vector<PartFile>& parts) {
    if (parts.size() == 1 || identity_at(parts[0].path) == parts[0].identity)
        return;
    fail(ErrorCode::file_changed,
         parts[0].path.string() + ": replaced while its other parts were being opened; try again",
         {{"file", parts[0].path.string()}});
}

// The parts that the profile sees and that are there.
std::vector<PartFile> open_parts(const std::filesystem::path& olean, Profile profile, Trust trust) {
    std::vector<PartFile> parts;
    parts.push_back(open_part(olean, PartKind::olean, trust));
    const PartKind last = profile == Profile::exported ? PartKind::olean
                          : profile == Profile::server ? PartKind::server
                                                       : PartKind::private_part;
    for (const PartKind kind : {PartKind::server, PartKind::private_part}) {
        if (kind > last)
            break;
        const auto path = part_path(olean, kind);
        if (!is_there(path))
            break; // a later part points into all earlier ones
        parts.push_back(open_part(path, kind, trust));
    }
    require_same_build(parts);
    return parts;
}

std::vector<Name> imports_of(const object::ModuleDataRef& data) {
    std::vector<Name> names;
    for (const object::ObjectRef import : data.imports()) {
        names.push_back(object::ImportRef(import).module().to_name(max_module_name_bytes));
    }
    return names;
}

// The modules found so far and those still to be loaded. A module enters when it is first named.
class LoadQueue {
public:
    LoadQueue(const ClosureRequest& request, RegionSource& regions)
        : request_(request), regions_(regions) {
        for (const Name& name : request.imports.modules)
            modules_[position_of(name)].is_root = true;
    }

    // Loads modules until none is left. `report` is called now and then, outside the lock.
    template <class F>
    void work(F&& report) {
        std::unique_lock lock(mutex_);
        while (!is_finished()) {
            if (todo_.empty()) {
                using namespace std::chrono_literals;
                changed_.wait_for(lock, 20ms);
            } else {
                LoadedModule& module = modules_[todo_.front()];
                todo_.pop_front();
                ++in_flight_;
                lock.unlock();
                const std::vector<Name> imports = load(module);
                lock.lock();
                for (const Name& name : imports)
                    module.imports.push_back(position_of(name));
                --in_flight_;
                ++done_;
                changed_.notify_all();
            }
            const std::size_t done = done_;
            const std::size_t known = modules_.size();
            lock.unlock();
            report(done, known);
            lock.lock();
        }
    }

    void stop() {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        changed_.notify_all();
    }

    std::vector<LoadedModule> result() && {
        return {std::make_move_iterator(modules_.begin()), std::make_move_iterator(modules_.end())};
    }

private:
    bool is_finished() const { return stopped_ || (todo_.empty() && in_flight_ == 0); }

    std::uint32_t position_of(const Name& name) {
        const auto [it, is_new] =
            positions_.try_emplace(name, static_cast<std::uint32_t>(modules_.size()));
        if (is_new) {
            modules_.emplace_back().name = name;
            todo_.push_back(it->second);
        }
        return it->second;
    }

    std::vector<Name> load(LoadedModule& module) {
        try {
            const auto path = request_.search_path.find(module.name);
            if (!path) {
                module.is_missing = true;
                return {};
            }
            module.region = regions_.acquire(
                open_parts(*path, request_.imports.profile, request_.trust), request_.trust);
            const Region& region = *module.region;
            return reading(region, "module data", [&] {
                const std::size_t last = region.parts().size() - 1;
                module.data = object::ModuleDataRef(region.root(last));
                module.lacks_private_part = request_.imports.profile == Profile::all &&
                                            module.data->is_module() &&
                                            region.parts()[last].kind != PartKind::private_part;
                return imports_of(*module.data);
            });
        } catch (...) {
            module.failure = std::current_exception();
            return {};
        }
    }

    const ClosureRequest& request_;
    RegionSource& regions_;
    std::mutex mutex_;
    std::condition_variable changed_;
    // All guarded by mutex_, but for a module being loaded, which is its worker's; a deque, so that
    // it stays where it is.
    std::deque<LoadedModule> modules_;
    absl::flat_hash_map<Name, std::uint32_t, KeyedNameHash> positions_;
    std::deque<std::uint32_t> todo_;
    std::size_t in_flight_ = 0;
    std::size_t done_ = 0;
    bool stopped_ = false;
};

} // namespace

std::vector<LoadedModule>
load_modules(const ClosureRequest& request, RegionSource& regions, Monitor& monitor) {
    LoadQueue queue(request, regions);
    run_workers(worker_count(SIZE_MAX, request.max_threads), [&](unsigned worker) {
        try {
            queue.work([&](std::size_t done, std::size_t known) {
                if (worker == 0 && done < known)
                    monitor.report("import", done, known);
            });
        } catch (...) {
            queue.stop();
            throw;
        }
    });
    std::vector<LoadedModule> loaded = std::move(queue).result();
    // Here, not among the workers: worker 0 may have come too late to see any of it.
    monitor.report("import", loaded.size(), loaded.size());
    return loaded;
}

} // namespace leanhost::module
