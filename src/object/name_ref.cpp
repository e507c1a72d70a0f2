#include "object/name_ref.hpp"

#include "base/lean_hash.hpp"

#include <array>

namespace leanhost::object {
namespace {

// The components of a name, last first; not recursive, since depth is the file's choice.
class ComponentStack {
public:
    ComponentStack(NameRef name, std::size_t max_bytes) : name_(name), bytes_left_(max_bytes) {
        for (NameRef at = name; !at.is_anonymous(); at = at.prefix()) {
            at.require_well_formed();
            push(at);
        }
    }
    template <class F>
    void for_each_from_root(F&& f) const {
        for (std::size_t i = overflow_.size(); i-- > 0;)
            f(NameRef(overflow_[i]));
        for (std::size_t i = std::min(size_, inline_.size()); i-- > 0;)
            f(NameRef(inline_[i]));
    }

private:
    void push(NameRef component) {
        const std::size_t bytes = component.is_string() ? component.string_component().size() : 8;
        if (bytes > bytes_left_ || size_ == NameRef::max_components)
            fail_long();
        bytes_left_ -= bytes;
        if (size_ < inline_.size()) {
            inline_[size_] = component.object();
        } else {
            overflow_.push_back(component.object());
        }
        ++size_;
    }
    [[noreturn]] void fail_long() const {
        throw MalformedObject(name_.object().word(), "a name of at most 16 KiB and 1024 components",
                              "a longer one");
    }
    NameRef name_;
    std::size_t bytes_left_;
    std::array<ObjectRef, 16> inline_;
    std::vector<ObjectRef> overflow_;
    std::size_t size_ = 0;
};

} // namespace

void NameRef::require_well_formed() const {
    if (is_anonymous()) {
        if (object_.scalar() != 0)
            throw MalformedObject(object_.word(), "name", object_.describe());
    } else if (!is_string() && !is_number()) {
        throw MalformedObject(object_.word(), "name", object_.describe());
    }
}

std::uint64_t NameRef::recomputed_hash() const {
    std::uint64_t hash = anonymous_name_hash;
    ComponentStack(*this, max_bytes).for_each_from_root([&](NameRef at) {
        hash = at.is_string()
                   ? name_hash_str(hash, at.string_component())
                   : name_hash_num(hash, at.number_component().try_uint64().value_or(17));
    });
    return hash;
}

Name NameRef::to_name(std::size_t most_bytes) const {
    std::vector<Name::Component> components;
    ComponentStack(*this, most_bytes).for_each_from_root([&](NameRef at) {
        if (at.is_string()) {
            components.push_back({std::string(at.string_component()), 0, false});
        } else if (const auto number = at.number_component().try_uint64()) {
            components.push_back({{}, *number, true});
        } else {
            components.push_back({at.number_component().to_string(), 0, false});
        }
    });
    return Name(std::move(components));
}

std::string NameRef::to_string() const {
    std::string out;
    ComponentStack(*this, max_bytes).for_each_from_root([&](NameRef at) {
        if (!out.empty())
            out += '.';
        if (at.is_string()) {
            append_name_component(out, at.string_component());
        } else {
            out += at.number_component().to_string();
        }
    });
    return out;
}

bool NameRef::operator==(const NameRef& other) const {
    NameRef a = *this;
    NameRef b = other;
    for (; a.object_ != b.object_; a = a.prefix(), b = b.prefix()) {
        if (a.is_anonymous() || b.is_anonymous())
            return false;
        if (a.is_string() != b.is_string())
            return false;
        if (a.is_string()) {
            if (a.string_component() != b.string_component())
                return false;
        } else if (!(a.number_component() == b.number_component())) {
            return false;
        }
    }
    return true;
}

bool NameRef::operator==(const Name& other) const {
    NameRef at = *this;
    for (auto it = other.components().rbegin(); it != other.components().rend(); ++it) {
        if (at.is_anonymous() || at.is_number() != it->is_number)
            return false;
        if (it->is_number) {
            if (at.number_component().try_uint64() != it->number)
                return false;
        } else if (at.string_component() != it->text) {
            return false;
        }
        at = at.prefix();
    }
    return at.is_anonymous();
}

} // namespace leanhost::object
