#include "engine_native/native_session.hpp"

#include "base/utf8.hpp"
#include "object/expr_printer.hpp"

#include <fmt/format.h>

namespace leanhost::engine_native {
namespace {

using module::ConstantPlace;
using object::ConstantInfoRef;

// Between looks at the cancellation token and calls of the progress sink.
constexpr std::size_t items_between_reports = 256;

DeclarationKind public_kind(object::ConstantKind kind) {
    static_assert(static_cast<int>(DeclarationKind::recursor) ==
                  static_cast<int>(object::ConstantKind::recursor));
    return static_cast<DeclarationKind>(kind);
}

// A constant of a loaded closure. Keeps the closure, and so its regions and the runtime.
class NativeObjHolder final : public ObjHolder {
public:
    NativeObjHolder(const Name& name,
                    DeclarationKind kind,
                    std::shared_ptr<const LoadedClosure> loaded,
                    ConstantPlace place)
        : ObjHolder(name, kind), loaded_(std::move(loaded)), place_(place) {}

    std::string do_type_text(std::size_t max_bytes) const override {
        const module::ImportClosure& closure = loaded_->closure();
        return module::reading(*closure.modules()[place_.module].region, "constant", [&] {
            return object::print_term(module::constant_at(closure, place_).type(), max_bytes).text;
        });
    }

private:
    const std::shared_ptr<const LoadedClosure> loaded_;
    const ConstantPlace place_;
};

// Bounded, since many entries of a list may share one long name.
std::vector<std::string> universe_params(ConstantInfoRef constant) {
    constexpr std::size_t max_params = 1024;
    std::vector<std::string> params;
    for (const object::NameRef param : constant.universe_params()) {
        if (params.size() == max_params) {
            throw object::MalformedObject(constant.object().word(),
                                          "at most 1024 universe parameters", "more");
        }
        params.push_back(valid_utf8(param.to_string()));
    }
    return params;
}

} // namespace

NativeSession::NativeSession(std::shared_ptr<const LoadedClosure> loaded,
                             ImportSet imports,
                             bool was_shared)
    : loaded_(std::move(loaded)), imports_(std::move(imports)), facts_(loaded_->facts()) {
    facts_.was_shared = was_shared;
}

DeclarationRow NativeSession::row_for(const Name& name, const DeclarationFields& fields) const {
    const std::optional<ConstantPlace> place = loaded_->index().find(name);
    if (!place)
        return std::nullopt;
    const module::ClosureModule& module = loaded_->closure().modules()[place->module];
    return module::reading(*module.region, "constant", [&] {
        const ConstantInfoRef constant = module.data.constant(place->constant);
        Declaration row{public_kind(constant.kind()), module.text, {}, {}, false};
        if (fields.universe_params)
            row.universe_params = universe_params(constant);
        if (fields.type) {
            object::PrintedTerm printed =
                object::print_term(constant.type(), fields.max_type_bytes);
            row.type = valid_utf8(std::move(printed.text));
            row.type_is_cut = printed.is_cut;
        }
        return DeclarationRow(std::move(row));
    });
}

DeclarationRows NativeSession::do_query_declarations(std::span<const Name> names,
                                                     const DeclarationFields& fields,
                                                     const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    std::vector<DeclarationRow> rows;
    rows.reserve(names.size());
    for (const Name& name : names) {
        if (rows.size() % items_between_reports == 0)
            monitor.report("query", rows.size(), names.size());
        rows.push_back(row_for(name, fields));
    }
    monitor.report("query", rows.size(), names.size());
    return DeclarationRows(std::move(rows), loaded_);
}

std::vector<Name> NativeSession::do_list_declarations(std::uint64_t offset,
                                                      std::uint64_t limit,
                                                      const CallOptions& options) const {
    Monitor monitor(options.progress, options.cancellation);
    std::vector<Name> names;
    for (const module::ClosureModule& module : loaded_->closure().modules()) {
        monitor.check();
        const std::uint64_t count = module.data.constants().size();
        if (offset >= count) {
            offset -= count;
            continue;
        }
        module::reading(*module.region, "constants", [&] {
            for (std::uint64_t i = offset; i < count && names.size() < limit; ++i) {
                names.push_back(module.data.constant(i).name().to_name());
            }
        });
        offset = 0;
        if (names.size() == limit)
            break;
    }
    return names;
}

Obj NativeSession::do_find_object(const Name& name) const {
    const std::optional<ConstantPlace> place = loaded_->index().find(name);
    if (!place) {
        fail(ErrorCode::not_found,
             fmt::format("no imported module declares '{}'", name.to_string()),
             {{"declaration", name.to_string()}});
    }
    const module::ClosureModule& module = loaded_->closure().modules()[place->module];
    const DeclarationKind kind = module::reading(*module.region, "constant", [&] {
        return public_kind(module::constant_at(loaded_->closure(), *place).kind());
    });
    return Obj(std::make_shared<const NativeObjHolder>(name, kind, loaded_, *place));
}

} // namespace leanhost::engine_native
