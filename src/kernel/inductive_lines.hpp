#pragma once

#include "kernel/environment.hpp"

#include <functional>

namespace leanhost::kernel {

/// Puts together what exports before format 3.0 state on lines of their own: inductive types, their
/// constructors and those recursors that are used, with other declarations in between.
///
/// A block is submitted with the line that completes it, without recursors. These follow when all
/// that the block has are there, since their rules refer to each other: a declaration that starts
/// with the block's constants (`num_known`). What never becomes complete is submitted at the end,
/// to be refused.
class InductiveLines {
public:
    using OnDeclaration = std::function<void(Declaration&)>;

    explicit InductiveLines(OnDeclaration on_declaration)
        : on_declaration_(std::move(on_declaration)), block_of_(64) {}

    void add(const ConstantInfo& info, const InductiveFacts& facts);
    /// No line comes any more.
    void finish();
    std::size_t bytes() const noexcept;

private:
    struct Block {
        Declaration types; ///< with constructors
        Declaration recursors;
        bool are_types_submitted = false;
        bool are_recursors_submitted = false;
    };

    Block& block_for(const ConstantInfo& info, const InductiveFacts& facts);
    void submit_types(Block& block);
    void submit_recursors(Block& block);
    static bool has(const Declaration& declaration, NameId name, ConstantKind kind);
    static bool are_types_complete(const Block& block);
    static std::size_t num_recursors(const Block& block);

    OnDeclaration on_declaration_;
    std::deque<Block> blocks_; ///< kept: a recursor may come at any time
    KeyMap<NameId, std::uint32_t> block_of_;
};

} // namespace leanhost::kernel
