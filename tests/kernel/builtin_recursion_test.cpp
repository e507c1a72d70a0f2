#include "kernel/export_text.hpp"
#include "support/test_data.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <sstream>

namespace leanhost::kernel::test {
namespace {

using leanhost::test::test_data;
using Id = ExportText::Id;
using Args = std::vector<std::string>;

/// A slice of Lean's own library, in which functions can be defined anew.
class Library {
public:
    Library() : text_(50'000'000) {
        std::ifstream file(test_data("init-medium.ndjson"));
        std::stringstream whole;
        whole << file.rdbuf();
        library_ = whole.str();
    }

    /// What the library calls Nat.`name` has another name, `name`_of_library, from now on.
    Library& without(const std::string& name) {
        const std::string nat = R"("str":{"pre":0,"str":"Nat"}})";
        const auto end = library_.find(nat) - 1;
        const auto begin = library_.rfind(':', end) + 1;
        const std::string id = library_.substr(begin, end - begin);
        const std::string old = R"({"pre":)" + id + R"(,"str":")" + name + R"("})";
        const auto at = library_.find(old);
        EXPECT_NE(at, std::string::npos);
        library_.replace(at, old.size(),
                         R"({"pre":)" + id + R"(,"str":")" + name + R"(_of_library"})");
        return *this;
    }

    ExportText& text() { return text_; }
    Id nat() { return text_.constant("Nat"); }
    Id number(const std::string& digits) { return text_.nat(digits); }
    Id var(unsigned index) { return text_.bvar(index); }
    Id one() { return one_ != 0 ? one_ : one_ = text_.level_succ(0); }
    Id call(const std::string& f, const std::vector<Id>& args) {
        return text_.app(text_.constant(f), args);
    }
    Id lam(Id body) { return text_.lam(nat(), body); }
    Id nat_to(Id to) { return text_.pi(nat(), to); }
    Library& unary(const std::string& f, Id value) {
        text_.definition(f, nat_to(nat()), value);
        return *this;
    }
    Library& binary(const std::string& f, Id value) {
        text_.definition(f, nat_to(nat_to(nat())), value);
        return *this;
    }

    /// theorem `name` : f args = result := rfl
    void state(const std::string& name,
               const std::string& f,
               const Args& args,
               const std::string& result) {
        Id call = text_.constant(f);
        for (const std::string& arg : args)
            call = text_.app(call, {number(arg)});
        const Id value = number(result);
        const Id type = text_.app(text_.constant("Eq", {one()}), {nat(), call, value});
        text_.theorem(name, type, text_.app(text_.constant("Eq.refl", {one()}), {nat(), value}));
    }

    ExportReport check() const {
        CheckOptions options;
        options.max_heartbeats = 1'000'000; // unfolding a large number takes more
        return check_text(library_ + text_.text(), options);
    }

    /// Checks that equation alone.
    Verdict equation(const std::string& f, const Args& args, const std::string& result) {
        state("test", f, args, result);
        ExportReport report = check();
        if (report.verdict.kind != VerdictKind::accepted) {
            EXPECT_EQ(report.declaration, "test") << report.verdict.message;
        }
        return report.verdict;
    }

private:
    std::string library_;
    ExportText text_;
    Id one_ = 0;
};

constexpr const char* big =
    "1606938044258990275541962092341162602522202993782792835301376"; // 2^200
constexpr const char* less = "1606938044258990275541962092341162602522202993782792835301375";
constexpr const char* half = "803469022129495137770981046170581301261101496891396417650688";

/// Once a rule is used, large numbers cost nothing; where it must not be, small ones show it.
void expect_rule(Library& library, const std::string& f, const Args& args, const char* result) {
    const Verdict verdict = library.equation(f, args, result);
    EXPECT_EQ(verdict.kind, VerdictKind::accepted) << f << ": " << verdict.message;
}
void expect_no_rule(Library& library, const std::string& f, const Args& args, const char* result) {
    const Verdict verdict = library.equation(f, args, result);
    EXPECT_EQ(verdict.reason, "value_type_mismatch") << f << ": " << verdict.message;
}

TEST(BuiltinRecursion, TheLibrarysOwnFunctionsHaveTheirRules) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    const std::tuple<const char*, Args, const char*> cases[] = {
        {"Nat.gcd", {big, "1180591620717411303424"}, "1180591620717411303424"},
        {"Nat.land", {less, half}, half},
        {"Nat.lor", {big, less}, "3213876088517980551083924184682325205044405987565585670602751"},
        {"Nat.div", {big, "2"}, half},
        {"Nat.mod", {big, less}, "1"},
        {"Nat.shiftRight", {big, "1"}, half},
        {"Nat.shiftLeft", {half, "1"}, big},
        {"Nat.pow", {"2", "200"}, big},
    };
    Library library;
    for (const auto& [f, args, result] : cases)
        library.state(std::string("of.") + f, f, args, result);
    const ExportReport report = library.check();
    EXPECT_EQ(report.verdict.kind, VerdictKind::accepted)
        << report.declaration << ": " << report.verdict.message;
}

TEST(BuiltinRecursion, AResultThatIsNotTheFunctionsIsRejected) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    for (const char* f : {"Nat.gcd", "Nat.land", "Nat.lor", "Nat.div", "Nat.mod"}) {
        Library library;
        expect_no_rule(library, f, {big, "3"}, "12345");
    }
}

// ---- log2, as Lean has it since 2025: by a count that starts as the number

struct Count {
    const char* divisor = "2";
    const char* bound = "2";
    const char* at_no_fuel = "0";
    const char* fuel = nullptr; ///< null: the number itself
    const char* below = "0";
    bool adds_two = false;
};

Library& define_counted_log2(Library& l, const Count& how) {
    ExportText& text = l.text();
    const Id step = l.nat_to(l.nat());
    const Id rest = text.app(l.var(1), {l.call("Nat.div", {l.var(0), l.number(how.divisor)})});
    Id more = l.call("Nat.succ", {rest});
    if (how.adds_two)
        more = l.call("Nat.succ", {more});
    const Id test = l.call("Nat.ble", {l.number(how.bound), l.var(0)});
    const Id body =
        text.app(text.constant("Bool.rec", {l.one()}),
                 {text.lam(text.constant("Bool"), l.nat()), l.number(how.below), more, test});
    const Id count =
        text.app(text.constant("Nat.rec", {l.one()}),
                 {l.lam(step), l.lam(l.number(how.at_no_fuel)), l.lam(text.lam(step, l.lam(body))),
                  how.fuel == nullptr ? l.var(0) : l.number(how.fuel), l.var(0)});
    return l.unary("Nat.log2", l.lam(count));
}

TEST(BuiltinRecursion, Log2ByACountHasItsRule) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    Library right;
    expect_rule(define_counted_log2(right, {}), "Nat.log2", {less}, "199");
    Library zero;
    expect_rule(define_counted_log2(zero, {}), "Nat.log2", {"0"}, "0");
}

TEST(BuiltinRecursion, ALog2ThatDiffersAnywhereHasNoRule) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    const std::tuple<Count, const char*, const char*> cases[] = {
        {{.divisor = "3"}, "8", "3"}, {{.bound = "3"}, "2", "1"},
        {{.bound = "1"}, "1", "0"},   {{.at_no_fuel = "7"}, "0", "0"},
        {{.fuel = "1"}, "8", "3"},    {{.fuel = "100"}, "8", "4"},
        {{.below = "1"}, "1", "0"},   {{.adds_two = true}, "8", "3"},
    };
    for (const auto& [how, arg, result] : cases) {
        Library library;
        expect_no_rule(define_counted_log2(library, how), "Nat.log2", {arg}, result);
    }
}

// ---- by well-founded recursion, as Lean had all of these until 2025. The proofs are axioms here:
// no equation depends on them.

Id fixpoint(Library& l, Id motive, Id functional) {
    ExportText& text = l.text();
    const Id lt = text.constant("Nat.lt");
    text.axiom("wf", text.app(text.constant("WellFounded", {l.one()}), {l.nat(), lt}));
    return text.app(text.constant("WellFounded.fix", {l.one(), l.one()}),
                    {l.nat(), l.lam(motive), lt, text.constant("wf"), functional});
}

// ∀ y, y < x → motive, with x the innermost variable
Id smaller_to(Library& l, Id motive) {
    return l.nat_to(l.text().pi(l.call("Nat.lt", {l.var(0), l.var(1)}), motive));
}

Id if_then_else(Library& l, Id condition, Id decision, Id yes, Id no) {
    ExportText& text = l.text();
    return text.app(text.constant("dite", {l.one()}),
                    {l.nat(), condition, decision, text.lam(condition, yes),
                     text.lam(l.call("Not", {condition}), no)});
}

Library& define_founded_log2(Library& l, const Count& how) {
    ExportText& text = l.text();
    const auto half_of = [&](Id n) { return l.call("Nat.div", {n, l.number(how.divisor)}); };
    text.axiom("half_lt", l.nat_to(l.call("Nat.lt", {half_of(l.var(0)), l.var(0)})));
    const Id rest = text.app(l.var(1), {half_of(l.var(2)), l.call("half_lt", {l.var(2)})});
    const std::vector<Id> sides{l.number(how.bound), l.var(1)};
    const Id body = if_then_else(l, l.call("Nat.le", sides), l.call("Nat.decLe", sides),
                                 l.call("Nat.succ", {rest}), l.number(how.below));
    const Id functional = l.lam(text.lam(smaller_to(l, l.nat()), body));
    return l.unary("Nat.log2", fixpoint(l, l.nat(), functional));
}

TEST(BuiltinRecursion, Log2ByWellFoundedRecursionHasItsRule) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    Library right;
    expect_rule(define_founded_log2(right, {}), "Nat.log2", {big}, "200");
    for (const Count& how : {Count{.divisor = "3"}, Count{.bound = "3"}, Count{.below = "1"}}) {
        Library wrong;
        const Verdict verdict = define_founded_log2(wrong, how).equation("Nat.log2", {big}, "200");
        EXPECT_NE(verdict.kind, VerdictKind::accepted); // the axioms keep it from being unfolded
    }
}

struct Remainder {
    bool is_swapped = false; ///< y where x is meant, at the end
    bool is_strict = false;  ///< y < x where y ≤ x is meant
    bool is_partial = false; ///< tests y ≤ x alone: wrong for y = 0, where it never ends
    const char* at_zero = "0";
};

// modCore x y = if 0 < y ∧ y ≤ x then modCore (x - y) y else x; mod by cases on x.
Library& define_founded_mod(Library& l, const Remainder& how) {
    ExportText& text = l.text();
    const Id to_nat = l.nat_to(l.nat());
    const auto sub = [&](unsigned x, unsigned y) {
        return l.call("Nat.sub", {l.var(x), l.var(y)});
    };
    text.axiom("sub_lt", l.nat_to(l.nat_to(l.call("Nat.lt", {sub(1, 0), l.var(1)}))));
    // x = 2, the recursion = 1, y = 0; one more below a test
    const Id zero = l.number("0");
    const Id first = l.call("Nat.lt", {zero, l.var(0)});
    const Id first_decision = l.call("Nat.decLt", {zero, l.var(0)});
    const Id second = l.call(how.is_strict ? "Nat.lt" : "Nat.le", {l.var(0), l.var(2)});
    const Id second_decision =
        l.call(how.is_strict ? "Nat.decLt" : "Nat.decLe", {l.var(0), l.var(2)});
    const Id condition = how.is_partial ? second : l.call("And", {first, second});
    const Id decision = how.is_partial ? second_decision
                                       : l.call("instDecidableAnd",
                                                {first, second, first_decision, second_decision});
    const Id smaller = l.call("sub_lt", {l.var(3), l.var(1)});
    const Id rest = text.app(l.var(2), {sub(3, 1), smaller, l.var(1)});
    const Id body = if_then_else(l, condition, decision, rest, l.var(how.is_swapped ? 1 : 3));
    const Id functional = l.lam(text.lam(smaller_to(l, to_nat), l.lam(body)));
    l.binary("Nat.modLoop", fixpoint(l, to_nat, functional));
    const Id succ = l.call("Nat.succ", {l.var(1)});
    const Id cases = text.app(text.constant("Nat.rec", {l.one()}),
                              {l.lam(l.nat()), l.number(how.at_zero),
                               l.lam(l.lam(l.call("Nat.modLoop", {succ, l.var(2)}))), l.var(1)});
    return l.binary("Nat.mod", l.lam(l.lam(cases)));
}

TEST(BuiltinRecursion, RemaindersByWellFoundedRecursionHaveTheirRule) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    Library right;
    right.without("mod");
    expect_rule(define_founded_mod(right, {}), "Nat.mod", {big, "1000000007"}, "499445072");
    for (const Remainder& how : {Remainder{.is_swapped = true}, Remainder{.is_strict = true},
                                 Remainder{.is_partial = true}, Remainder{.at_zero = "1"}}) {
        Library wrong;
        wrong.without("mod");
        const Verdict verdict =
            define_founded_mod(wrong, how).equation("Nat.mod", {big, "1000000007"}, "499445072");
        EXPECT_NE(verdict.kind, VerdictKind::accepted);
    }
}

// gcd of a pair, by an order on pairs: the arguments of a function with several are packed so.
Library& define_packed_gcd(Library& l, bool is_wrong) {
    ExportText& text = l.text();
    const Id one = l.one();
    const Id pair = text.app(text.constant("PSigma", {one, one}), {l.nat(), l.lam(l.nat())});
    const auto mk = [&](Id a, Id b) {
        return text.app(text.constant("PSigma.mk", {one, one}), {l.nat(), l.lam(l.nat()), a, b});
    };
    text.axiom("r", text.pi(pair, text.pi(pair, text.sort(0))));
    text.axiom("wf_r", text.app(text.constant("WellFounded", {one}), {pair, text.constant("r")}));
    text.axiom("all_r", text.pi(pair, text.pi(pair, l.call("r", {l.var(0), l.var(1)}))));
    // p = 3, the recursion = 2, m = 1
    const Id n = text.proj("PSigma", 1, l.var(3));
    const Id m = l.call("Nat.succ", {l.var(1)});
    const Id next = mk(l.call("Nat.mod", {n, m}), is_wrong ? n : m);
    const Id rest = text.app(l.var(2), {next, l.call("all_r", {l.var(3), next})});
    const Id body = text.app(text.constant("Nat.rec", {one}),
                             {l.lam(l.nat()), text.proj("PSigma", 1, l.var(1)), l.lam(l.lam(rest)),
                              text.proj("PSigma", 0, l.var(1))});
    const Id smaller = text.pi(pair, text.pi(l.call("r", {l.var(0), l.var(1)}), l.nat()));
    const Id functional = text.lam(pair, text.lam(smaller, body));
    const Id fix = text.app(
        text.constant("WellFounded.fix", {one, one}),
        {pair, text.lam(pair, l.nat()), text.constant("r"), text.constant("wf_r"), functional});
    text.definition("gcd_of_pair", text.pi(pair, l.nat()), fix);
    return l.binary("Nat.gcd", l.lam(l.lam(l.call("gcd_of_pair", {mk(l.var(1), l.var(0))}))));
}

TEST(BuiltinRecursion, AGcdOfPairsHasItsRule) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    Library right;
    right.without("gcd");
    expect_rule(define_packed_gcd(right, false), "Nat.gcd", {big, "1024"}, "1024");
    Library wrong;
    wrong.without("gcd");
    EXPECT_NE(define_packed_gcd(wrong, true).equation("Nat.gcd", {big, "1024"}, "1024").kind,
              VerdictKind::accepted);
}

// ---- redefinitions

TEST(BuiltinRecursion, AGcdOfSomethingElseHasNoRule) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    const auto define = [](Library& l, Id first, Id second) -> Library& {
        l.without("gcd");
        return l.binary("Nat.gcd", l.lam(l.lam(l.call("Nat.gcd_of_library", {first, second}))));
    };
    Library same;
    expect_rule(define(same, same.var(1), same.var(0)), "Nat.gcd", {big, "1024"}, "1024");
    Library one_more;
    expect_no_rule(define(one_more, one_more.var(1), one_more.call("Nat.succ", {one_more.var(0)})),
                   "Nat.gcd", {"4", "6"}, "2");
    Library twice_the_first;
    expect_no_rule(define(twice_the_first, twice_the_first.var(1), twice_the_first.var(1)),
                   "Nat.gcd", {"4", "6"}, "2");
}

// λ a b, the bits of the table
Id table(Library& l, const std::array<bool, 4>& bits) {
    ExportText& text = l.text();
    const Id type = text.constant("Bool");
    const auto bit = [&](bool b) { return text.constant(b ? "Bool.true" : "Bool.false"); };
    const auto choose = [&](Id on, Id no, Id yes) {
        return text.app(text.constant("Bool.rec", {l.one()}), {text.lam(type, type), no, yes, on});
    };
    return text.lam(type,
                    text.lam(type, choose(l.var(1), choose(l.var(0), bit(bits[0]), bit(bits[1])),
                                          choose(l.var(0), bit(bits[2]), bit(bits[3])))));
}

TEST(BuiltinRecursion, EachBitwiseFunctionHasItsOwnRuleOnly) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    struct Function {
        const char* name;
        std::array<bool, 4> bits;
        const char* of_5_and_6;
        const char* of_big_and_less;
    };
    const char* const sum = "3213876088517980551083924184682325205044405987565585670602751";
    const Function functions[] = {
        {"land", {false, false, false, true}, "4", "0"},
        {"lor", {false, true, true, true}, "7", sum},
        {"xor", {false, true, true, false}, "3", sum},
    };
    for (const Function& f : functions) {
        for (const Function& as : functions) {
            Library library;
            if (f.name != std::string("xor"))
                library.without(f.name);
            const std::string name = std::string("Nat.") + f.name;
            library.binary(name, library.call("Nat.bitwise", {table(library, as.bits)}));
            if (f.name == as.name)
                expect_rule(library, name, {big, less}, f.of_big_and_less);
            else
                expect_no_rule(library, name, {"5", "6"}, f.of_5_and_6);
        }
    }
}

TEST(BuiltinRecursion, BitsThatDifferInOnePlaceHaveNoRule) {
    LEANHOST_NEEDS_DATA("init-medium.ndjson");
    for (unsigned changed = 1; changed < 4; ++changed) {
        std::array<bool, 4> bits{false, true, true, true};
        bits[changed] = !bits[changed];
        Library library;
        library.without("lor");
        library.binary("Nat.lor", library.call("Nat.bitwise", {table(library, bits)}));
        expect_no_rule(library, "Nat.lor", {"5", "3"}, "7");
    }
}

} // namespace
} // namespace leanhost::kernel::test
