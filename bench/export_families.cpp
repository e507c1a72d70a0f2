// Writes exports whose cost is known to grow: each family in sizes 1, 2 and 4, to see how.
//
//   export_families DIR [FACTOR]
//
// All of them must be accepted. FACTOR (default 1) multiplies all sizes.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using Id = unsigned;
using Depth = unsigned; ///< binders around a term

std::string text(unsigned long long number) {
    return std::to_string(number);
}

/// The lines of an export, each item once.
class Export {
public:
    explicit Export(const std::filesystem::path& file) : out_(file) {
        out_ << R"({"meta":{"exporter":{"name":"export_families","version":"3.1.0"},)"
             << R"("format":{"version":"3.1.0"},"lean":{"githash":"","version":"4.29.0"}}})"
             << "\n";
    }

    Id name(const std::string& dotted) {
        const std::size_t dot = dotted.rfind('.');
        const bool is_root = dot == std::string::npos;
        const Id prefix = is_root ? 0 : name(dotted.substr(0, dot));
        const std::string last = is_root ? dotted : dotted.substr(dot + 1);
        return item(
            names_, R"("str":{"pre":)" + text(prefix) + R"(,"str":")" + last + "\"}}",
            [](Id id) { return "{\"in\":" + text(id) + ","; }, 1);
    }
    Id level_zero() { return 0; }
    Id succ(Id level) { return level_item("\"succ\":" + text(level) + "}"); }
    Id max(Id lhs, Id rhs) { return level_item("\"max\":[" + text(lhs) + "," + text(rhs) + "]}"); }
    Id imax(Id lhs, Id rhs) {
        return level_item("\"imax\":[" + text(lhs) + "," + text(rhs) + "]}");
    }
    Id param(const std::string& of) { return level_item("\"param\":" + text(name(of)) + "}"); }

    Id bvar(unsigned index) { return term("{\"bvar\":" + text(index), true); }
    Id sort(Id level) { return term("\"sort\":" + text(level) + "}", false); }
    Id constant(const std::string& of, const std::vector<Id>& levels) {
        return term("{\"const\":{\"name\":" + text(name(of)) + ",\"us\":" + list(levels) + "}",
                    true);
    }
    Id app(Id function, Id argument) {
        return term("{\"app\":{\"arg\":" + text(argument) + ",\"fn\":" + text(function) + "}",
                    true);
    }
    Id lam(Id type, Id body) { return term("\"lam\":" + binder(type, body) + "}", false); }
    Id pi(Id type, Id body) { return term("{\"forallE\":" + binder(type, body), true); }
    Id let(Id type, Id value, Id body) {
        return term("\"letE\":{\"body\":" + text(body) + ",\"name\":" + text(name("y")) +
                        ",\"nondep\":false,\"type\":" + text(type) + ",\"value\":" + text(value) +
                        "}}",
                    false);
    }
    Id nat(const std::string& digits) { return term("\"natVal\":\"" + digits + "\"}", false); }

    void line(const std::string& json) { out_ << json << "\n"; }
    std::string params(const std::vector<std::string>& of) {
        std::vector<Id> ids;
        for (const std::string& param : of)
            ids.push_back(name(param));
        return list(ids);
    }
    static std::string list(const std::vector<Id>& ids) {
        std::string result = "[";
        for (const Id id : ids)
            result += (result.size() == 1 ? "" : ",") + text(id);
        return result + "]";
    }
    void axiom(const std::string& of, Id type) {
        const Id own = name(of);
        line(R"({"axiom":{"isUnsafe":false,"levelParams":[],"name":)" + text(own) +
             ",\"type\":" + text(type) + "}}");
    }
    void definition(const std::string& of,
                    const std::vector<std::string>& level_params,
                    Id type,
                    Id value,
                    unsigned height) {
        const Id own = name(of);
        const std::string levels = params(level_params);
        line("{\"def\":{\"all\":[" + text(own) + "],\"hints\":{\"regular\":" + text(height) +
             "},\"levelParams\":" + levels + ",\"name\":" + text(own) +
             ",\"safety\":\"safe\",\"type\":" + text(type) + ",\"value\":" + text(value) + "}}");
    }
    void theorem(const std::string& of, Id type, Id value) {
        const Id own = name(of);
        line("{\"thm\":{\"all\":[" + text(own) + "],\"levelParams\":[],\"name\":" + text(own) +
             ",\"type\":" + text(type) + ",\"value\":" + text(value) + "}}");
    }

private:
    using Items = std::unordered_map<std::string, Id>;

    template <class Front>
    Id item(Items& items, const std::string& body, Front&& front, Id first) {
        const auto [at, is_new] = items.emplace(body, static_cast<Id>(items.size()) + first);
        if (is_new)
            out_ << front(at->second) << body << "\n";
        return at->second;
    }
    Id level_item(const std::string& body) {
        return item(
            levels_, body, [](Id id) { return "{\"il\":" + text(id) + ","; }, 1);
    }
    // Keys stand in order, so the id stands before or behind the rest.
    Id term(const std::string& body, bool is_id_last) {
        const auto [at, is_new] = terms_.emplace(body, static_cast<Id>(terms_.size()));
        if (is_new && is_id_last)
            out_ << body << ",\"ie\":" << at->second << "}\n";
        else if (is_new)
            out_ << "{\"ie\":" << at->second << "," << body << "\n";
        return at->second;
    }
    std::string binder(Id type, Id body) {
        return R"({"binderInfo":"default","body":)" + text(body) + ",\"name\":" + text(name("x")) +
               ",\"type\":" + text(type) + "}";
    }

    std::ofstream out_;
    Items names_;
    Items levels_;
    Items terms_;
};

/// A term as a function of how many binders stand around it.
using Term = std::function<Id(Depth)>;
using Terms = std::vector<Term>;

/// Writes terms with variables that know where they are bound.
class Writer {
public:
    explicit Writer(Export& to) : to_(to) {}

    Term constant(const std::string& name, std::vector<Id> levels = {}) const {
        return [this, name, levels](Depth) { return to_.constant(name, levels); };
    }
    Term closed(Id id) const {
        return [id](Depth) { return id; };
    }
    Term app(const Term& function, const Terms& arguments) const {
        return [this, function, arguments](Depth depth) {
            Id result = function(depth);
            for (const Term& argument : arguments)
                result = to_.app(result, argument(depth));
            return result;
        };
    }
    Term pi(const Term& type, const std::function<Term(Term)>& body) const {
        return bind(type, body, true);
    }
    Term lam(const Term& type, const std::function<Term(Term)>& body) const {
        return bind(type, body, false);
    }
    Term arrow(const Term& from, const Term& to) const {
        return pi(from, [to](const Term&) { return to; });
    }
    Id operator()(const Term& term) const { return term(0); }

private:
    Term bind(const Term& type, const std::function<Term(Term)>& body, bool is_pi) const {
        return [this, type, body, is_pi](Depth depth) {
            const Id domain = type(depth);
            const Term variable = [this, depth](Depth at) { return to_.bvar(at - depth - 1); };
            const Id inner = body(variable)(depth + 1);
            return is_pi ? to_.pi(domain, inner) : to_.lam(domain, inner);
        };
    }

    Export& to_;
};

/// What most families need: a type A, a : A, g : A → A → A, and equality.
class Basics {
public:
    explicit Basics(Export& target) : to(target), w(target) {
        to.axiom("A", to.sort(to.succ(to.level_zero())));
        to.axiom("a", to.constant("A", {}));
        to.axiom("g", w(w.arrow(type(), w.arrow(type(), type()))));
    }

    Term type() const { return w.constant("A"); }
    Term a() const { return w.constant("a"); }
    Term g(const Term& lhs, const Term& rhs) const { return w.app(w.constant("g"), {lhs, rhs}); }

    void add_equality() {
        const Id u = to.param("u");
        const Term sort = w.closed(to.sort(u));
        const Term prop = w.closed(to.sort(to.level_zero()));
        const Term eq = w.constant("Eq", {u});
        const Term refl = w.constant("Eq.refl", {u});
        const Id type = w(w.pi(sort, [&](const Term& t) { return w.arrow(t, w.arrow(t, prop)); }));
        const Id refl_type = w(w.pi(sort, [&](const Term& t) {
            return w.pi(t, [&, t](const Term& x) { return w.app(eq, {t, x, x}); });
        }));
        const Term motive_sort = w.closed(to.sort(to.param("v")));
        // Binds all that stands before the index.
        const auto premises = [&](bool is_type,
                                  const std::function<Term(Term, Term, Term, Term)>& rest) {
            const auto bind = [&, is_type](const Term& t, const std::function<Term(Term)>& body) {
                return is_type ? w.pi(t, body) : w.lam(t, body);
            };
            return bind(sort, [=, this](const Term& t) {
                return bind(t, [=, this](const Term& x) {
                    const Term motive_type = w.pi(t, [=, this](const Term& y) {
                        return w.arrow(w.app(eq, {t, x, y}), motive_sort);
                    });
                    return bind(motive_type, [=, this](const Term& m) {
                        return bind(w.app(m, {x, w.app(refl, {t, x})}),
                                    [=](const Term& minor) { return rest(t, x, m, minor); });
                    });
                });
            });
        };
        const Id rec_type =
            w(premises(true, [&](const Term& t, const Term& x, const Term& m, const Term&) {
                return w.pi(t, [=, this](const Term& y) {
                    return w.pi(w.app(eq, {t, x, y}), [=, this](const Term& p) {
                        return w.app(m, {y, p});
                    });
                });
            }));
        const Id rule = w(premises(
            false, [](const Term&, const Term&, const Term&, const Term& minor) { return minor; }));
        const std::string eq_id = text(to.name("Eq"));
        const std::string refl_id = text(to.name("Eq.refl"));
        const std::string rec_id = text(to.name("Eq.rec"));
        const std::string levels = to.params({"u"});
        const std::string rec_levels = to.params({"v", "u"});
        to.line(R"({"inductive":{"ctors":[{"cidx":0,"induct":)" + eq_id +
                R"(,"isUnsafe":false,"levelParams":)" + levels + ",\"name\":" + refl_id +
                R"(,"numFields":0,"numParams":2,"type":)" + text(refl_type) +
                R"(}],"recs":[{"all":[)" + eq_id + R"(],"isUnsafe":false,"k":true,"levelParams":)" +
                rec_levels + ",\"name\":" + rec_id +
                R"(,"numIndices":1,"numMinors":1,"numMotives":1,"numParams":2,"rules":[{"ctor":)" +
                refl_id + R"(,"nfields":0,"rhs":)" + text(rule) + "}],\"type\":" + text(rec_type) +
                R"(}],"types":[{"all":[)" + eq_id + "],\"ctors\":[" + refl_id +
                R"(],"isRec":false,"isReflexive":false,"isUnsafe":false,"levelParams":)" + levels +
                ",\"name\":" + eq_id + R"(,"numIndices":1,"numNested":0,"numParams":2,"type":)" +
                text(type) + "}]}}");
    }
    /// A type with `zero` and `succ`, called `name`.
    void add_naturals(const std::string& name) {
        const Term n = w.constant(name);
        const Term zero = w.constant(name + ".zero");
        const Term succ = w.constant(name + ".succ");
        const Id type = to.sort(to.succ(to.level_zero()));
        const Id zero_type = w(n);
        const Id succ_type = w(w.arrow(n, n));
        const Term motive_type = w.arrow(n, w.closed(to.sort(to.param("u"))));
        const auto step_type = [&](const Term& m) {
            return w.pi(n, [=, this](const Term& k) {
                return w.arrow(w.app(m, {k}), w.app(m, {w.app(succ, {k})}));
            });
        };
        const auto rule = [&](const std::function<Term(Term, Term, Term)>& body) {
            return w.lam(motive_type, [=, this](const Term& m) {
                return w.lam(w.app(m, {zero}), [=, this](const Term& z) {
                    return w.lam(step_type(m), [=](const Term& s) { return body(m, z, s); });
                });
            });
        };
        const Id rec_type = w(w.pi(motive_type, [&](const Term& m) {
            return w.arrow(
                w.app(m, {zero}),
                w.arrow(step_type(m), w.pi(n, [=, this](const Term& k) { return w.app(m, {k}); })));
        }));
        const Id zero_rule = w(rule([](const Term&, const Term& z, const Term&) { return z; }));
        const Id succ_rule = w(rule([&](const Term& m, const Term& z, const Term& s) {
            return w.lam(n, [=, this](const Term& k) {
                const Term rec = w.constant(name + ".rec", {to.param("u")});
                return w.app(s, {k, w.app(rec, {m, z, s, k})});
            });
        }));
        const std::string id = text(to.name(name));
        const std::string zero_id = text(to.name(name + ".zero"));
        const std::string succ_id = text(to.name(name + ".succ"));
        const std::string rec_id = text(to.name(name + ".rec"));
        const std::string levels = to.params({"u"});
        to.line(R"({"inductive":{"ctors":[{"cidx":0,"induct":)" + id +
                R"(,"isUnsafe":false,"levelParams":[],"name":)" + zero_id +
                R"(,"numFields":0,"numParams":0,"type":)" + text(zero_type) +
                R"(},{"cidx":1,"induct":)" + id + R"(,"isUnsafe":false,"levelParams":[],"name":)" +
                succ_id + R"(,"numFields":1,"numParams":0,"type":)" + text(succ_type) +
                R"(}],"recs":[{"all":[)" + id + R"(],"isUnsafe":false,"k":false,"levelParams":)" +
                levels + ",\"name\":" + rec_id +
                R"(,"numIndices":0,"numMinors":2,"numMotives":1,"numParams":0,"rules":[{"ctor":)" +
                zero_id + R"(,"nfields":0,"rhs":)" + text(zero_rule) + "},{\"ctor\":" + succ_id +
                R"(,"nfields":1,"rhs":)" + text(succ_rule) + "}],\"type\":" + text(rec_type) +
                R"(}],"types":[{"all":[)" + id + "],\"ctors\":[" + zero_id + "," + succ_id +
                R"(],"isRec":true,"isReflexive":false,"isUnsafe":false,"levelParams":[],"name":)" +
                id + R"(,"numIndices":0,"numNested":0,"numParams":0,"type":)" + text(type) +
                "}]}}");
    }
    /// name.called x y, by recursion on y: `base(x)` for zero, `step(x, what y gave)` for succ y.
    void add_recursive(const std::string& name,
                       const std::string& called,
                       const std::function<Term(Term)>& base,
                       const std::function<Term(Term, Term)>& step,
                       unsigned height) {
        const Term n = w.constant(name);
        const Term rec = w.constant(name + ".rec", {to.succ(to.level_zero())});
        const Id value = w(w.lam(n, [=, this](const Term& x) {
            return w.lam(n, [=, this](const Term& y) {
                const Term motive = w.lam(n, [n](const Term&) { return n; });
                const Term minor = w.lam(n, [=, this](const Term&) {
                    return w.lam(n, [=](const Term& before) { return step(x, before); });
                });
                return w.app(rec, {motive, base(x), minor, y});
            });
        }));
        to.definition(name + "." + called, {}, w(w.arrow(n, w.arrow(n, n))), value, height);
    }
    void
    equal_by_refl(const std::string& name, const Term& type, const Term& lhs, const Term& rhs) {
        const Id one = to.succ(to.level_zero());
        const Id statement = w(w.app(w.constant("Eq", {one}), {type, lhs, rhs}));
        to.theorem(name, statement, w(w.app(w.constant("Eq.refl", {one}), {type, rhs})));
    }

    Export& to;
    Writer w;
};

// f : A → … → A, its definition and its application to all arguments.
void deep_telescope(Export& to, unsigned n) {
    const Basics b(to);
    Id type = to.constant("A", {});
    Id value = to.bvar(n - 1);
    Id applied = to.constant("f", {});
    const Id domain = to.constant("A", {});
    for (unsigned i = 0; i < n; ++i) {
        type = to.pi(domain, type);
        value = to.lam(domain, value);
    }
    to.definition("f", {}, type, value, 1);
    for (unsigned i = 0; i < n; ++i)
        applied = to.app(applied, to.constant("a", {}));
    to.definition("applied", {}, domain, applied, 2);
}

// f : ∀ (x₁ : A) (p₁ : P x₁ x₁) (x₂ : A) (p₂ : P x₁ x₂) …, applied to all.
void dependent_telescope(Export& to, unsigned n) {
    const Basics b(to);
    const Id prop = to.sort(to.level_zero());
    const Id a = to.constant("a", {});
    const Id domain = to.constant("A", {});
    to.axiom("P", to.pi(domain, to.pi(domain, prop)));
    const Id p = to.constant("P", {});
    to.axiom("p", to.app(to.app(p, a), a));
    Id type = domain;
    for (unsigned i = 0; i < n; ++i) {
        const bool is_first = i + 1 == n;
        type = to.pi(to.app(to.app(p, to.bvar(is_first ? 0 : 2)), to.bvar(0)), type);
        type = to.pi(domain, type);
    }
    to.axiom("f", type);
    Id applied = to.constant("f", {});
    for (unsigned i = 0; i < n; ++i)
        applied = to.app(to.app(applied, a), to.constant("p", {}));
    to.definition("applied", {}, domain, applied, 1);
}

// (fun x₁ … xₙ => g x₁ (g x₂ …)) a … a is what beta makes of it.
void application_telescope(Export& to, unsigned n) {
    Basics b(to);
    b.add_equality();
    const Id domain = to.constant("A", {});
    const Id a = to.constant("a", {});
    Id body = a;
    Id result = a;
    for (unsigned i = 0; i < n; ++i) {
        body = to.app(to.app(to.constant("g", {}), to.bvar(i)), body);
        result = to.app(to.app(to.constant("g", {}), a), result);
    }
    for (unsigned i = 0; i < n; ++i)
        body = to.lam(domain, body);
    for (unsigned i = 0; i < n; ++i)
        body = to.app(body, a);
    b.equal_by_refl("same", b.type(), b.w.closed(body), b.w.closed(result));
}

// let y₁ := g x x; let y₂ := g y₁ y₁; …: 2ⁿ leaves, if it were carried out.
void let_chain(Export& to, unsigned n) {
    Basics b(to);
    b.add_equality();
    const Id domain = to.constant("A", {});
    const Id g = to.constant("g", {});
    const Id twice = to.app(to.app(g, to.bvar(0)), to.bvar(0));
    Id body = to.bvar(0);
    for (unsigned i = 0; i < n; ++i)
        body = to.let(domain, twice, body);
    const Id type = to.pi(domain, domain);
    to.definition("f", {}, type, to.lam(domain, body), 1);
    to.definition(
        "h", {}, type,
        to.lam(domain, to.let(domain, to.bvar(0), to.app(to.constant("f", {}), to.bvar(0)))), 2);
    b.equal_by_refl("same", b.type(), b.w.app(b.w.constant("h"), {b.a()}),
                    b.w.app(b.w.constant("f"), {b.a()}));
}

// dᵢ₊₁ x := g (dᵢ x) (dᵢ x), and eᵢ the same: dₙ a = eₙ a has 2ⁿ leaves, if nothing is shared.
void shared_explosion(Export& to, unsigned n) {
    Basics b(to);
    b.add_equality();
    const Id type = b.w(b.w.arrow(b.type(), b.type()));
    for (unsigned i = 0; i <= n; ++i) {
        for (const char* family : {"d", "e"}) {
            const Term inner = b.w.constant(family + text(i == 0 ? 0 : i - 1));
            const Id value = b.w(b.w.lam(b.type(), [&](const Term& x) {
                const Term below = i == 0 ? x : b.w.app(inner, {x});
                return b.g(below, below);
            }));
            to.definition(family + text(i), {}, type, value, i + 1);
        }
    }
    b.equal_by_refl("same", b.type(), b.w.app(b.w.constant("d" + text(n)), {b.a()}),
                    b.w.app(b.w.constant("e" + text(n)), {b.a()}));
}

// 10ⁿ · 10ⁿ = 10²ⁿ and (10ⁿ - 1) + 1 = 10ⁿ.
void big_literals(Export& to, unsigned n) {
    Basics b(to);
    b.add_equality();
    b.add_naturals("Nat");
    const Writer& w = b.w;
    b.add_recursive(
        "Nat", "add", [](const Term& x) { return x; },
        [&](const Term&, const Term& before) { return w.app(w.constant("Nat.succ"), {before}); },
        1);
    b.add_recursive(
        "Nat", "mul", [&](const Term&) { return w.constant("Nat.zero"); },
        [&](const Term& x, const Term& before) {
            return w.app(w.constant("Nat.add"), {before, x});
        },
        2);
    const auto literal = [&](const std::string& digits) { return w.closed(to.nat(digits)); };
    const std::string power = "1" + std::string(n, '0');
    const Term nat = w.constant("Nat");
    b.equal_by_refl("product", nat, w.app(w.constant("Nat.mul"), {literal(power), literal(power)}),
                    literal("1" + std::string(std::size_t{2} * n, '0')));
    b.equal_by_refl("sum", nat,
                    w.app(w.constant("Nat.add"), {literal(std::string(n, '9')), literal("1")}),
                    literal(power));
}

// n · n = n² on unary numbers.
void heavy_iota(Export& to, unsigned n) {
    Basics b(to);
    b.add_equality();
    b.add_naturals("N");
    const Writer& w = b.w;
    b.add_recursive(
        "N", "add", [](const Term& x) { return x; },
        [&](const Term&, const Term& before) { return w.app(w.constant("N.succ"), {before}); }, 1);
    b.add_recursive(
        "N", "mul", [&](const Term&) { return w.constant("N.zero"); },
        [&](const Term& x, const Term& before) {
            return w.app(w.constant("N.add"), {before, x});
        },
        2);
    const auto unary = [&](unsigned value) {
        Id result = to.constant("N.zero", {});
        for (unsigned i = 0; i < value; ++i)
            result = to.app(to.constant("N.succ", {}), result);
        return w.closed(result);
    };
    b.equal_by_refl("square", w.constant("N"), w.app(w.constant("N.mul"), {unary(n), unary(n)}),
                    unary(n * n));
}

// T₁, …, Tₙ, each with one constructor, from the next one; the last has a constant.
void wide_mutual(Export& to, unsigned n) {
    const Writer w(to);
    const auto type = [&](unsigned i) { return w.constant("T" + text(i)); };
    const auto make = [&](unsigned i) { return w.constant("T" + text(i) + ".mk"); };
    const auto recursor = [&](unsigned i) {
        return w.constant("T" + text(i) + ".rec", {to.param("u")});
    };
    const auto is_last = [n](unsigned i) { return i + 1 == n; };
    const Term sort = w.closed(to.sort(to.param("u")));
    const auto minor_type = [&](unsigned i, const Terms& motives) -> Term {
        if (is_last(i))
            return w.app(motives[i], {make(i)});
        const Term motive = motives[i];
        const Term next = motives[i + 1];
        return w.pi(type(i + 1), [=, &w](const Term& x) {
            return w.arrow(w.app(next, {x}), w.app(motive, {w.app(make(i), {x})}));
        });
    };
    using Rest = std::function<Term(Terms)>; // takes motives and minors
    std::function<Term(bool, Terms, Rest)> premises = [&](bool is_type, Terms so_far,
                                                          Rest rest) -> Term {
        const auto count = static_cast<unsigned>(so_far.size());
        if (count == 2 * n)
            return rest(so_far);
        const Term domain = count < n ? w.arrow(type(count), sort) : minor_type(count - n, so_far);
        const auto body = [&premises, is_type, so_far, rest](const Term& variable) {
            Terms more = so_far;
            more.push_back(variable);
            return premises(is_type, more, rest);
        };
        return is_type ? w.pi(domain, body) : w.lam(domain, body);
    };
    std::vector<Id> all;
    for (unsigned i = 0; i < n; ++i)
        all.push_back(to.name("T" + text(i)));
    std::string types;
    std::string constructors;
    std::string recursors;
    const std::string levels = to.params({"u"});
    const std::string type_id = text(to.sort(to.succ(to.level_zero())));
    for (unsigned i = 0; i < n; ++i) {
        const std::string separator = i == 0 ? "" : ",";
        const std::string own = text(all[i]);
        const std::string mk = text(to.name("T" + text(i) + ".mk"));
        const std::string fields = is_last(i) ? "0" : "1";
        const Id mk_type = is_last(i) ? w(type(i)) : w(w.arrow(type(i + 1), type(i)));
        const Id rec_type = w(premises(true, {}, [&](const Terms& bound) {
            const Term motive = bound[i];
            return w.pi(type(i), [motive, &w](const Term& x) { return w.app(motive, {x}); });
        }));
        const Id rule = w(premises(false, {}, [&](const Terms& bound) -> Term {
            const Term minor = bound[n + i];
            if (is_last(i))
                return minor;
            return w.lam(type(i + 1), [&, minor, bound](const Term& x) {
                Terms arguments = bound;
                arguments.push_back(x);
                return w.app(minor, {x, w.app(recursor(i + 1), arguments)});
            });
        }));
        types += separator + "{\"all\":" + Export::list(all) + ",\"ctors\":[" + mk +
                 R"(],"isRec":true,"isReflexive":false,"isUnsafe":false,"levelParams":[],"name":)" +
                 own + R"(,"numIndices":0,"numNested":0,"numParams":0,"type":)" + type_id + "}";
        constructors += separator + R"({"cidx":0,"induct":)" + own +
                        R"(,"isUnsafe":false,"levelParams":[],"name":)" + mk +
                        ",\"numFields\":" + fields + R"(,"numParams":0,"type":)" + text(mk_type) +
                        "}";
        recursors += separator + "{\"all\":" + Export::list(all) +
                     R"(,"isUnsafe":false,"k":false,"levelParams":)" + levels +
                     ",\"name\":" + text(to.name("T" + text(i) + ".rec")) +
                     ",\"numIndices\":0,\"numMinors\":" + text(n) + ",\"numMotives\":" + text(n) +
                     R"(,"numParams":0,"rules":[{"ctor":)" + mk + ",\"nfields\":" + fields +
                     ",\"rhs\":" + text(rule) + "}],\"type\":" + text(rec_type) + "}";
    }
    to.line("{\"inductive\":{\"ctors\":[" + constructors + "],\"recs\":[" + recursors +
            "],\"types\":[" + types + "]}}");
}

// Sort (max u₁ … uₙ + 1) is the type of Sort (max uₙ … u₁), and of imax of them under a successor.
void universes(Export& to, unsigned n) {
    std::vector<std::string> params;
    for (unsigned i = 0; i < n; ++i)
        params.push_back("u" + text(i));
    Id forward = to.param(params[0]);
    Id backward = to.param(params[n - 1]);
    for (unsigned i = 1; i < n; ++i) {
        forward = to.max(forward, to.param(params[i]));
        backward = to.max(backward, to.param(params[n - 1 - i]));
    }
    for (unsigned i = 0; i < 20; ++i)
        to.definition("s" + text(i), params, to.sort(to.succ(forward)), to.sort(backward), i + 1);
    Id nested = to.succ(to.param(params[0]));
    for (unsigned i = 1; i < n; ++i)
        nested = to.imax(to.param(params[i]), nested);
    to.definition("nested", params, to.sort(to.succ(to.max(to.succ(to.param(params[0])), forward))),
                  to.sort(to.max(nested, backward)), 1);
}

struct Family {
    const char* name;
    void (*write)(Export&, unsigned);
    unsigned size;
};
constexpr Family families[] = {
    {"deep-telescope", deep_telescope, 2000},
    {"dependent-telescope", dependent_telescope, 1000},
    {"application-telescope", application_telescope, 1000},
    {"let-chain", let_chain, 1000},
    {"shared-explosion", shared_explosion, 100},
    {"big-literals", big_literals, 50'000},
    {"heavy-iota", heavy_iota, 40},
    {"wide-mutual", wide_mutual, 12},
    {"universes", universes, 24},
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "export_families DIR [FACTOR]\n");
        return 3;
    }
    const std::filesystem::path folder = argv[1];
    const auto factor = static_cast<unsigned>(argc > 2 ? std::atoi(argv[2]) : 1); // NOLINT
    std::filesystem::create_directories(folder);
    for (const Family& family : families) {
        for (const unsigned scale : {1U, 2U, 4U}) {
            Export to(folder / (family.name + ("-" + text(scale)) + ".ndjson"));
            family.write(to, family.size * scale * factor);
        }
    }
    return 0;
}
