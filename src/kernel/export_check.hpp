#pragma once

#include "kernel/axiom_use.hpp"
#include "kernel/check_export.hpp"
#include "kernel/checker.hpp"
#include "kernel/export_loader.hpp"
#include "kernel/unlisted_axioms.hpp"

namespace leanhost::kernel {

/// Ends the reading: a declaration was not accepted.
struct Ended {};

inline Limits limits_of(const CheckOptions& options) {
    return {options.max_heartbeats, static_cast<std::size_t>(options.max_memory_bytes),
            options.keep_scratch_bytes};
}

/// What an export's declarations stand in, and what is said of them at the end.
class ExportCheck {
public:
    ExportCheck(const std::filesystem::path& path, const CheckOptions& options, Monitor& monitor);
    ExportCheck(const ExportCheck&) = delete;
    ExportCheck& operator=(const ExportCheck&) = delete;
    virtual ~ExportCheck() = default;

    ExportReport run(const std::filesystem::path& path);

protected:
    virtual void work_through(const std::filesystem::path& path) { read(path); }
    virtual void take(Declaration& declaration) = 0;
    virtual void finish() = 0;
    /// Of checking that came after reading, at its peak.
    virtual std::size_t scratch_at_end() const { return 0; }
    /// Of declarations that wait.
    virtual std::size_t waiting_bytes() const { return 0; }

    void read(const std::filesystem::path& path);

    /// What was read, in all.
    std::size_t read_bytes() const {
        return arena_.bytes() + names_.bytes() + loader_.bytes() + environment_.bytes() +
               axiom_use_.bytes() + waiting_bytes();
    }

    /// What reading leaves of the memory allowed; not 0, which would be no limit.
    std::size_t bytes_left() const {
        const std::size_t bytes = read_bytes();
        return options_.max_memory_bytes > bytes ? options_.max_memory_bytes - bytes : 1;
    }

    void require_memory();

    /// Of an accepted declaration, in order.
    void settle(const Declaration& declaration) {
        count(declaration);
        const ConstantInfo& info = declaration.declared().front();
        if (info.kind == ConstantKind::axiom)
            report_.axioms.push_back(exact_text(info.name));
        if (options_.on_axioms || options_.allowed_axioms)
            look_at_axioms(declaration);
    }

    void count(const Declaration& declaration) {
        ++report_.num_declarations;
        for (const ConstantInfo& info : declaration.declared()) {
            ++report_.constants[static_cast<std::size_t>(info.kind)];
            report_.num_unsafe += info.safety == DefinitionSafety::safe ? 0 : 1;
        }
    }

    void look_at_axioms(const Declaration& declaration);
    void look_at_statement(NameId axiom);

    /// In full, and different for different names: «Quot.sound» of one component is not Quot.sound.
    std::string exact_text(NameId name) const { return names_.to_name(name).to_string(); }

    void end_at(const Declaration& declaration, Verdict verdict) {
        report_.declaration = names_.text(declaration.declared().front().name);
        report_.verdict = std::move(verdict);
    }

    /// The checker's verdict. What has loose variables is never accepted, whoever overlooked them:
    /// it is not put into the environment.
    Verdict check(Checker& checker, const Declaration& declaration, Ordinal ordinal) const;

    bool is_closed(Term term) const { return term == no_term || store_[term].loose == 0; }

    // What has loose variables must not even be looked at by those who check what follows.
    bool is_closed(const Declaration& declaration) const;

    // Names that are taken stay what they were, and what is not closed is left out: such a
    // declaration will be refused.
    void add(const Declaration& declaration, Ordinal ordinal);

    const CheckOptions& options_;
    Monitor& monitor_;
    NameTable names_;
    KernelNames known_;
    Environment environment_;
    TermArena arena_;
    TermStore store_;
    ExportLoader loader_;
    AxiomUse axiom_use_{store_, known_};
    UnlistedAxioms unlisted_axioms_{options_};
    ExportReport report_;
};

} // namespace leanhost::kernel
