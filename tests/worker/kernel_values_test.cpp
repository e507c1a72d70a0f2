#include "base/failure.hpp"
#include "worker/protocol/kernel_values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leanhost::worker {
namespace {

using testing::HasSubstr;

template <class Body>
std::string refusal(Body&& body) {
    try {
        body();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.error().code(), ErrorCode::protocol_error);
        return failure.error().message();
    }
    return {};
}

TermTable sample_table() {
    TermTableBuilder builder;
    const LevelIndex u = builder.level_param("u");
    const LevelIndex levels[] = {builder.level_imax(u, builder.level_succ(u)), u};
    const TermIndex type = builder.sort(levels[0]);
    const TermIndex f = builder.constant("A.f", levels);
    const TermIndex text = builder.string("tëxt");
    const TermIndex let =
        builder.let(type, builder.nat(UINT64_MAX), builder.app(f, builder.bvar(0)));
    builder.pi(type, builder.lam(f, builder.app(let, builder.proj("S", 3, text))));
    builder.app(builder.fvar("x"), builder.mvar(Name()));
    return *builder.take();
}

TEST(KernelValues, TermsComeBackAsTheyWere) {
    const TermTable table = sample_table();
    EXPECT_EQ(term_table_from(to_wire(table), "t"), table);
    EXPECT_EQ(term_table_from(wire::TermTable(), "t"), TermTable());
}

TEST(KernelValues, CandidateComesBackAsItWas) {
    CandidateDeclaration candidate;
    candidate.name = "A.theorem";
    candidate.kind = DeclarationKind::opaque;
    candidate.universe_params = {"u", "v"};
    candidate.terms = sample_table();
    candidate.type = 2;
    candidate.value = 3;
    const CandidateDeclaration back = candidate_from(to_wire(candidate));
    EXPECT_EQ(back.name, candidate.name);
    EXPECT_EQ(back.kind, candidate.kind);
    EXPECT_EQ(back.universe_params, candidate.universe_params);
    EXPECT_EQ(back.terms, candidate.terms);
    EXPECT_EQ(back.type, 2U);
    EXPECT_EQ(back.value, 3U);
}

TEST(KernelValues, VerdictComesBackAsItWas) {
    Verdict verdict;
    verdict.kind = VerdictKind::rejected;
    verdict.reason = "value_type_mismatch";
    verdict.message = "no";
    verdict.where = "value.body";
    verdict.heartbeats = 77;
    verdict.axioms = AxiomReport{{"propext"}, false};
    const Verdict back = verdict_from(to_wire(verdict));
    EXPECT_EQ(back.kind, VerdictKind::rejected);
    EXPECT_EQ(back.reason, verdict.reason);
    EXPECT_EQ(back.message, verdict.message);
    EXPECT_EQ(back.where, verdict.where);
    EXPECT_EQ(back.heartbeats, 77U);
    EXPECT_EQ(back.axioms->axioms, verdict.axioms->axioms);
    EXPECT_FALSE(back.axioms->is_complete);
}

// A worker that says nothing must not have accepted anything.
TEST(KernelValues, WhatWasNotSaidIsNoAcceptance) {
    EXPECT_THAT(refusal([] { verdict_from(wire::Verdict()); }), HasSubstr("verdict.kind"));
    EXPECT_THAT(refusal([] { term_answer_from(wire::KernelAnswer()); }), HasSubstr("verdict.kind"));
    EXPECT_THAT(refusal([] { equality_answer_from(wire::KernelAnswer()); }),
                HasSubstr("verdict.kind"));
}

TEST(KernelValues, AnswerThatContradictsItselfIsRefused) {
    wire::Verdict unreasoned;
    unreasoned.set_kind(1 + static_cast<std::uint32_t>(VerdictKind::rejected));
    EXPECT_THAT(refusal([&] { verdict_from(unreasoned); }), HasSubstr("verdict.reason"));
    wire::Verdict reasoned;
    reasoned.set_kind(1 + static_cast<std::uint32_t>(VerdictKind::accepted));
    reasoned.set_reason("bad_block");
    EXPECT_THAT(refusal([&] { verdict_from(reasoned); }), HasSubstr("verdict.reason"));

    wire::KernelAnswer no_term;
    no_term.mutable_verdict()->set_kind(1);
    EXPECT_THAT(refusal([&] { term_answer_from(no_term); }), HasSubstr("answer.term"));
    EXPECT_THAT(refusal([&] { equality_answer_from(no_term); }), HasSubstr("answer.is_equal"));
    wire::KernelAnswer equal;
    *equal.mutable_verdict() = unreasoned;
    equal.mutable_verdict()->set_reason("bad_block");
    equal.set_is_equal(true);
    EXPECT_THAT(refusal([&] { equality_answer_from(equal); }), HasSubstr("were not accepted"));
}

TEST(KernelValues, TablesThatLieAreRefused) {
    const wire::TermTable good = to_wire(sample_table());
    const auto changed = [&](auto&& change) {
        wire::TermTable table = good;
        change(table);
        return refusal([&] { term_table_from(table, "t"); });
    };
    EXPECT_EQ(changed([](auto&) {}), "");
    EXPECT_THAT(changed([](auto& t) { t.mutable_term_kinds()->push_back('\x2A'); }),
                HasSubstr("none of the 12 values"));
    EXPECT_THAT(changed([](auto& t) { t.mutable_term_kinds()->push_back('\x05'); }),
                HasSubstr("more fields than their table holds"));
    EXPECT_THAT(changed([](auto& t) { t.add_term_fields(0); }),
                HasSubstr("more fields than its nodes have"));
    EXPECT_THAT(changed([](auto& t) { t.mutable_level_kinds()->push_back('\x06'); }),
                HasSubstr("none of the 6 values"));
    EXPECT_THAT(changed([](auto& t) { t.add_text_sizes(1); }), HasSubstr("longer than"));
    EXPECT_THAT(changed([](auto& t) { t.mutable_texts()->push_back('x'); }),
                HasSubstr("more text than its texts"));
    EXPECT_THAT(changed([](auto& t) { t.add_level_lists(99); }), HasSubstr("there is no level 99"));
    EXPECT_THAT(changed([](auto& t) { t.mutable_term_fields()->Set(0, 99); }),
                HasSubstr("refers to"));
    EXPECT_THAT(changed([](auto& t) { t.mutable_names()->clear_component_counts(); }),
                HasSubstr("more than its names"));
}

TEST(KernelValues, RootsThatAreNoneAreRefused) {
    wire::Term term;
    EXPECT_THAT(refusal([&] { term_from(term, "t"); }), HasSubstr("there is no term 0 among 0"));
    CandidateDeclaration candidate;
    candidate.terms = sample_table();
    wire::CandidateDeclaration message = to_wire(candidate);
    message.set_value(99);
    EXPECT_THAT(refusal([&] { candidate_from(message); }), HasSubstr("candidate.value"));
    message.set_type(99);
    EXPECT_THAT(refusal([&] { candidate_from(message); }), HasSubstr("candidate.type"));
    message.set_kind(8);
    EXPECT_THAT(refusal([&] { candidate_from(message); }), HasSubstr("candidate.kind"));
    DeclarationTerms declaration{};
    declaration.terms = sample_table();
    wire::DeclarationTerms row = to_wire(declaration);
    row.set_value(99);
    EXPECT_THAT(refusal([&] { declaration_terms_from(row); }), HasSubstr("declaration.value"));
}

} // namespace
} // namespace leanhost::worker
