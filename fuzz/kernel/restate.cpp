#include "fuzz/kernel/restate.hpp"

#include "base/failure.hpp"
#include "fuzz/kernel/kernel_run.hpp"
#include "kernel/inductive.hpp"

#include <unordered_map>

namespace leanhost::fuzz {

using kernel::InductiveCheck;
using kernel::InductiveFacts;
using kernel::TermNode;
using module::lean4export::ExportRule;
using object::ConstantKind;

namespace {

/// Terms, levels and names of a run as parts of a model.
class BackToModel {
public:
    BackToModel(KernelRun& run, ExportModel& model) : store_(run.types().store()), model_(model) {
        // Interned in the order of the model, so each is found again.
        std::vector<kernel::NameId> ids{kernel::anonymous};
        for (std::size_t i = 1; i < model.names.size(); ++i) {
            const ModelName& name = model.names[i];
            const kernel::NameId prefix = ids[name.prefix];
            ids.push_back(name.is_number ? run.names().num(prefix, name.number)
                                         : run.names().str(prefix, name.text));
            names_.try_emplace(ids.back(), static_cast<Index>(i));
        }
        names_[kernel::anonymous] = 0;
    }

    Index name(kernel::NameId id) const { return names_.at(id); }
    std::vector<std::uint64_t> names(const std::vector<kernel::NameId>& ids) const {
        std::vector<std::uint64_t> result;
        for (const kernel::NameId id : ids)
            result.push_back(name(id));
        return result;
    }

    Index level(kernel::Level of) {
        const kernel::LevelNode& node = store_.level(of);
        switch (node.kind) {
        case LevelKind::zero:
            return 0;
        case LevelKind::succ:
            return model_.level({node.kind, level(node.a), 0});
        case LevelKind::param:
            return model_.level({node.kind, name(node.a), 0});
        default:
            return model_.level({node.kind, level(node.a), level(node.b)});
        }
    }

    Index term(kernel::Term of) {
        if (const auto found = terms_.find(of); found != terms_.end())
            return found->second;
        const Index result = model_.term(parts(of));
        terms_[of] = result;
        return result;
    }

private:
    ModelTerm parts(kernel::Term of) {
        const TermNode& node = store_[of];
        ModelTerm result{node.kind, 0, 0, 0, {}, {}};
        switch (node.kind) {
        case TermKind::bvar:
            result.a = node.a;
            break;
        case TermKind::sort:
            result.a = level(node.a);
            break;
        case TermKind::constant:
            result.a = name(node.a);
            for (const kernel::Level l : store_.levels(node.b))
                result.levels.push_back(level(l));
            break;
        case TermKind::app:
        case TermKind::lam:
        case TermKind::pi:
            result.a = term(node.a);
            result.b = term(node.b);
            break;
        case TermKind::let:
            result.a = term(store_[node.b].a);
            result.b = term(node.a);
            result.c = term(store_[node.b].b);
            break;
        case TermKind::proj:
            result.a = term(node.a);
            result.b = name(node.b);
            result.c = node.extra;
            break;
        case TermKind::nat:
            result.text = std::to_string((std::uint64_t{node.b} << 32U) | node.a);
            break;
        case TermKind::string:
            result.text = store_.string_text(of);
            break;
        default:
            throw std::out_of_range("a term that no block has");
        }
        return result;
    }

    kernel::TermStore& store_;
    ExportModel& model_;
    std::unordered_map<kernel::NameId, Index> names_;
    std::unordered_map<kernel::Term, Index> terms_;
};

ExportConstant* find(ExportDeclaration& block, std::uint64_t name) {
    for (ExportConstant& constant : block.constants) {
        if (constant.name == name)
            return &constant;
    }
    return nullptr;
}

ExportConstant recursor(const kernel::ConstantInfo& info,
                        const InductiveFacts& facts,
                        const ExportConstant& like,
                        BackToModel& back) {
    ExportConstant result = like;
    result.name = back.name(info.name);
    result.type = back.term(info.type);
    result.all = back.names(facts.all);
    result.num_params = facts.num_params;
    result.num_indices = facts.num_indices;
    result.num_motives = facts.num_motives;
    result.num_minors = facts.num_minors;
    result.has_k = facts.has_k;
    result.rules.clear();
    for (const kernel::RecursorRule& rule : facts.rules)
        result.rules.push_back(
            ExportRule{back.name(rule.constructor), rule.num_fields, back.term(rule.rhs)});
    return result;
}

void restate(ExportDeclaration& block,
             const InductiveCheck::Generated& is,
             std::size_t num_types,
             BackToModel& back) {
    ExportConstant like;
    std::vector<ExportConstant> kept;
    for (const ExportConstant& constant : block.constants) {
        if (constant.kind == ConstantKind::recursor)
            like = constant;
        else
            kept.push_back(constant);
    }
    block.constants = std::move(kept);
    std::size_t type_idx = 0;
    for (ExportConstant& constant : block.constants) {
        if (constant.kind != ConstantKind::inductive)
            continue;
        constant.is_recursive = is.is_recursive;
        constant.is_reflexive = is.is_reflexive;
        constant.num_nested = is.num_nested;
        const InductiveFacts& facts = is.recursor_facts[type_idx++];
        constant.num_indices = facts.num_indices;
        for (const kernel::RecursorRule& rule : facts.rules) {
            if (ExportConstant* const constructor = find(block, back.name(rule.constructor)))
                constructor->num_fields = rule.num_fields;
        }
        if (type_idx == num_types)
            break;
    }
    for (std::size_t i = 0; i < is.recursors.size(); ++i)
        block.constants.push_back(recursor(is.recursors[i], is.recursor_facts[i], like, back));
}

std::optional<std::size_t> block_of(const ExportModel& model, Index name) {
    for (std::size_t i = 0; i < model.declarations.size(); ++i) {
        for (const ExportConstant& constant : model.declarations[i].constants) {
            if (model.declarations[i].is_inductive_block && constant.name == name)
                return i;
        }
    }
    return std::nullopt;
}

} // namespace

bool restate_refused_block(ExportModel& model) {
    // The recursors of nested occurrences have names that the model may not have yet.
    for (const ExportDeclaration& declaration : model.declarations) {
        if (!declaration.is_inductive_block)
            continue;
        const auto first = static_cast<Index>(declaration.constants.front().name);
        for (const char* const last : {"rec", "rec_1", "rec_2", "rec_3"})
            model.name(first, last);
    }
    KernelRun run(model);
    const kernel::Declaration* const refused = run.refused();
    if (refused == nullptr || !refused->is_inductive_block)
        return false;
    std::size_t num_types = 0;
    for (const kernel::ConstantInfo& info : refused->constants)
        num_types += info.kind == ConstantKind::inductive ? 1 : 0;
    const kernel::ConstantInfo& first = refused->constants.front();
    run.types().begin_declaration(static_cast<kernel::Ordinal>(run.environment().size()) + 1,
                                  first.params, first.safety);
    try {
        for (const char* const last : {"rec", "rec_1", "rec_2", "rec_3"})
            run.names().str(first.name, last);
        BackToModel back(run, model);
        const InductiveCheck::Generated is = InductiveCheck(run.types(), *refused).generate();
        run.types().set_overlay(nullptr);
        const auto at = block_of(model, back.name(first.name));
        if (!at)
            return false;
        restate(model.declarations[*at], is, num_types, back);
        return true;
    } catch (const kernel::Rejection&) {
        return false;
    } catch (const Failure&) {
        return false;
    } catch (const std::out_of_range&) {
        return false; // a name that the model does not have, or a number beyond 2^64
    }
}

} // namespace leanhost::fuzz
