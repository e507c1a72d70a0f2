#pragma once

#include <leanhost/declaration.hpp>
#include <leanhost/expected.hpp>

#include <memory>
#include <string>

namespace leanhost {

/// What an engine keeps for an Obj: the object, and everything that it needs to stay. Engines
/// derive from it.
class ObjHolder {
public:
    ObjHolder(Name name, DeclarationKind kind) : name_(std::move(name)), kind_(kind) {}
    ObjHolder(const ObjHolder&) = delete;
    ObjHolder& operator=(const ObjHolder&) = delete;
    virtual ~ObjHolder() = default;

    const Name& name() const noexcept { return name_; }
    DeclarationKind kind() const noexcept { return kind_; }
    /// May throw Failure; the caller guards.
    virtual std::string do_type_text(std::size_t max_bytes) const = 0;

private:
    const Name name_;
    const DeclarationKind kind_;
};

/// One counted reference to an object of an engine: today, to a declaration.
///
/// Copies count and share. The object's environment stays in memory, and the runtime stays, as long
/// as any of them lives, whatever became of session and pool. Immutable; distinct handles may be
/// used from distinct threads. A handle that was moved from may only be assigned to or dropped.
class Obj {
public:
    explicit Obj(std::shared_ptr<const ObjHolder> holder) noexcept : holder_(std::move(holder)) {}

    const Name& name() const noexcept { return holder_->name(); }
    DeclarationKind kind() const noexcept { return holder_->kind(); }

    /// The declaration's type, fully explicit, in UTF-8. What is longer than `max_bytes` is cut
    /// there and ends in "…". Errors: invalid_input (a type that is none), resource_exhausted.
    Expected<std::string> type_text(std::size_t max_bytes = 64 * 1024) const;

    /// Handles that share this object now. For tests: another thread may change it at once.
    long use_count() const noexcept { return holder_.use_count(); }

private:
    std::shared_ptr<const ObjHolder> holder_;
};

} // namespace leanhost
