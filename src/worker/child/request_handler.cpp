#include "worker/child/request_handler.hpp"

#include "base/failure.hpp"
#include "worker/protocol/check_values.hpp"
#include "worker/protocol/kernel_values.hpp"
#include "worker/protocol/wire_values.hpp"

#include <leanhost/version.hpp>

#include <fmt/format.h>

namespace leanhost::worker {
namespace {

Runtime runtime_of(const wire::Hello& hello) {
    return value_or_throw(Runtime::init(runtime_options_from(hello.runtime())));
}

void add_row(RowWriter& rows, const google::protobuf::MessageLite& message, std::string& buffer) {
    buffer.clear();
    message.AppendToString(&buffer);
    rows.add(buffer);
}

// Empty bytes stand for a name that the environment does not hold: no message here is empty.
void add_unknown(RowWriter& rows) {
    rows.add({});
}

// In pieces, so that bytes may be longer than a frame.
void add_pieces(RowWriter& rows, std::string_view bytes) {
    constexpr std::size_t piece_bytes = std::size_t{32} << 10;
    for (std::size_t at = 0; at < bytes.size(); at += piece_bytes)
        rows.add(bytes.substr(at, piece_bytes));
}

wire::KernelAnswer verdict_answer(const Verdict& verdict) {
    wire::KernelAnswer answer;
    *answer.mutable_verdict() = to_wire(verdict);
    return answer;
}

wire::KernelAnswer
answer_of(const Session& session, const wire::KernelRequest& request, const CallOptions& options) {
    const KernelOptions kernel = kernel_options_from(request.options());
    switch (request.operation_case()) {
    case wire::KernelRequest::kCheckConstant:
        return verdict_answer(value_or_throw(session.kernel_check(
            name_from(request.check_constant(), "kernel.check_constant"), kernel, options)));
    case wire::KernelRequest::kCheckCandidate:
        return verdict_answer(value_or_throw(
            session.kernel_check(candidate_from(request.check_candidate()), kernel, options)));
    case wire::KernelRequest::kDeclarationTerms: {
        wire::KernelAnswer answer;
        *answer.mutable_declaration() = to_wire(value_or_throw(session.declaration_terms(
            name_from(request.declaration_terms(), "kernel.declaration_terms"), options)));
        return answer;
    }
    case wire::KernelRequest::kCheckModules: {
        wire::KernelAnswer answer;
        *answer.mutable_modules_report() = to_wire(value_or_throw(session.check_modules(
            names_from(request.check_modules().modules(), "kernel.check_modules.modules"),
            check_options_from(request.check_modules().options()), options)));
        return answer;
    }
    case wire::KernelRequest::kWhnf:
        return to_wire(value_or_throw(
            session.whnf(term_from(request.whnf(), "kernel.whnf"), kernel, options)));
    case wire::KernelRequest::kInferType:
        return to_wire(value_or_throw(session.infer_type(
            term_from(request.infer_type(), "kernel.infer_type"), kernel, options)));
    case wire::KernelRequest::kUnfold:
        return to_wire(value_or_throw(
            session.unfold(term_from(request.unfold(), "kernel.unfold"), kernel, options)));
    case wire::KernelRequest::kIsDefEq:
        return to_wire(value_or_throw(session.is_def_eq(
            term_from(request.is_def_eq().t(), "kernel.is_def_eq.t"),
            term_from(request.is_def_eq().s(), "kernel.is_def_eq.s"), kernel, options)));
    default:
        fail(ErrorCode::unsupported, "a kernel request without an operation that is known");
    }
}

wire::KernelAnswer
export_check(const Runtime& runtime, const wire::CheckExport& request, const CallOptions& options) {
    wire::KernelAnswer answer;
    *answer.mutable_export_report() = to_wire(value_or_throw(
        runtime.check_export(request.path(), check_options_from(request.options()), options)));
    return answer;
}

std::size_t names_at_once(const DeclarationFields& fields) {
    // Rows are made before they are sent; as many at a time keep little.
    return fields.type ? 16 : 256;
}

} // namespace

RequestHandler::RequestHandler(const wire::Hello& hello)
    : runtime_(runtime_of(hello)), sessions_(runtime_, hello.max_sessions()) {
    for (const std::string& path : hello.capability_libraries()) {
        Capabilities library = value_or_throw(Capabilities::load(runtime_, path));
        const std::string name = library.name();
        if (!capabilities_.emplace(name, std::move(library)).second) {
            fail(ErrorCode::invalid_argument,
                 fmt::format("two capability libraries are named '{}'", name));
        }
    }
}

wire::HelloAnswer RequestHandler::greeting(bool can_fork, std::uint32_t max_frame_bytes) const {
    wire::HelloAnswer answer;
    answer.set_protocol_version(protocol_version);
    answer.set_max_frame_bytes(max_frame_bytes);
    answer.set_engine(std::string(engine_kind_name(runtime_.options().engine)));
    answer.set_leanhost_version(std::string(version));
    answer.set_can_fork(can_fork);
    return answer;
}

void RequestHandler::answer(const wire::ToWorker& request,
                            const RequestContext& context,
                            wire::Summary& summary) {
    ++num_requests_;
    switch (request.body_case()) {
    case wire::ToWorker::kOpen:
        return open(request.open(), context, summary);
    case wire::ToWorker::kQuery:
        return query(request.query(), context);
    case wire::ToWorker::kList:
        return list(request.list(), context);
    case wire::ToWorker::kSearch:
        return search(request.search(), context, summary);
    case wire::ToWorker::kReferences:
        return references(request.references(), context);
    case wire::ToWorker::kAxioms:
        return axioms(request.axioms(), context);
    case wire::ToWorker::kFind:
        return find(request.find(), summary);
    case wire::ToWorker::kCapability:
        return capability(request.capability(), context, summary);
    case wire::ToWorker::kKernel:
        return kernel(request.kernel(), context);
    case wire::ToWorker::kPing:
        return summary.set_pong(request.ping().payload());
    case wire::ToWorker::kStats:
        return stats(summary);
    case wire::ToWorker::kDrain:
        return sessions_.drain();
    default:
        fail(ErrorCode::unsupported, fmt::format("this worker does not know requests of kind {}",
                                                 static_cast<int>(request.body_case())));
    }
}

void RequestHandler::open(const wire::OpenRequest& request,
                          const RequestContext& context,
                          wire::Summary& summary) {
    const SessionTable::Opened opened =
        sessions_.open(import_set_from(request.imports()), context.options);
    wire::OpenAnswer& answer = *summary.mutable_open();
    answer.set_session(opened.session);
    answer.set_was_live(opened.was_live);
    *answer.mutable_facts() = to_wire(opened.facts);
}

void RequestHandler::query(const wire::QueryRequest& request, const RequestContext& context) {
    const auto session = sessions_.find(request.session());
    const std::vector<Name> names = names_from(request.names(), "query.names");
    const DeclarationFields fields = fields_from(request.fields());
    const std::size_t at_once = names_at_once(fields);
    std::string buffer;
    for (std::size_t first = 0; first < names.size(); first += at_once) {
        const auto some = std::span(names).subspan(first, std::min(at_once, names.size() - first));
        const DeclarationRows rows =
            value_or_throw(session->query_declarations(some, fields, context.options));
        for (const DeclarationRow& row : rows) {
            if (row)
                add_row(context.rows, to_wire(*row), buffer);
            else
                add_unknown(context.rows);
        }
    }
}

void RequestHandler::list(const wire::ListRequest& request, const RequestContext& context) {
    const auto session = sessions_.find(request.session());
    constexpr std::uint64_t names_a_piece = 4096;
    std::uint64_t offset = request.offset();
    std::uint64_t left = request.limit();
    std::string buffer;
    while (left > 0) {
        const std::vector<Name> names = value_or_throw(
            session->list_declarations(offset, std::min(left, names_a_piece), context.options));
        for (const Name& name : names) {
            wire::NameTable row;
            append_name(name, row);
            add_row(context.rows, row, buffer);
        }
        if (names.size() < std::min(left, names_a_piece))
            return;
        offset += names.size();
        left -= names.size();
    }
}

void RequestHandler::search(const wire::SearchRequest& request,
                            const RequestContext& context,
                            wire::Summary& summary) {
    const auto session = sessions_.find(request.session());
    std::string buffer;
    const auto take = [&](const Name& name, const Declaration& declaration) {
        wire::DeclarationRow row = to_wire(declaration);
        append_name(name, *row.mutable_name());
        add_row(context.rows, row, buffer);
        return SinkAnswer::proceed;
    };
    *summary.mutable_search() = to_wire(value_or_throw(session->search_declarations(
        filter_from(request), fields_from(request.fields()), take, context.options)));
}

void RequestHandler::references(const wire::ReferencesRequest& request,
                                const RequestContext& context) {
    const auto session = sessions_.find(request.session());
    const std::vector<Name> names = names_from(request.names(), "references.names");
    const auto answers =
        value_or_throw(request.dependents() ? session->dependents(names, context.options)
                                            : session->dependencies(names, context.options));
    std::string buffer;
    for (const auto& answer : answers) {
        // The first byte says whether the name is known: a declaration may depend on nothing.
        buffer.assign(1, answer ? '\1' : '\0');
        if (answer)
            to_wire(*answer).AppendToString(&buffer);
        context.rows.add(buffer);
    }
}

void RequestHandler::axioms(const wire::AxiomsRequest& request, const RequestContext& context) {
    const auto session = sessions_.find(request.session());
    const std::vector<Name> names = names_from(request.names(), "axioms.names");
    const auto answers = value_or_throw(session->axioms(names, context.options));
    std::string buffer;
    for (const auto& answer : answers) {
        buffer.assign(1, answer ? '\1' : '\0');
        if (answer)
            to_wire(*answer).AppendToString(&buffer);
        context.rows.add(buffer);
    }
}

void RequestHandler::find(const wire::FindRequest& request, wire::Summary& summary) {
    const auto session = sessions_.find(request.session());
    const Obj object =
        value_or_throw(session->find_object(name_from(request.names(), "find.names")));
    summary.mutable_find()->set_kind(static_cast<std::uint32_t>(object.kind()));
}

void RequestHandler::capability(const wire::CapabilityRequest& request,
                                const RequestContext& context,
                                wire::Summary& summary) {
    const auto library = capabilities_.find(request.library());
    if (library == capabilities_.end()) {
        std::string known;
        for (const auto& [name, unused] : capabilities_)
            known += (known.empty() ? "" : ", ") + name;
        fail(ErrorCode::not_found,
             fmt::format("no capability library '{}' in this worker (it has: {})",
                         request.library(), known.empty() ? "none" : known));
    }
    const RowSink take = [&](std::string_view row) {
        context.rows.add(row);
        return SinkAnswer::proceed;
    };
    wire::CapabilityAnswer& answer = *summary.mutable_capability();
    if (request.gives_bytes()) {
        const std::string bytes = value_or_throw(
            library->second.call(request.function(), request.input(), context.options));
        add_pieces(context.rows, bytes);
        answer.set_row_bytes(bytes.size());
        return;
    }
    const RowSummary rows = value_or_throw(
        library->second.call_rows(request.function(), request.input(), take, context.options));
    answer.set_rows(rows.rows);
    answer.set_row_bytes(rows.row_bytes);
}

void RequestHandler::kernel(const wire::KernelRequest& request, const RequestContext& context) {
    std::string bytes;
    if (request.has_check_export()) {
        export_check(runtime_, request.check_export(), context.options).AppendToString(&bytes);
    } else {
        const auto session = sessions_.find(request.session());
        answer_of(*session, request, context.options).AppendToString(&bytes);
    }
    add_pieces(context.rows, bytes);
}

void RequestHandler::stats(wire::Summary& summary) const {
    const SessionTable::Facts facts = sessions_.facts();
    wire::StatsAnswer& answer = *summary.mutable_stats();
    answer.set_requests(num_requests_);
    answer.set_imports(facts.imports);
    answer.set_opens_shared(facts.opens_shared);
    answer.set_residue_bytes(facts.residue_bytes);
    answer.set_sessions(facts.sessions);
}

} // namespace leanhost::worker
