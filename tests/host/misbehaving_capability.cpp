// A capability library that breaks each rule of the interface which a host can notice.
#include <leanhost/capability_guard.hpp>

#include <iterator>
#include <stdexcept>
#include <string>

namespace {

using Sink = const leanhost_capability_sink*;

leanhost_bytes bytes(const std::string& text) {
    return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

std::int32_t echo(leanhost_bytes input, Sink sink) {
    return sink->emit(sink->context, input);
}

std::int32_t gives_nothing(leanhost_bytes, Sink) {
    return 0;
}

std::int32_t gives_pieces(leanhost_bytes, Sink sink) {
    for (const char* piece : {"one ", "", "two"})
        sink->emit(sink->context, bytes(piece));
    return 0;
}

std::int32_t gives_null(leanhost_bytes, Sink sink) {
    sink->emit(sink->context, {nullptr, 5});
    return 0;
}

std::int32_t gives_more_than_there_is(leanhost_bytes, Sink sink) {
    static const unsigned char byte = 0;
    sink->emit(sink->context, {&byte, SIZE_MAX});
    return 0;
}

std::int32_t fails(leanhost_bytes, Sink sink) {
    sink->report_failure(sink->context, bytes("the first guess"));
    sink->report_failure(sink->context, bytes("the disk is full"));
    return 7;
}

std::int32_t fails_without_a_word(leanhost_bytes, Sink) {
    return -3;
}

std::int32_t fails_at_length(leanhost_bytes, Sink sink) {
    std::string message = "x";
    for (int i = 0; i < 100'000; ++i)
        message += "→";
    sink->report_failure(sink->context, bytes(message));
    return 1;
}

std::int32_t reports_null(leanhost_bytes, Sink sink) {
    sink->report_failure(sink->context, {nullptr, 5});
    return 1;
}

std::int32_t reports_but_succeeds(leanhost_bytes, Sink sink) {
    sink->report_failure(sink->context, bytes("never mind"));
    return sink->emit(sink->context, bytes("fine"));
}

std::int32_t throws(leanhost_bytes, Sink) {
    throw std::runtime_error("thrown on purpose");
}

std::int32_t throws_a_number(leanhost_bytes, Sink) {
    throw 42;
}

void guarded_throw(std::string_view, leanhost::CapabilitySink) {
    throw std::runtime_error("caught inside");
}

void guarded_number(std::string_view, leanhost::CapabilitySink) {
    throw 42;
}

// Goes on after it was told to stop, and claims success.
std::int32_t is_deaf(leanhost_bytes, Sink sink) {
    for (int i = 0; i < 1000; ++i)
        sink->emit(sink->context, bytes(std::to_string(i)));
    return 0;
}

// Rows without end; stops when told to, and calls that a failure of its own.
std::int32_t counts(leanhost_bytes, Sink sink) {
    for (int i = 0;; ++i) {
        if (sink->emit(sink->context, bytes(std::to_string(i))) != LEANHOST_CAPABILITY_PROCEED) {
            sink->report_failure(sink->context, bytes("I was stopped"));
            return 9;
        }
    }
}

// Works without results until the host has had enough.
void waits(std::string_view, leanhost::CapabilitySink sink) {
    while (!sink.should_stop()) {
    }
}

constexpr auto gives_bytes = LEANHOST_CAPABILITY_GIVES_BYTES;
constexpr auto gives_rows = LEANHOST_CAPABILITY_GIVES_ROWS;

const leanhost_capability_function functions[] = {
    {"echo", gives_bytes, echo},
    {"gives_nothing", gives_bytes, gives_nothing},
    {"gives_pieces", gives_bytes, gives_pieces},
    {"gives_null", gives_bytes, gives_null},
    {"gives_more_than_there_is", gives_bytes, gives_more_than_there_is},
    {"fails", gives_bytes, fails},
    {"fails_without_a_word", gives_bytes, fails_without_a_word},
    {"fails_at_length", gives_bytes, fails_at_length},
    {"reports_null", gives_bytes, reports_null},
    {"reports_but_succeeds", gives_bytes, reports_but_succeeds},
    {"throws", gives_bytes, throws},
    {"throws_a_number", gives_bytes, throws_a_number},
    {"guarded_throw", gives_bytes, leanhost::capability_guard<guarded_throw>},
    {"guarded_number", gives_bytes, leanhost::capability_guard<guarded_number>},
    {"is_deaf", gives_rows, is_deaf},
    {"counts", gives_rows, counts},
    {"waits", gives_bytes, leanhost::capability_guard<waits>},
};

const leanhost_capability_table table = {LEANHOST_CAPABILITY_ABI_VERSION,
                                         sizeof(leanhost_capability_table),
                                         "misbehaving",
                                         "0.1",
                                         std::size(functions),
                                         functions};

} // namespace

const leanhost_capability_table* leanhost_capability_table_v1() {
    return &table;
}
