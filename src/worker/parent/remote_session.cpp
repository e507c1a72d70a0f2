#include "worker/parent/remote_session.hpp"

#include "base/failure.hpp"
#include "worker/protocol/check_values.hpp"
#include "worker/protocol/kernel_values.hpp"
#include "worker/protocol/wire_values.hpp"

#include <fmt/format.h>

#include <set>

namespace leanhost::worker {
namespace {

// Names that one request carries: far below a frame, and many enough to make its cost nothing.
constexpr std::size_t names_a_request = std::size_t{16} << 10;
constexpr std::size_t name_bytes_a_request = std::size_t{512} << 10;

std::size_t bytes_of(const Name& name) {
    std::size_t bytes = 16;
    for (const Name::Component& component : name.components())
        bytes += component.text.size() + 8;
    return bytes;
}

// Calls `body` with one piece of `names` after the other, each of which fits into a request.
template <class F>
void for_each_piece(std::span<const Name> names, F&& body) {
    while (!names.empty()) {
        std::size_t count = 0;
        std::size_t bytes = 0;
        while (count < names.size() && count < names_a_request &&
               (count == 0 || bytes + bytes_of(names[count]) <= name_bytes_a_request))
            bytes += bytes_of(names[count++]);
        body(names.first(count));
        names = names.subspan(count);
    }
}

template <class Message>
Message parsed(std::string_view row) {
    Message message;
    if (!message.ParseFromArray(row.data(), static_cast<int>(row.size())))
        fail(ErrorCode::protocol_error, "a row that holds no message");
    return message;
}

// While they come: an answer without end must not be collected until the deadline.
void require_wanted(std::uint64_t rows, std::uint64_t wanted) {
    if (rows >= wanted)
        fail(ErrorCode::protocol_error, fmt::format("more rows than the {} asked for", wanted));
}

void require_count(std::size_t rows, std::size_t names) {
    if (rows != names) {
        fail(ErrorCode::protocol_error, fmt::format("{} rows for {} names", rows, names));
    }
}

// Module names that rows refer to; a set's elements stay where they are.
class ModuleNames {
public:
    std::string_view keep(std::string_view name) {
        const auto found = names_.find(name);
        return found != names_.end() ? *found : *names_.emplace(name).first;
    }

private:
    std::set<std::string, std::less<>> names_;
};

// What the caller's sink throws is its failure, not ours.
template <class F>
SinkAnswer call_sink(F&& sink) {
    try {
        return std::forward<F>(sink)();
    } catch (const Failure&) {
        throw;
    } catch (const std::exception& error) {
        fail(ErrorCode::sink_failed, error.what());
    } catch (...) {
        fail(ErrorCode::sink_failed, "the sink threw something that is no std::exception");
    }
}

// The first byte says whether the name is known.
template <class Message, class T>
Answer<T> answer_from(std::string_view row, T (*decode)(const Message&)) {
    if (row.empty())
        fail(ErrorCode::protocol_error, "an answer without its first byte");
    if (row[0] == '\0')
        return std::nullopt;
    return decode(parsed<Message>(row.substr(1)));
}

// A declaration in a worker: its type is asked for when it is wanted.
class RemoteObject final : public ObjHolder {
public:
    RemoteObject(Name name, DeclarationKind kind, std::shared_ptr<Worker> worker)
        : ObjHolder(std::move(name), kind), worker_(std::move(worker)) {}

    std::string do_type_text(std::size_t max_bytes) const override {
        DeclarationFields fields;
        fields.universe_params = false;
        fields.type = true;
        fields.max_type_bytes = max_bytes;
        std::string type;
        const auto take = [&](std::string_view row) {
            type = parsed<wire::DeclarationRow>(row).type();
            return SinkAnswer::proceed;
        };
        worker_->call(
            [&](std::uint64_t session, wire::ToWorker& message) {
                wire::QueryRequest& query = *message.mutable_query();
                query.set_session(session);
                *query.mutable_names() = to_wire(std::span(&name(), 1));
                *query.mutable_fields() = to_wire(fields);
            },
            nullptr, take);
        return type;
    }

private:
    const std::shared_ptr<Worker> worker_;
};

} // namespace

RemoteSession::RemoteSession(std::shared_ptr<Worker> worker, const CallOptions* call_options)
    : worker_(std::move(worker)), facts_(worker_->ensure(call_options).facts),
      timeout_(worker_->options().request_timeout) {}

wire::Summary RemoteSession::call(const MakeMessage& make,
                                  const CallOptions& options,
                                  const WireRowSink& rows) const {
    return worker_->call(make, &options, rows, timeout_.load());
}

void RemoteSession::ping() const {
    call([](std::uint64_t, wire::ToWorker& message) { message.mutable_ping(); }, {});
}

DeclarationRows RemoteSession::do_query_declarations(std::span<const Name> names,
                                                     const DeclarationFields& fields,
                                                     const CallOptions& options) const {
    const auto modules = std::make_shared<ModuleNames>();
    std::vector<DeclarationRow> rows;
    rows.reserve(names.size());
    std::size_t wanted = 0; // after this piece
    const auto take = [&](std::string_view row) {
        require_wanted(rows.size(), wanted);
        if (row.empty()) {
            rows.emplace_back();
        } else {
            rows.emplace_back(
                declaration_from(parsed<wire::DeclarationRow>(row),
                                 [&](std::string_view module) { return modules->keep(module); }));
        }
        return SinkAnswer::proceed;
    };
    for_each_piece(names, [&](std::span<const Name> piece) {
        const auto make = [&](std::uint64_t session, wire::ToWorker& message) {
            wire::QueryRequest& query = *message.mutable_query();
            query.set_session(session);
            *query.mutable_names() = to_wire(piece);
            *query.mutable_fields() = to_wire(fields);
        };
        const std::size_t before = rows.size();
        wanted = before + piece.size();
        call(make, options, take);
        require_count(rows.size() - before, piece.size());
    });
    return {std::move(rows), modules};
}

std::vector<Name> RemoteSession::do_list_declarations(std::uint64_t offset,
                                                      std::uint64_t limit,
                                                      const CallOptions& options) const {
    std::vector<Name> names;
    const auto take = [&](std::string_view row) {
        require_wanted(names.size(), limit);
        names.push_back(name_from(parsed<wire::NameTable>(row), "list.names"));
        return SinkAnswer::proceed;
    };
    const auto make = [&](std::uint64_t session, wire::ToWorker& message) {
        wire::ListRequest& list = *message.mutable_list();
        list.set_session(session);
        list.set_offset(offset);
        list.set_limit(limit);
    };
    call(make, options, take);
    return names;
}

Obj RemoteSession::do_find_object(const Name& name) const {
    const auto make = [&](std::uint64_t session, wire::ToWorker& message) {
        message.mutable_find()->set_session(session);
        *message.mutable_find()->mutable_names() = to_wire(std::span(&name, 1));
    };
    const wire::Summary summary = call(make, {});
    constexpr std::uint32_t num_kinds = 8;
    if (summary.find().kind() >= num_kinds)
        fail(ErrorCode::protocol_error, "field 'find.kind': none of the kinds known");
    return Obj(std::make_shared<RemoteObject>(
        name, static_cast<DeclarationKind>(summary.find().kind()), worker_));
}

SearchSummary RemoteSession::do_search_declarations(const DeclarationFilter& filter,
                                                    const DeclarationFields& fields,
                                                    const DeclarationSink& sink,
                                                    const CallOptions& options) const {
    ModuleNames modules;
    std::uint64_t found = 0;
    bool was_stopped = false;
    const auto take = [&](std::string_view bytes) {
        const auto row = parsed<wire::DeclarationRow>(bytes);
        const Name name = name_from(row.name(), "search.name");
        const Declaration declaration =
            declaration_from(row, [&](std::string_view module) { return modules.keep(module); });
        ++found;
        const SinkAnswer answer = call_sink([&] { return sink(name, declaration); });
        was_stopped = answer == SinkAnswer::stop;
        return answer;
    };
    const auto make = [&](std::uint64_t session, wire::ToWorker& message) {
        *message.mutable_search() = to_wire(filter);
        message.mutable_search()->set_session(session);
        *message.mutable_search()->mutable_fields() = to_wire(fields);
    };
    try {
        return search_summary_from(call(make, options, take).search());
    } catch (const Failure& failure) {
        // A sink that has enough is no failure of the search.
        if (was_stopped && failure.error().code() == ErrorCode::cancelled)
            return {.looked_at = found, .found = found, .was_stopped = true};
        throw;
    }
}

std::vector<Answer<std::vector<Reference>>> RemoteSession::do_references(
    Direction direction, std::span<const Name> names, const CallOptions& options) const {
    std::vector<Answer<std::vector<Reference>>> answers;
    std::size_t wanted = 0; // after this piece
    const auto take = [&](std::string_view row) {
        require_wanted(answers.size(), wanted);
        answers.push_back(answer_from(row, &references_from));
        return SinkAnswer::proceed;
    };
    for_each_piece(names, [&](std::span<const Name> piece) {
        const auto make = [&](std::uint64_t session, wire::ToWorker& message) {
            wire::ReferencesRequest& request = *message.mutable_references();
            request.set_session(session);
            *request.mutable_names() = to_wire(piece);
            request.set_dependents(direction == Direction::dependents);
        };
        const std::size_t before = answers.size();
        wanted = before + piece.size();
        call(make, options, take);
        require_count(answers.size() - before, piece.size());
    });
    return answers;
}

std::vector<Answer<AxiomReport>> RemoteSession::do_axioms(std::span<const Name> names,
                                                          const CallOptions& options) const {
    std::vector<Answer<AxiomReport>> answers;
    std::size_t wanted = 0; // after this piece
    const auto take = [&](std::string_view row) {
        require_wanted(answers.size(), wanted);
        answers.push_back(answer_from(row, &axiom_report_from));
        return SinkAnswer::proceed;
    };
    for_each_piece(names, [&](std::span<const Name> piece) {
        const auto make = [&](std::uint64_t session, wire::ToWorker& message) {
            message.mutable_axioms()->set_session(session);
            *message.mutable_axioms()->mutable_names() = to_wire(piece);
        };
        const std::size_t before = answers.size();
        wanted = before + piece.size();
        call(make, options, take);
        require_count(answers.size() - before, piece.size());
    });
    return answers;
}

wire::KernelAnswer RemoteSession::ask_kernel(const MakeKernelRequest& make_request,
                                             const KernelOptions& kernel,
                                             const CallOptions& options) const {
    // Far beyond what a table within its bounds needs on the wire in practice.
    constexpr std::size_t max_answer_bytes = std::size_t{512} << 20;
    std::string bytes;
    const auto take = [&](std::string_view row) {
        if (row.size() > max_answer_bytes - bytes.size())
            fail(ErrorCode::protocol_error, "an answer of the kernel that does not end");
        bytes.append(row);
        return SinkAnswer::proceed;
    };
    const auto make = [&](std::uint64_t session, wire::ToWorker& message) {
        wire::KernelRequest& request = *message.mutable_kernel();
        request.set_session(session);
        *request.mutable_options() = to_wire(kernel);
        make_request(request);
    };
    call(make, options, take);
    return parsed<wire::KernelAnswer>(bytes);
}

Verdict RemoteSession::do_kernel_check(const Name& name,
                                       const KernelOptions& kernel,
                                       const CallOptions& options) const {
    const auto make = [&](wire::KernelRequest& request) {
        append_name(name, *request.mutable_check_constant());
    };
    return verdict_from(ask_kernel(make, kernel, options).verdict());
}

ModulesReport RemoteSession::do_check_modules(std::span<const Name> modules,
                                              const CheckOptions& check,
                                              const CallOptions& options) const {
    const auto make = [&](wire::KernelRequest& request) {
        *request.mutable_check_modules()->mutable_modules() = to_wire(modules);
        *request.mutable_check_modules()->mutable_options() = to_wire(check);
    };
    const wire::KernelAnswer answer = ask_kernel(make, {}, options);
    if (!answer.has_modules_report())
        fail(ErrorCode::protocol_error, "field 'answer.modules_report': an answer without it");
    return modules_report_from(answer.modules_report());
}

ExportReport RemoteSession::check_export(const std::filesystem::path& path,
                                         const CheckOptions& check,
                                         const CallOptions& options) const {
    const auto make = [&](wire::KernelRequest& request) {
        request.mutable_check_export()->set_path(path.string());
        *request.mutable_check_export()->mutable_options() = to_wire(check);
    };
    const wire::KernelAnswer answer = ask_kernel(make, {}, options);
    if (!answer.has_export_report())
        fail(ErrorCode::protocol_error, "field 'answer.export_report': an answer without it");
    return export_report_from(answer.export_report());
}

Verdict RemoteSession::do_check_candidate(const CandidateDeclaration& candidate,
                                          const KernelOptions& kernel,
                                          const CallOptions& options) const {
    const auto make = [&](wire::KernelRequest& request) {
        *request.mutable_check_candidate() = to_wire(candidate);
    };
    return verdict_from(ask_kernel(make, kernel, options).verdict());
}

DeclarationTerms RemoteSession::do_declaration_terms(const Name& name,
                                                     const CallOptions& options) const {
    const auto make = [&](wire::KernelRequest& request) {
        append_name(name, *request.mutable_declaration_terms());
    };
    const wire::KernelAnswer answer = ask_kernel(make, {}, options);
    if (!answer.has_declaration())
        fail(ErrorCode::protocol_error, "field 'answer.declaration': an answer without it");
    return declaration_terms_from(answer.declaration());
}

TermAnswer RemoteSession::do_term_operation(TermOperation operation,
                                            const Term& term,
                                            const KernelOptions& kernel,
                                            const CallOptions& options) const {
    const auto make = [&](wire::KernelRequest& request) {
        switch (operation) {
        case TermOperation::whnf:
            *request.mutable_whnf() = to_wire(term);
            return;
        case TermOperation::infer_type:
            *request.mutable_infer_type() = to_wire(term);
            return;
        case TermOperation::unfold:
            *request.mutable_unfold() = to_wire(term);
            return;
        }
    };
    return term_answer_from(ask_kernel(make, kernel, options));
}

EqualityAnswer RemoteSession::do_is_def_eq(const Term& t,
                                           const Term& s,
                                           const KernelOptions& kernel,
                                           const CallOptions& options) const {
    const auto make = [&](wire::KernelRequest& request) {
        *request.mutable_is_def_eq()->mutable_t() = to_wire(t);
        *request.mutable_is_def_eq()->mutable_s() = to_wire(s);
    };
    return equality_answer_from(ask_kernel(make, kernel, options));
}

std::string RemoteSession::call_capability(std::string_view library,
                                           std::string_view function,
                                           std::string_view input,
                                           const CallOptions& options) const {
    std::string bytes;
    const auto take = [&](std::string_view row) {
        bytes.append(row);
        return SinkAnswer::proceed;
    };
    const auto make = [&](std::uint64_t, wire::ToWorker& message) {
        wire::CapabilityRequest& request = *message.mutable_capability();
        request.set_library(std::string(library));
        request.set_function(std::string(function));
        request.set_input(std::string(input));
        request.set_gives_bytes(true);
    };
    call(make, options, take);
    return bytes;
}

RowSummary RemoteSession::call_capability_rows(std::string_view library,
                                               std::string_view function,
                                               std::string_view input,
                                               const RowSink& rows,
                                               const CallOptions& options) const {
    const auto take = [&](std::string_view row) { return call_sink([&] { return rows(row); }); };
    const auto make = [&](std::uint64_t, wire::ToWorker& message) {
        wire::CapabilityRequest& request = *message.mutable_capability();
        request.set_library(std::string(library));
        request.set_function(std::string(function));
        request.set_input(std::string(input));
    };
    const wire::Summary summary = call(make, options, take);
    return {.rows = summary.capability().rows(), .row_bytes = summary.capability().row_bytes()};
}

} // namespace leanhost::worker
