#include "kernel/big_integer.hpp"
#include "kernel/builtin.hpp"
#include "kernel/type_checker.hpp"

#include <array>
#include <memory>

namespace leanhost::kernel {
namespace {

constexpr std::size_t max_literal_bits = max_literal_bytes * 8;
// Of the smaller operand: with both as large as that GMP takes a second or two.
constexpr std::size_t max_gcd_bits = std::size_t{1} << 23;
static_assert(sizeof(mp_limb_t) == sizeof(std::uint64_t));

} // namespace

NatCall nat_call(const KernelNames& known, NameId name) {
    const std::array<NameId, 15> names = {
        known.nat_add, known.nat_sub, known.nat_mul,        known.nat_pow,         known.nat_div,
        known.nat_mod, known.nat_gcd, known.nat_beq,        known.nat_ble,         known.nat_land,
        known.nat_lor, known.nat_xor, known.nat_shift_left, known.nat_shift_right, known.nat_log2};
    for (std::uint8_t i = 0; i < names.size(); ++i) {
        if (names[i] == name)
            return static_cast<NatCall>(i);
    }
    return NatCall::none;
}

bool TypeChecker::is_nat_literal(Term term) const noexcept {
    const TermKind kind = store_.kind(term);
    return kind == TermKind::nat || kind == TermKind::big_nat;
}

bool TypeChecker::is_nat_zero(Term term) const noexcept {
    const TermNode& node = store_[term];
    return (node.kind == TermKind::constant && node.a == known_.nat_zero) ||
           (node.kind == TermKind::nat && node.a == 0 && node.b == 0);
}

bool TypeChecker::is_builtin_nat_call(NameId name) const noexcept {
    if (!has_builtin_nat() || name > known_.eq_refl)
        return false;
    if (name == known_.nat_succ)
        return true;
    const NatCall call = nat_call(known_, name);
    return call != NatCall::none && (builtins_ & builtin_bit(call)) != 0;
}

// The literal that a closed natural number reduces to.
std::optional<Term> TypeChecker::literal_value(Term term) {
    const Term value = whnf(term);
    if (is_nat_literal(value))
        return value;
    if (is_nat_zero(value))
        return store_.nat(0);
    return std::nullopt;
}

std::optional<Term> TypeChecker::reduce_nat(Term term) {
    const TermNode& node = store_[term];
    if (node.kind != TermKind::app)
        return std::nullopt;
    const TermNode& function = store_[node.a];
    if (function.kind == TermKind::constant)
        return is_builtin_nat_call(function.a) ? reduce_nat_unary(function.a, node.b)
                                               : std::nullopt;
    if (function.kind != TermKind::app)
        return std::nullopt;
    const TermNode& head = store_[function.a];
    if (head.kind != TermKind::constant || !is_builtin_nat_call(head.a))
        return std::nullopt;
    return reduce_nat_call(head.a, function.b, node.b);
}

std::optional<Term> TypeChecker::reduce_nat_unary(NameId name, Term argument) {
    const bool is_succ = name == known_.nat_succ;
    if (!is_succ && name != known_.nat_log2)
        return std::nullopt;
    const auto value = literal_value(argument);
    if (!value)
        return std::nullopt;
    std::uint64_t small = 0;
    const auto limbs = store_.nat_limbs(*value, small);
    if (is_succ && limbs.size() <= 1 && small != 0xFFFFFFFFFFFFFFFF)
        return store_.nat(small + 1);
    mpz_t view;
    mpz_roinit_n(view, limbs.data(), static_cast<mp_size_t>(limbs.size()));
    if (!is_succ)
        return store_.nat(limbs.empty() ? 0 : mpz_sizeinbase(view, 2) - 1);
    Integer result;
    mpz_add_ui(result, view, 1);
    return store_.nat(std::span<const std::uint64_t>(mpz_limbs_read(result), mpz_size(result)));
}

std::optional<Term> TypeChecker::reduce_nat_call(NameId name, Term lhs, Term rhs) {
    const NatCall call = nat_call(known_, name);
    if (call == NatCall::none || call == NatCall::log2)
        return std::nullopt;
    const auto left = literal_value(lhs);
    const auto right = left ? literal_value(rhs) : std::nullopt;
    if (!right)
        return std::nullopt;
    std::uint64_t small_a = 0;
    std::uint64_t small_b = 0;
    const auto limbs_a = store_.nat_limbs(*left, small_a);
    const auto limbs_b = store_.nat_limbs(*right, small_b);
    mpz_t a;
    mpz_t b;
    mpz_roinit_n(a, limbs_a.data(), static_cast<mp_size_t>(limbs_a.size()));
    mpz_roinit_n(b, limbs_b.data(), static_cast<mp_size_t>(limbs_b.size()));
    const std::size_t bits_a = limbs_a.empty() ? 0 : mpz_sizeinbase(a, 2);
    const std::size_t bits_b = limbs_b.empty() ? 0 : mpz_sizeinbase(b, 2);
    const auto require_bits = [](bool fits) {
        if (!fits)
            fail(ErrorCode::resource_exhausted,
                 "a natural number of more than 16 MiB would be computed");
    };
    const auto boolean = [this](bool value) {
        return store_.constant(value ? known_.bool_true : known_.bool_false, no_levels);
    };
    Integer result;
    const auto compute = [&](std::size_t work_bits, IntegerOperation operation) {
        constexpr std::size_t most_at_once = std::size_t{1} << 20; // a few milliseconds
        constexpr std::size_t bits_for_a_look = std::size_t{1} << 16;
        heartbeats_ += work_bits / 64;
        if (work_bits >= bits_for_a_look)
            check_limits();
        if (work_bits <= most_at_once)
            operation(result, a, b);
        else
            compute_apart(result, a, b, operation, [this] { check_limits(); });
    };
    switch (call) {
    case NatCall::add:
        require_bits(std::max(bits_a, bits_b) < max_literal_bits);
        mpz_add(result, a, b);
        break;
    case NatCall::sub:
        if (mpz_cmp(a, b) > 0)
            mpz_sub(result, a, b);
        break;
    case NatCall::mul:
        require_bits(bits_a + bits_b <= max_literal_bits);
        compute(bits_a + bits_b, mpz_mul);
        break;
    case NatCall::pow:
        if (bits_a <= 1 || bits_b == 0) {
            mpz_set_ui(result, bits_a == 0 && bits_b != 0 ? 0 : 1);
            break;
        }
        // Lean's own kernel leaves exponents beyond 2^24 to the definition.
        if (mpz_cmp_ui(b, 1UL << 24U) > 0)
            return std::nullopt;
        require_bits(bits_a <= max_literal_bits / mpz_get_ui(b));
        compute(bits_a * mpz_get_ui(b), [](mpz_ptr power, mpz_srcptr base, mpz_srcptr exponent) {
            mpz_pow_ui(power, base, mpz_get_ui(exponent));
        });
        break;
    case NatCall::div:
        if (bits_b != 0)
            compute(bits_a, mpz_fdiv_q);
        break;
    case NatCall::mod:
        if (bits_b != 0)
            compute(bits_a, mpz_fdiv_r);
        else
            mpz_set(result, a);
        break;
    case NatCall::gcd:
        if (std::min(bits_a, bits_b) > max_gcd_bits)
            fail(ErrorCode::resource_exhausted,
                 "the greatest common divisor of natural numbers of more than 1 MiB");
        compute(8 * (bits_a + bits_b), mpz_gcd);
        break;
    case NatCall::beq:
        return boolean(mpz_cmp(a, b) == 0);
    case NatCall::ble:
        return boolean(mpz_cmp(a, b) <= 0);
    case NatCall::land:
        mpz_and(result, a, b);
        break;
    case NatCall::lor:
        mpz_ior(result, a, b);
        break;
    case NatCall::xor_:
        mpz_xor(result, a, b);
        break;
    case NatCall::shift_left:
        if (bits_a == 0)
            break;
        require_bits(bits_b <= 32 && bits_a + mpz_get_ui(b) <= max_literal_bits);
        mpz_mul_2exp(result, a, mpz_get_ui(b));
        break;
    case NatCall::shift_right:
        if (bits_b <= 32)
            mpz_fdiv_q_2exp(result, a, mpz_get_ui(b));
        break;
    default:
        return std::nullopt;
    }
    return store_.nat(std::span<const std::uint64_t>(mpz_limbs_read(result), mpz_size(result)));
}

// n of Nat.succ n, or of a literal n + 1.
std::optional<Term> TypeChecker::nat_pred(Term term) {
    const TermNode& node = store_[term];
    if (node.kind == TermKind::app) {
        const TermNode& function = store_[node.a];
        if (function.kind == TermKind::constant && function.a == known_.nat_succ)
            return node.b;
        return std::nullopt;
    }
    if (!is_nat_literal(term) || is_nat_zero(term))
        return std::nullopt;
    std::uint64_t small = 0;
    const auto limbs = store_.nat_limbs(term, small);
    if (limbs.size() == 1)
        return store_.nat(small - 1);
    mpz_t view;
    mpz_roinit_n(view, limbs.data(), static_cast<mp_size_t>(limbs.size()));
    Integer result;
    mpz_sub_ui(result, view, 1);
    return store_.nat(std::span<const std::uint64_t>(mpz_limbs_read(result), mpz_size(result)));
}

// "Progress": t and s have become their predecessors, whose answer it is.
TypeChecker::Step TypeChecker::is_def_eq_offset_nat(Term& t, Term& s) {
    if (!has_builtin_nat())
        return Step::unknown;
    if (is_nat_zero(t) && is_nat_zero(s))
        return Step::equal;
    if (is_nat_literal(t) && is_nat_literal(s))
        return t == s ? Step::equal : Step::different;
    const auto pred_t = nat_pred(t);
    const auto pred_s = pred_t ? nat_pred(s) : std::nullopt;
    if (!pred_s)
        return Step::unknown;
    t = *pred_t;
    s = *pred_s;
    return Step::progress;
}

Term TypeChecker::nat_literal_to_constructor(Term literal) {
    if (!has_builtin_nat())
        return literal;
    const auto pred = nat_pred(literal);
    if (!pred)
        return store_.constant(known_.nat_zero, no_levels);
    return store_.app(store_.constant(known_.nat_succ, no_levels), *pred);
}

// String.ofList [Char.ofNat c, …], or with the constructor String.mk. The literal may come from a
// declaration that was checked elsewhere, so that it is the first one met here.
Term TypeChecker::string_literal_to_constructor(Term literal) {
    if (!has_builtin_string())
        return literal;
    const std::string_view text = store_.string_text(literal);
    std::vector<std::uint32_t> characters;
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const std::size_t length = byte < 0x80 ? 1U : byte < 0xE0 ? 2U : byte < 0xF0 ? 3U : 4U;
        std::uint32_t c = length == 1 ? byte : byte & (0xFFU >> (length + 1));
        for (std::size_t k = 1; k < length && i + k < text.size(); ++k)
            c = (c << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
        characters.push_back(c);
        i += length;
    }
    const Level zero[] = {store_.zero()};
    const Levels list_levels = store_.list(zero);
    const Term type = store_.constant(known_.char_, no_levels);
    const Term cons = store_.app(store_.constant(known_.list_cons, list_levels), type);
    const Term of_nat = store_.constant(known_.char_of_nat, no_levels);
    Term list = store_.app(store_.constant(known_.list_nil, list_levels), type);
    for (std::size_t i = characters.size(); i-- > 0;) {
        const Term character = store_.app(of_nat, store_.nat(characters[i]));
        list = store_.app(store_.app(cons, character), list);
    }
    return store_.app(store_.constant(string_function_, no_levels), list);
}

// A literal is a value in safe declarations too, so what it stands for is neither unsafe nor
// partial: those prove anything.
const ConstantInfo* TypeChecker::find_safe(NameId name) const {
    const ConstantInfo* const info = find(name);
    return info != nullptr && info->safety == DefinitionSafety::safe ? info : nullptr;
}

// List, List.nil, List.cons, Char.ofNat with the types that a literal's characters need.
bool TypeChecker::are_lists_as_expected() {
    const ConstantInfo* const list = find_safe(known_.list);
    const ConstantInfo* const nil = find_safe(known_.list_nil);
    const ConstantInfo* const cons = find_safe(known_.list_cons);
    const ConstantInfo* const of_nat = find_safe(known_.char_of_nat);
    if (list == nullptr || nil == nullptr || cons == nullptr || of_nat == nullptr ||
        find_safe(known_.char_) == nullptr || store_.levels(list->params).size() != 1 ||
        nil->params != list->params || cons->params != list->params || of_nat->params != no_levels)
        return false;
    const Term nat = store_.constant(known_.nat, no_levels);
    const Term type = store_.sort(store_.succ(store_.levels(list->params)[0]));
    const Term alpha = local(0, type);
    const Term lists = store_.app(store_.constant(known_.list, list->params), alpha);
    return list->type == store_.pi(type, type) && nil->type == mk_pi(std::span(&alpha, 1), lists) &&
           cons->type == mk_pi(std::span(&alpha, 1), store_.pi(alpha, store_.pi(lists, lists))) &&
           of_nat->type == store_.pi(nat, store_.constant(known_.char_, no_levels));
}

// A literal stands for an application of one function from lists of characters, which is settled
// when the first literal is met: the constructor of strings if it takes one, or String.ofList.
bool TypeChecker::has_builtin_string() {
    if (string_function_ != anonymous)
        return true;
    const ConstantInfo* const string = find_safe(known_.string);
    if (string == nullptr || string->params != no_levels || !has_builtin_nat() ||
        !are_lists_as_expected())
        return false;
    const ConstantInfo* const mk = find_safe(known_.string_mk);
    const bool has_constructor = mk != nullptr && mk->kind == ConstantKind::constructor;
    const ConstantInfo* const function = has_constructor ? mk : find_safe(known_.string_of_list);
    const Level zero[] = {store_.zero()};
    const Term list = store_.app(store_.constant(known_.list, store_.list(zero)),
                                 store_.constant(known_.char_, no_levels));
    if (function == nullptr || function->params != no_levels ||
        function->type != store_.pi(list, store_.constant(known_.string, no_levels)))
        return false;
    string_function_ = function->name;
    return true;
}

} // namespace leanhost::kernel
