// Any bytes as what a peer sends, to either side: framing must not depend on how the bytes arrive,
// a message is refused or read, and what is read must come back the same when it is sent on. The
// first byte chooses how the stream is cut into pieces, the rest is the stream.

#include "base/failure.hpp"
#include "worker/protocol/check_values.hpp"
#include "worker/protocol/frame.hpp"
#include "worker/protocol/kernel_values.hpp"
#include "worker/protocol/row_checksum.hpp"
#include "worker/protocol/wire_values.hpp"
#include "worker/protocol/worker_messages.pb.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>

namespace {

using namespace leanhost;
using namespace leanhost::worker;

[[noreturn]] void disagree(const char* what) {
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

// What a peer's bytes may cause: their refusal, and nothing else.
template <class Body>
bool is_accepted(Body&& body) {
    try {
        body();
        return true;
    } catch (const Failure& failure) {
        if (failure.error().code() != ErrorCode::protocol_error)
            disagree(failure.what());
        return false;
    }
}

template <class Message>
bool parse(std::string_view bytes, Message& message) {
    return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// Decodes `message` as `decode` does. Where that succeeds, the value sent on must be read and give
// the same message again.
template <class Message, class Decode>
void check(const Message& message, Decode&& decode) {
    is_accepted([&] {
        const std::string sent = to_wire(decode(message)).SerializeAsString();
        Message received;
        if (!parse(sent, received))
            disagree("a message that this side wrote cannot be parsed");
        const bool is_read = is_accepted([&] {
            if (to_wire(decode(received)).SerializeAsString() != sent)
                disagree("a value changed on its way");
        });
        if (!is_read)
            disagree("a value that this side wrote is refused");
    });
}

void check_names(const wire::NameTable& table) {
    check(table, [](const wire::NameTable& names) { return names_from(names, "names"); });
    is_accepted([&] { static_cast<void>(name_from(table, "name")); });
}

void check_declaration(const wire::DeclarationRow& row) {
    std::deque<std::string> modules;
    check(row, [&](const wire::DeclarationRow& one) {
        return declaration_from(one, [&](std::string_view module) -> std::string_view {
            return modules.emplace_back(module);
        });
    });
    check_names(row.name());
}

void check_term(const wire::Term& term) {
    check(term, [](const wire::Term& one) { return term_from(one, "term"); });
    // Printing must end, whatever the term.
    is_accepted([&] {
        constexpr std::size_t most_bytes = 4096;
        if (term_text(term_from(term, "term"), most_bytes).size() > most_bytes + 8)
            disagree("a text beyond its bound");
    });
}

void check_kernel_request(const wire::KernelRequest& request) {
    check(request.options(), kernel_options_from);
    check_names(request.check_constant());
    check_names(request.declaration_terms());
    check(request.check_candidate(), candidate_from);
    check_term(request.whnf());
    check_term(request.infer_type());
    check_term(request.unfold());
    check_term(request.is_def_eq().t());
    check_term(request.is_def_eq().s());
    check_names(request.check_modules().modules());
    check(request.check_modules().options(), check_options_from);
    check(request.check_export().options(), check_options_from);
}

void check_kernel_answer(const wire::KernelAnswer& answer) {
    check(answer.verdict(), verdict_from);
    check(answer, term_answer_from);
    check(answer, equality_answer_from);
    check(answer.declaration(), declaration_terms_from);
    check(answer.export_report(), export_report_from);
    check(answer.modules_report(), modules_report_from);
}

// A row says nothing of its kind, so it is read as each of them.
void take_row(std::string_view bytes) {
    if (wire::DeclarationRow row; parse(bytes, row))
        check_declaration(row);
    if (wire::NameTable row; parse(bytes, row))
        check_names(row);
    if (wire::KernelAnswer row; parse(bytes, row))
        check_kernel_answer(row);
    if (wire::TermTable row; parse(bytes, row))
        check(row, [](const wire::TermTable& table) { return term_table_from(table, "terms"); });
    const std::string_view behind_mark = bytes.substr(std::min<std::size_t>(1, bytes.size()));
    if (wire::ReferencesRow row; parse(behind_mark, row))
        check(row, references_from);
    if (wire::AxiomsRow row; parse(behind_mark, row))
        check(row, axiom_report_from);
}

void take_rows(const wire::RowBatch& batch, RowChecksum& checksum) {
    std::string_view left(batch.rows());
    for (const std::uint32_t size : batch.sizes()) {
        if (size > left.size())
            return;
        checksum.add(left.substr(0, size));
        take_row(left.substr(0, size));
        left.remove_prefix(size);
    }
}

// An error may change when it is read: an unknown id, a message too long. Never again after that.
void check_error(const wire::ErrorValue& value) {
    check(value, error_from);
    if (error_from(value).facts().size() > static_cast<std::size_t>(value.facts_size()))
        disagree("facts that nobody sent");
}

void take(const wire::ToWorker& message) {
    switch (message.body_case()) {
    case wire::ToWorker::kHello:
        return check(message.hello().runtime(), runtime_options_from);
    case wire::ToWorker::kOpen:
        return check(message.open().imports(), import_set_from);
    case wire::ToWorker::kQuery:
        check_names(message.query().names());
        return check(message.query().fields(), fields_from);
    case wire::ToWorker::kSearch:
        check(message.search(), filter_from);
        return check(message.search().fields(), fields_from);
    case wire::ToWorker::kReferences:
        return check_names(message.references().names());
    case wire::ToWorker::kAxioms:
        return check_names(message.axioms().names());
    case wire::ToWorker::kFind:
        return check_names(message.find().names());
    case wire::ToWorker::kKernel:
        return check_kernel_request(message.kernel());
    default:
        return; // numbers and bytes that are taken as they are
    }
}

void take(const wire::FromWorker& message, RowChecksum& checksum) {
    switch (message.body_case()) {
    case wire::FromWorker::kRows:
        return take_rows(message.rows(), checksum);
    case wire::FromWorker::kFailed:
        return check_error(message.failed());
    case wire::FromWorker::kSummary:
        check(message.summary().open().facts(), import_facts_from);
        return check(message.summary().search(), search_summary_from);
    default:
        return;
    }
}

// What came out of a stream.
struct Received {
    std::vector<std::string> payloads;
    bool was_refused = false;
    bool has_partial_frame = false;

    bool operator==(const Received&) const = default;
};

// Pieces of `next_size()` bytes, each taken as far as the buffer has room, then all whole frames.
template <class NextSize>
Received receive_in_pieces(std::string_view stream, NextSize&& next_size) {
    FrameBuffer frames(smallest_max_frame_bytes);
    Received received;
    received.was_refused = !is_accepted([&] {
        while (!stream.empty()) {
            const std::span<char> space = frames.free_space();
            const std::size_t count = std::min({next_size(), space.size(), stream.size()});
            std::memcpy(space.data(), stream.data(), count);
            frames.add(count);
            stream.remove_prefix(count);
            while (const auto payload = frames.next()) {
                if (payload->size() > smallest_max_frame_bytes)
                    disagree("a frame beyond the limit");
                received.payloads.emplace_back(*payload);
            }
        }
        received.has_partial_frame = frames.has_partial_frame();
    });
    return received;
}

void take_payload(std::string_view payload, RowChecksum& checksum) {
    if (wire::ToWorker message; parse(payload, message))
        take(message);
    if (wire::FromWorker message; parse(payload, message))
        take(message, checksum);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    std::uint32_t random = 1U + data[0];
    const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Received received = receive_in_pieces(stream, [&]() -> std::size_t {
        random = random * 1664525U + 1013904223U;
        return 1 + (random >> 16U) % ((random & 0x100U) != 0 ? 16U : 4096U);
    });
    constexpr unsigned one_in = 4; // a buffer costs more than most inputs
    if (data[0] % one_in == 0 &&
        received != receive_in_pieces(stream, [&] { return stream.size(); }))
        disagree("frames depend on how their bytes arrive");
    RowChecksum checksum;
    for (const std::string& payload : received.payloads)
        take_payload(payload, checksum);
    // Also as one message, and as one row, which the fuzzer finds more easily than frames of them.
    take_payload(stream, checksum);
    take_row(stream);
    return 0;
}
