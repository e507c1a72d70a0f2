#include "kernel/inductive_lines.hpp"

#include <algorithm>

namespace leanhost::kernel {
namespace {

void append(Declaration& to, ConstantInfo info, const InductiveFacts& facts) {
    info.facts = static_cast<std::uint32_t>(to.facts.size());
    to.facts.push_back(facts);
    to.constants.push_back(info);
}

} // namespace

// A type belongs with those it is stated to be declared with; the others with their type.
InductiveLines::Block& InductiveLines::block_for(const ConstantInfo& info,
                                                 const InductiveFacts& facts) {
    std::vector<NameId> names = facts.all;
    if (info.kind == ConstantKind::inductive)
        names.push_back(info.name);
    else
        names.push_back(facts.inductive);
    for (const NameId name : names) {
        if (const std::uint32_t* const found = block_of_.find(name))
            return blocks_[*found];
    }
    for (const NameId name : names) {
        if (name != anonymous) // which nothing can have
            block_of_.put(name, static_cast<std::uint32_t>(blocks_.size()));
    }
    return blocks_.emplace_back();
}

void InductiveLines::add(const ConstantInfo& info, const InductiveFacts& facts) {
    Block& block = block_for(info, facts);
    const bool is_recursor = info.kind == ConstantKind::recursor;
    if (is_recursor ? block.are_recursors_submitted : block.are_types_submitted) {
        Declaration alone;
        append(alone, info, facts);
        on_declaration_(alone); // refused: it cannot be declared alone
        return;
    }
    append(is_recursor ? block.recursors : block.types, info, facts);
    if (!block.are_types_submitted && are_types_complete(block))
        submit_types(block);
    if (block.are_types_submitted && !block.are_recursors_submitted &&
        block.recursors.constants.size() == num_recursors(block))
        submit_recursors(block);
}

void InductiveLines::finish() {
    for (Block& block : blocks_) {
        if (!block.are_types_submitted && !block.types.constants.empty())
            submit_types(block);
        if (!block.are_recursors_submitted && !block.recursors.constants.empty())
            submit_recursors(block);
    }
}

void InductiveLines::submit_types(Block& block) {
    block.are_types_submitted = true;
    Declaration declaration = block.types;
    declaration.is_inductive_block = true;
    declaration.do_recursors_follow = true;
    on_declaration_(declaration);
}

void InductiveLines::submit_recursors(Block& block) {
    block.are_recursors_submitted = true;
    Declaration declaration = block.types;
    declaration.is_inductive_block = true;
    declaration.num_known = declaration.constants.size();
    for (const ConstantInfo& info : block.recursors.constants)
        append(declaration, info, block.recursors.facts[info.facts]);
    on_declaration_(declaration);
}

bool InductiveLines::has(const Declaration& declaration, NameId name, ConstantKind kind) {
    return std::any_of(
        declaration.constants.begin(), declaration.constants.end(),
        [&](const ConstantInfo& info) { return info.name == name && info.kind == kind; });
}

bool InductiveLines::are_types_complete(const Block& block) {
    bool has_type = false;
    for (const ConstantInfo& info : block.types.constants) {
        if (info.kind != ConstantKind::inductive)
            continue;
        has_type = true;
        const InductiveFacts& facts = block.types.facts[info.facts];
        for (const NameId name : facts.all) {
            if (!has(block.types, name, ConstantKind::inductive))
                return false;
        }
        for (const NameId name : facts.constructors) {
            if (!has(block.types, name, ConstantKind::constructor))
                return false;
        }
    }
    return has_type;
}

// One for each type and one for each nested occurrence.
std::size_t InductiveLines::num_recursors(const Block& block) {
    std::size_t count = 0;
    std::size_t num_nested = 0;
    for (const ConstantInfo& info : block.types.constants) {
        if (info.kind != ConstantKind::inductive)
            continue;
        ++count;
        num_nested = block.types.facts[info.facts].num_nested;
    }
    return count + num_nested;
}

std::size_t InductiveLines::bytes() const noexcept {
    std::size_t constants = 0;
    for (const Block& block : blocks_)
        constants += block.types.constants.size() + block.recursors.constants.size();
    return constants * (sizeof(ConstantInfo) + sizeof(InductiveFacts)) +
           blocks_.size() * sizeof(Block) + block_of_.bytes();
}

} // namespace leanhost::kernel
