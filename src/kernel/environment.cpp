#include "kernel/environment.hpp"

namespace leanhost::kernel {

namespace {

constexpr std::size_t max_constants = std::size_t{1} << 26;
constexpr std::size_t max_names = std::size_t{1} << 28;

} // namespace

Environment::Environment()
    : by_name_(max_names), constants_(max_constants), facts_at_(max_constants) {}

NameId major_inductive(const TermStore& store, const InductiveFacts& facts, Term type) {
    const std::uint64_t before =
        std::uint64_t{facts.num_params} + facts.num_motives + facts.num_minors + facts.num_indices;
    for (std::uint64_t i = 0; i < before && store.kind(type) == TermKind::pi; ++i)
        type = store[type].b;
    if (store.kind(type) != TermKind::pi)
        return anonymous;
    Term head = store[type].a;
    while (store.kind(head) == TermKind::app)
        head = store[head].a;
    return store.kind(head) == TermKind::constant ? NameId{store[head].a} : anonymous;
}

const ConstantInfo* Environment::add(ConstantInfo info, const InductiveFacts* facts) {
    LEANHOST_REQUIRE(place_of(info.name) == 0);
    if (facts != nullptr) {
        facts_.push_back(*facts);
        info.facts = facts_at_.push(&facts_.back());
    }
    if (info.name >= by_name_.size())
        by_name_.extend(info.name + 1 - by_name_.size());
    const std::uint32_t place = constants_.push(info);
    __atomic_store_n(&by_name_[info.name], place + 1, __ATOMIC_RELEASE);
    return &constants_[place];
}

void Environment::set_value(NameId name, Term value) {
    constants_[by_name_[name] - 1].value = value;
}

void Overlay::add(ConstantInfo info, const InductiveFacts* facts) {
    if (facts != nullptr) {
        info.facts = static_cast<std::uint32_t>(facts_.size());
        facts_.push_back(*facts);
    }
    index_.put(info.name, static_cast<std::uint32_t>(constants_.size()));
    constants_.push_back(info);
}

std::size_t Environment::bytes() const noexcept {
    return by_name_.bytes() + constants_.bytes() + facts_.size() * sizeof(InductiveFacts);
}

KernelNames::KernelNames(NameTable& names)
    : nat(names.dotted("Nat")), nat_zero(names.dotted("Nat.zero")),
      nat_succ(names.dotted("Nat.succ")), nat_add(names.dotted("Nat.add")),
      nat_sub(names.dotted("Nat.sub")), nat_mul(names.dotted("Nat.mul")),
      nat_pow(names.dotted("Nat.pow")), nat_beq(names.dotted("Nat.beq")),
      nat_ble(names.dotted("Nat.ble")), nat_div(names.dotted("Nat.div")),
      nat_mod(names.dotted("Nat.mod")), nat_gcd(names.dotted("Nat.gcd")),
      nat_land(names.dotted("Nat.land")), nat_lor(names.dotted("Nat.lor")),
      nat_xor(names.dotted("Nat.xor")), nat_shift_left(names.dotted("Nat.shiftLeft")),
      nat_shift_right(names.dotted("Nat.shiftRight")), nat_log2(names.dotted("Nat.log2")),
      nat_pred(names.dotted("Nat.pred")), bool_(names.dotted("Bool")),
      bool_true(names.dotted("Bool.true")), bool_false(names.dotted("Bool.false")),
      string(names.dotted("String")), string_mk(names.dotted("String.mk")),
      string_of_list(names.dotted("String.ofList")), list(names.dotted("List")),
      list_nil(names.dotted("List.nil")), list_cons(names.dotted("List.cons")),
      char_(names.dotted("Char")), char_of_nat(names.dotted("Char.ofNat")), eq(names.dotted("Eq")),
      eq_refl(names.dotted("Eq.refl")), quot(names.dotted("Quot")),
      quot_mk(names.dotted("Quot.mk")), quot_lift(names.dotted("Quot.lift")),
      quot_ind(names.dotted("Quot.ind")), nat_le(names.dotted("Nat.le")),
      nat_le_refl(names.dotted("Nat.le.refl")), nat_le_step(names.dotted("Nat.le.step")),
      acc(names.dotted("Acc")), acc_intro(names.dotted("Acc.intro")),
      opt_param(names.dotted("optParam")), auto_param(names.dotted("autoParam")),
      out_param(names.dotted("outParam")), semi_out_param(names.dotted("semiOutParam")),
      eager_reduce(names.dotted("eagerReduce")), reduce_bool(names.dotted("Lean.reduceBool")),
      reduce_nat(names.dotted("Lean.reduceNat")), propext(names.dotted("propext")),
      quot_sound(names.dotted("Quot.sound")), choice(names.dotted("Classical.choice")),
      iff(names.dotted("Iff")), iff_intro(names.dotted("Iff.intro")),
      nonempty(names.dotted("Nonempty")), nonempty_intro(names.dotted("Nonempty.intro")) {}

} // namespace leanhost::kernel
