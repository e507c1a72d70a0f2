#pragma once

#include "object/object_ref.hpp"

namespace leanhost::object {

/// A view of a Lean `List`; each element is handed out as a View. Borrows like ObjectRef.
/// Iteration checks each cell and throws MalformedObject at one that is neither nil nor cons.
template <class View>
class ListRef {
public:
    explicit ListRef(ObjectRef object) noexcept : at_(object) {}

    class Iterator {
    public:
        explicit Iterator(ObjectRef at) : at_(at) { check(); }
        View operator*() const { return View(at_.field(0)); }
        /// The cons cell that holds the element.
        ObjectRef cell() const noexcept { return at_; }
        Iterator& operator++() {
            at_ = at_.field(1);
            check();
            return *this;
        }
        bool operator!=(const Iterator& other) const { return at_ != other.at_; }

    private:
        void check() const {
            if (at_ == nil)
                return;
            if (at_.constructor_index() != 1 || at_.is_scalar() || at_.num_fields() != 2) {
                throw MalformedObject(at_.word(), "list", at_.describe());
            }
        }
        ObjectRef at_;
    };

    ObjectRef object() const noexcept { return at_; }
    bool empty() const { return at_ == nil; }
    Iterator begin() const { return Iterator(at_); }
    Iterator end() const { return Iterator(nil); }
    std::size_t size() const {
        std::size_t n = 0;
        for (auto it = begin(); it != end(); ++it)
            ++n;
        return n;
    }

private:
    static constexpr ObjectRef nil{1};
    ObjectRef at_;
};

} // namespace leanhost::object
