#include "module/lean4export/convert_export.hpp"

#include "base/failure.hpp"
#include "module/lean4export/export_module.hpp"
#include "module/mentioned_names.hpp"
#include "module/pending_file.hpp"
#include "module/search_path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace leanhost::module::lean4export {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();

// One module to be: some declarations that follow each other.
struct Slice {
    std::size_t begin;
    std::size_t end;
};

std::vector<Slice> slices_of(const std::vector<ExportDeclaration>& declarations,
                             std::uint64_t constants_per_module) {
    std::vector<Slice> slices;
    std::uint64_t constants = 0;
    for (std::size_t i = 0; i < declarations.size(); ++i) {
        if (slices.empty() || constants >= constants_per_module) {
            slices.push_back({i, i});
            constants = 0;
        }
        slices.back().end = i + 1;
        constants += declarations[i].constants.size();
    }
    return slices;
}

// Names are positions in the table, and a table may hold one name twice: it is known by its text.
class Declared {
public:
    explicit Declared(const ExportTable& table)
        : table_(table), slice_of_(table.names().size(), nowhere) {}

    void add(const ExportConstant& constant, std::uint32_t slice) {
        const auto index = static_cast<NameIndex>(constant.name);
        const std::string text = table_.name_text(index);
        if (!by_text_.emplace(text, slice).second) {
            fail(ErrorCode::invalid_input, fmt::format("the export declares {} twice", text),
                 {{"constant", text}});
        }
        slice_of_[index] = slice;
    }

    std::uint32_t slice_of(NameIndex name) {
        if (slice_of_[name] == nowhere) {
            const auto found = by_text_.find(table_.name_text(name));
            if (found != by_text_.end())
                slice_of_[name] = found->second;
        }
        return slice_of_[name];
    }

    std::uint32_t slice_of(const std::string& text) const {
        const auto found = by_text_.find(text);
        return found == by_text_.end() ? nowhere : found->second;
    }

private:
    const ExportTable& table_;
    std::vector<std::uint32_t> slice_of_;
    absl::flat_hash_map<std::string, std::uint32_t> by_text_;
};

class Conversion {
public:
    Conversion(const ExportTable& table, const ConvertOptions& options, Monitor& monitor)
        : table_(table), options_(options), monitor_(monitor), scratch_(table), declared_(table),
          seen_in_(table.terms().size(), nowhere),
          slices_(slices_of(table.declarations(), options.constants_per_module)) {}

    ConvertReport run() {
        for (std::uint32_t slice = 0; slice < slices_.size(); ++slice) {
            monitor_.report("convert", slice, slices_.size());
            write_slice(slice);
        }
        std::vector<Name> all;
        for (std::uint32_t slice = 0; slice < slices_.size(); ++slice)
            all.push_back(module_name(slice));
        write({}, options_.root_module, all);
        monitor_.report("convert", slices_.size(), slices_.size());
        return report_;
    }

private:
    Name module_name(std::uint32_t slice) const {
        std::vector<Name::Component> components = options_.root_module.components();
        components.push_back({fmt::format("Part{:04}", slice + 1), 0, false});
        return Name(std::move(components));
    }

    std::span<const ExportDeclaration> declarations_of(std::uint32_t slice) const {
        return std::span(table_.declarations())
            .subspan(slices_[slice].begin, slices_[slice].end - slices_[slice].begin);
    }

    void write_slice(std::uint32_t slice) {
        const auto declarations = declarations_of(slice);
        for (const ExportDeclaration& declaration : declarations) {
            for (const ExportConstant& constant : declaration.constants)
                declared_.add(constant, slice);
        }
        std::vector<Name> imports;
        for (const std::uint32_t used : slices_used_by(slice))
            imports.push_back(module_name(used));
        write(declarations, module_name(slice), imports);
    }

    // Earlier ones whose constants the slice's terms mention or its literals rest on, in order.
    std::set<std::uint32_t> slices_used_by(std::uint32_t slice) {
        std::set<std::uint32_t> used;
        std::vector<TermIndex> todo;
        for (const ExportDeclaration& declaration : declarations_of(slice)) {
            for (const ExportConstant& constant : declaration.constants)
                add_roots(constant, todo);
        }
        while (!todo.empty()) {
            const TermIndex at = todo.back();
            todo.pop_back();
            if (std::exchange(seen_in_[at], slice) == slice)
                continue;
            const TermNode& node = table_.terms()[at];
            if (node.kind == TermKind::constant || node.kind == TermKind::proj)
                add_use(node.a, slice, used);
            else if (node.kind == TermKind::nat_literal)
                add_literal(std::array{std::string_view("Nat")}, slice, used);
            else if (node.kind == TermKind::string_literal)
                add_literal(string_literal_names, slice, used);
            visit_subterms(table_, node, [&](TermIndex below) { todo.push_back(below); });
        }
        return used;
    }

    static void add_roots(const ExportConstant& constant, std::vector<TermIndex>& todo) {
        todo.push_back(static_cast<TermIndex>(constant.type));
        const bool has_value = constant.kind == object::ConstantKind::definition ||
                               constant.kind == object::ConstantKind::theorem ||
                               constant.kind == object::ConstantKind::opaque;
        if (has_value)
            todo.push_back(static_cast<TermIndex>(constant.value));
        for (const ExportRule& rule : constant.rules)
            todo.push_back(static_cast<TermIndex>(rule.rhs));
    }

    void add_use(NameIndex name, std::uint32_t slice, std::set<std::uint32_t>& used) {
        const std::uint32_t declared_in = declared_.slice_of(name);
        if (declared_in == nowhere) {
            if (report_.unknown_constants++ == 0)
                report_.first_unknown_constant = table_.name_text(name);
        } else if (declared_in != slice) {
            used.insert(declared_in);
        }
    }

    void add_literal(std::span<const std::string_view> names,
                     std::uint32_t slice,
                     std::set<std::uint32_t>& used) const {
        for (const std::string_view name : names) {
            const std::uint32_t declared_in = declared_.slice_of(std::string(name));
            if (declared_in != nowhere && declared_in != slice)
                used.insert(declared_in);
        }
    }

    void write(std::span<const ExportDeclaration> declarations,
               const Name& module,
               std::span<const Name> imports) {
        const BuiltPart part = mk_export_module(table_, declarations, module, imports, scratch_);
        const fs::path path = options_.directory / relative_module_path(module);
        std::error_code error;
        fs::create_directories(path.parent_path(), error);
        if (error) {
            fail(ErrorCode::io, fmt::format("{}: {}", path.parent_path().string(), error.message()),
                 {{"file", path.parent_path().string()}});
        }
        PendingFile file(path);
        file.write(part.bytes);
        file.sync();
        file.commit();
        ++report_.modules;
        report_.objects += part.num_objects;
        report_.file_bytes += part.bytes.size();
        for (const ExportDeclaration& declaration : declarations)
            report_.constants += declaration.constants.size();
    }

    const ExportTable& table_;
    const ConvertOptions& options_;
    Monitor& monitor_;
    ExportScratch scratch_;
    Declared declared_;
    std::vector<std::uint32_t> seen_in_; // by term: the last slice whose terms led to it
    const std::vector<Slice> slices_;
    ConvertReport report_;
};

} // namespace

ConvertReport
convert_export(const ExportTable& table, const ConvertOptions& options, Monitor& monitor) {
    if (options.root_module.is_anonymous() || options.constants_per_module == 0) {
        fail(ErrorCode::invalid_argument,
             "a conversion needs a root module and at least one constant a module");
    }
    return Conversion(table, options, monitor).run();
}

} // namespace leanhost::module::lean4export
