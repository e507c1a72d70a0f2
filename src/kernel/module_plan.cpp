#include "kernel/module_plan.hpp"

#include "module/mentioned_names.hpp"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <string_view>

namespace leanhost::kernel {

using object::ConstantInfoRef;
using object::ConstantKind;
using object::DefinitionSafety;
using object::NameRef;

namespace {

// What the type of a literal, or a rule for it, rests on without mentioning it.
constexpr std::array nat_literal_names = {std::string_view("Nat")};
// The quotient package is checked in this order, after Eq.
constexpr std::array quotient_names = {std::string_view("Eq"), std::string_view("Quot"),
                                       std::string_view("Quot.mk"), std::string_view("Quot.lift"),
                                       std::string_view("Quot.ind")};

bool is_checked(ConstantInfoRef constant) {
    return constant.kind() == ConstantKind::definition ? constant.safety() == DefinitionSafety::safe
                                                       : !constant.is_unsafe();
}

} // namespace

/// Groups constants into declarations, then orders these: those whose every mention is placed
/// come first, in the module's order.
class ModulePlanBuilder {
public:
    ModulePlanBuilder(const module::ClosureModule& module, ModulePlan& plan)
        : module_(module), plan_(plan), count_(module.data.constants().size()),
          mentioned_(*module.region) {}

    void build(const Monitor& monitor) {
        index_names();
        find_groups();
        read_mentions(monitor);
        order_groups();
        place_constants();
    }

private:
    using Place = std::uint32_t;
    static constexpr Place none = ModulePlan::none;

    ConstantInfoRef constant(Place place) const { return module_.data.constant(place); }

    void index_names() {
        place_of_.reserve(count_);
        for (Place i = 0; i < count_; ++i)
            place_of_.try_emplace(constant(i).name().to_name(), i);
    }

    Place find(const Name& name) const {
        const auto found = place_of_.find(name);
        return found == place_of_.end() ? none : found->second;
    }

    // A module's terms share their names, so few are looked up.
    Place find(NameRef name) {
        const auto [known, is_new] = place_of_object_.try_emplace(name.object().word(), none);
        if (is_new)
            known->second = find(name.to_name());
        return known->second;
    }

    // The constant that stands for a declaration: of an inductive block its first type. What
    // belongs to no block that agrees stands alone, and is refused when it is checked.
    Place group_of(Place place) {
        const ConstantInfoRef info = constant(place);
        switch (info.kind()) {
        case ConstantKind::inductive:
        case ConstantKind::recursor:
            return first_type(info.all()).value_or(place);
        case ConstantKind::constructor: {
            const Place type = find(info.inductive_name());
            return is_inductive(type) ? first_type(constant(type).all()).value_or(place) : place;
        }
        default:
            return place;
        }
    }

    std::optional<Place> first_type(object::ListRef<NameRef> all) {
        const Place first = first_of(all);
        if (!is_inductive(first) || !is_checked(constant(first)) ||
            first_of(constant(first).all()) != first)
            return std::nullopt;
        return first;
    }

    Place first_of(object::ListRef<NameRef> names) {
        return names.empty() ? none : find(*names.begin());
    }

    bool is_inductive(Place place) const {
        return place != none && constant(place).kind() == ConstantKind::inductive;
    }

    void find_groups() {
        groups_.resize(count_);
        for (Place i = 0; i < count_; ++i)
            groups_[i] = is_checked(constant(i)) ? group_of(i) : none;
    }

    void read_mentions(const Monitor& monitor) {
        constexpr Place constants_between_looks = 256;
        for (Place i = 0; i < count_; ++i) {
            if (i % constants_between_looks == 0)
                monitor.check();
            if (groups_[i] == none)
                continue;
            reading_from_ = groups_[i];
            mentioned_.read(
                constant(i), [this](NameRef name, bool) { add_mention(find(name)); },
                [this](bool is_nat) { add_literal(is_nat); });
            if (constant(i).kind() == ConstantKind::quotient)
                add_earlier_quotients(constant(i).quotient_kind());
        }
        std::sort(mentions_.begin(), mentions_.end());
        mentions_.erase(std::unique(mentions_.begin(), mentions_.end()), mentions_.end());
    }

    void add_mention(Place mentioned) {
        if (mentioned == none || groups_[mentioned] == none || groups_[mentioned] == reading_from_)
            return;
        mentions_.push_back({groups_[mentioned], reading_from_});
    }

    void add_literal(bool is_nat) {
        const std::span<const std::string_view> names =
            is_nat ? std::span<const std::string_view>(nat_literal_names)
                   : module::string_literal_names;
        for (const std::string_view name : names)
            add_mention(find(Name(name)));
    }

    void add_earlier_quotients(std::uint8_t kind) {
        for (std::size_t i = 0; i < std::size_t{kind} + 1; ++i)
            add_mention(find(Name(quotient_names[i])));
    }

    void order_groups() {
        std::vector<std::uint32_t> num_waiting_for(count_);
        for (const Mention& mention : mentions_)
            ++num_waiting_for[mention.by];
        const auto place = [&](Place group) {
            order_.push_back(group);
            num_waiting_for[group] = none;
        };
        for (Place i = 0; i < count_; ++i) {
            if (groups_[i] == i && num_waiting_for[i] == 0)
                place(i);
        }
        for (std::size_t next = 0; next < order_.size(); ++next) {
            const auto first =
                std::lower_bound(mentions_.begin(), mentions_.end(), Mention{order_[next], 0});
            for (auto at = first; at != mentions_.end() && at->of == order_[next]; ++at) {
                if (--num_waiting_for[at->by] == 0)
                    place(at->by);
            }
        }
        for (Place i = 0; i < count_; ++i) { // those in or behind a cycle
            if (groups_[i] == i && num_waiting_for[i] != none)
                place(i);
        }
    }

    void place_constants() {
        plan_.declaration_of_.assign(count_, ModulePlan::none);
        std::vector<std::uint32_t> rank(count_);
        for (std::uint32_t i = 0; i < order_.size(); ++i)
            rank[order_[i]] = i;
        for (Place i = 0; i < count_; ++i) {
            if (groups_[i] != none)
                plan_.declaration_of_[i] = rank[groups_[i]];
        }
        plan_.constants_.resize(count_);
        std::iota(plan_.constants_.begin(), plan_.constants_.end(), 0);
        std::erase_if(plan_.constants_, [&](Place i) { return groups_[i] == none; });
        std::stable_sort(plan_.constants_.begin(), plan_.constants_.end(), [&](Place a, Place b) {
            return plan_.declaration_of_[a] < plan_.declaration_of_[b];
        });
        for (std::uint32_t i = 0; i < plan_.constants_.size(); ++i) {
            if (plan_.declaration_of_[plan_.constants_[i]] >= plan_.ends_.size())
                plan_.ends_.push_back(0);
            plan_.ends_.back() = i + 1;
        }
        for (std::uint32_t i = 0; i < plan_.num_declarations(); ++i)
            order_types(i);
    }

    // The types of a block in the order that its first type states, before all others.
    void order_types(std::uint32_t declaration) {
        const std::uint32_t begin = declaration == 0 ? 0 : plan_.ends_[declaration - 1];
        const std::span<Place> members(plan_.constants_.data() + begin,
                                       plan_.ends_[declaration] - begin);
        if (!is_inductive(groups_[members[0]]))
            return;
        absl::flat_hash_map<Place, std::size_t> stated;
        for (const NameRef name : constant(groups_[members[0]]).all())
            stated.try_emplace(find(name), stated.size());
        const auto rank = [&](Place place) {
            const auto found = stated.find(place);
            return found != stated.end() ? found->second
                   : is_inductive(place) ? stated.size()
                                         : stated.size() + 1;
        };
        std::stable_sort(members.begin(), members.end(),
                         [&](Place a, Place b) { return rank(a) < rank(b); });
    }

    /// One group is mentioned by another.
    struct Mention {
        Place of;
        Place by;
        auto operator<=>(const Mention&) const = default;
    };

    const module::ClosureModule& module_;
    ModulePlan& plan_;
    const std::size_t count_;
    module::MentionedNames mentioned_;
    absl::flat_hash_map<Name, Place> place_of_;
    absl::flat_hash_map<std::uint64_t, Place> place_of_object_; // by the name object
    std::vector<Place> groups_;                                 // by constant; none: left out
    Place reading_from_ = none;
    std::vector<Mention> mentions_;
    std::vector<Place> order_; // groups
};

ModulePlan::ModulePlan(const module::ClosureModule& module, const Monitor& monitor) {
    module::reading(*module.region, "constant",
                    [&] { ModulePlanBuilder(module, *this).build(monitor); });
}

std::size_t ModulePlan::size_bytes() const noexcept {
    return (constants_.capacity() + ends_.capacity() + declaration_of_.capacity()) *
           sizeof(std::uint32_t);
}

} // namespace leanhost::kernel
