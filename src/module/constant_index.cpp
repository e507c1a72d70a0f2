#include "module/constant_index.hpp"

#include "base/workers.hpp"
#include "object/expr_equal.hpp"

#include <fmt/format.h>

#include <atomic>
#include <bit>
#include <mutex>

namespace leanhost::module {
namespace {

using object::ConstantInfoRef;
using object::ConstantKind;

// A slot: 16 bits of the hash that the position in the table does not use, and one more than the
// place, as 24 bits of module and 24 bits of constant.
constexpr unsigned place_bits = 48;
constexpr unsigned constant_bits = 24;
constexpr std::uint64_t place_mask = (std::uint64_t{1} << place_bits) - 1;
constexpr std::uint64_t constant_limit = std::uint64_t{1} << constant_bits;
constexpr std::uint64_t module_limit = (std::uint64_t{1} << (place_bits - constant_bits)) - 1;

// Lean's hash has no key and its last step can be inverted, so names that collide are easily made.
// At a load of 3/4 a run of this length has a chance of about e^-38 in an honest table.
constexpr std::size_t max_probes = 1024;

constexpr std::uint32_t constants_between_checks = 1024; // of the cancellation token

constexpr std::uint64_t tag_of(std::uint64_t hash) {
    return hash & ~place_mask;
}

constexpr std::uint64_t mk_slot(std::uint64_t hash, ConstantPlace place) {
    return tag_of(hash) | ((std::uint64_t{place.module} << constant_bits | place.constant) + 1);
}

constexpr ConstantPlace place_of(std::uint64_t slot) {
    const std::uint64_t place = (slot & place_mask) - 1;
    return {static_cast<std::uint32_t>(place >> constant_bits),
            static_cast<std::uint32_t>(place & (constant_limit - 1))};
}

std::size_t table_size(std::uint64_t constants) {
    return std::bit_ceil(std::max<std::uint64_t>(64, constants + constants / 3));
}

void require_indexable(const ImportClosure& closure) {
    const auto too_many = [](std::string_view what, std::uint64_t count, std::uint64_t limit) {
        fail(ErrorCode::resource_exhausted,
             fmt::format("{} {}: an index holds at most {}", count, what, limit));
    };
    if (closure.modules().size() >= module_limit) {
        too_many("modules", closure.modules().size(), module_limit);
    }
    for (const ClosureModule& module : closure.modules()) {
        const std::uint64_t constants = module.data.constants().size();
        if (constants >= constant_limit) {
            too_many("constants in " + module.name.to_string(), constants, constant_limit);
        }
    }
}

bool is_same_universe_params(ConstantInfoRef a, ConstantInfoRef b) {
    auto at_a = a.universe_params().begin();
    auto at_b = b.universe_params().begin();
    const auto end = a.universe_params().end();
    for (; at_a != end && at_b != end; ++at_a, ++at_b) {
        if (!(*at_a == *at_b))
            return false;
    }
    return !(at_a != end) && !(at_b != end);
}

// Two modules that do not import each other may both hold a theorem that was stated for them behind
// the scenes; of a theorem and an axiom of the same type the axiom is the theorem's public face.
// Lean: `subsumesInfo` in src/Lean/Environment.lean.
bool may_stand_twice(ConstantInfoRef a, ConstantInfoRef b) {
    const auto is_statement = [](ConstantInfoRef c) {
        return c.kind() == ConstantKind::theorem ||
               (c.kind() == ConstantKind::axiom && !c.is_unsafe());
    };
    return is_statement(a) && is_statement(b) && is_same_universe_params(a, b) &&
           object::is_same_term(a.type(), b.type());
}

class IndexBuilder {
public:
    IndexBuilder(const ImportClosure& closure, std::span<std::uint64_t> slots)
        : closure_(closure), slots_(slots), mask_(slots.size() - 1) {}

    void add_module(std::uint32_t module, const Monitor& monitor) {
        const ClosureModule& m = closure_.modules()[module];
        const std::size_t count = m.data.constants().size();
        reading(*m.region, "constants", [&] {
            for (std::uint32_t i = 0; i < count; ++i) {
                if (i % constants_between_checks == 0)
                    monitor.check();
                add({module, i});
            }
        });
    }

    std::uint64_t num_constants() const { return num_constants_; }

    // The pair to report is the first by import order, whatever the threads met first.
    void require_no_duplicates() const {
        if (clashes_.empty())
            return;
        const auto place = [](const auto& clash) {
            return std::pair(clash.second & place_mask, clash.first & place_mask);
        };
        const auto first =
            *std::min_element(clashes_.begin(), clashes_.end(),
                              [&](const auto& a, const auto& b) { return place(a) < place(b); });
        const auto module_of = [&](std::uint64_t slot) {
            return closure_.modules()[place_of(slot).module].name.to_string();
        };
        const std::string name = constant_at(closure_, place_of(first.first)).name().to_string();
        fail(ErrorCode::duplicate_constant,
             fmt::format("'{}' is defined in '{}' and in '{}': the two cannot be imported together",
                         name, module_of(first.first), module_of(first.second)),
             {{"constant", name},
              {"first_module", module_of(first.first)},
              {"second_module", module_of(first.second)}});
    }

private:
    void add(ConstantPlace place) {
        const ConstantInfoRef constant = constant_at(closure_, place);
        static_cast<void>(constant.kind()); // a constant of no known kind ends the import here
        const object::NameRef name = constant.name();
        const std::uint64_t hash = name.recomputed_hash();
        const std::uint64_t mine = mk_slot(hash, place);
        std::size_t probes = 0;
        for (std::size_t at = hash & mask_;;) {
            std::atomic_ref<std::uint64_t> slot(slots_[at]);
            std::uint64_t there = slot.load(std::memory_order_relaxed);
            if (there == 0) {
                if (!slot.compare_exchange_strong(there, mine, std::memory_order_relaxed))
                    continue;
                num_constants_.fetch_add(1, std::memory_order_relaxed);
                return;
            }
            if (!is_named(there, hash, name)) {
                if (++probes == max_probes)
                    fail_crowded(place, name);
                at = (at + 1) & mask_;
                continue;
            }
            if (!may_stand_twice(constant_at(closure_, place_of(there)), constant)) {
                note_clash(there, mine);
            }
            // Another thread may have put a third one there: then compare with that as well.
            if (mine > there ||
                slot.compare_exchange_strong(there, mine, std::memory_order_relaxed)) {
                return;
            }
        }
    }

    [[noreturn]] void fail_crowded(ConstantPlace place, object::NameRef name) const {
        fail(
            ErrorCode::invalid_input,
            fmt::format(
                "'{}' in '{}': the hashes of too many names collide; no library has that by chance",
                name.to_string(), closure_.modules()[place.module].text),
            {{"module", closure_.modules()[place.module].text}});
    }

    bool is_named(std::uint64_t slot, std::uint64_t hash, object::NameRef name) const {
        return tag_of(slot) == tag_of(hash) && constant_at(closure_, place_of(slot)).name() == name;
    }

    void note_clash(std::uint64_t a, std::uint64_t b) {
        const std::lock_guard lock(mutex_);
        clashes_.emplace_back(std::min(a, b),
                              std::max(a, b)); // one name, so one hash: places decide
    }

    const ImportClosure& closure_;
    std::span<std::uint64_t> slots_;
    std::size_t mask_;
    std::atomic<std::uint64_t> num_constants_{0};
    std::mutex mutex_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> clashes_; // guarded by mutex_
};

} // namespace

ConstantIndex::ConstantIndex(const ImportClosure& closure, unsigned max_threads, Monitor& monitor)
    : closure_(closure) {
    require_indexable(closure);
    slots_ = memory::MappedArray<std::uint64_t>(table_size(closure.num_constants()),
                                                MappingClass::index);
    IndexBuilder builder(closure, slots_.span());
    const std::size_t modules = closure.modules().size();
    std::atomic<std::size_t> next{0};
    run_workers(worker_count(modules / 16 + 1, max_threads), [&](unsigned worker) {
        try {
            for (std::size_t i = next++; i < modules; i = next++) {
                builder.add_module(static_cast<std::uint32_t>(i), monitor);
                if (worker == 0)
                    monitor.report("index", i, modules);
            }
        } catch (...) {
            next = modules;
            throw;
        }
    });
    monitor.report("index", modules, modules);
    builder.require_no_duplicates();
    num_constants_ = builder.num_constants();
    slots_.seal_read_only();
}

std::optional<ConstantPlace> ConstantIndex::find(const Name& name) const {
    const std::span<const std::uint64_t> slots = slots_.span();
    const std::size_t mask = slots.size() - 1;
    // No name stands max_probes or more behind its home.
    std::size_t at = name.hash() & mask;
    for (std::size_t probes = 0; probes < max_probes; ++probes, at = (at + 1) & mask) {
        const std::uint64_t slot = slots[at];
        if (slot == 0)
            return std::nullopt;
        if (tag_of(slot) != tag_of(name.hash()))
            continue;
        const ConstantPlace place = place_of(slot);
        if (constant_at(closure_, place).name() == name)
            return place;
    }
    return std::nullopt;
}

} // namespace leanhost::module
