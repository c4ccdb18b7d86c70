"""Scores and preferences from log-probabilities, against sums written out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.dialect import dialects, load_dialect
from genrec_eval.judging.rubric import load_rubric
from genrec_eval.judging.types import JudgementStatus, JudgeTask, TaskKind, Verdict
from genrec_eval.protocol.responses import ChatResponse, TokenLogprob

RUBRIC = load_rubric("helpfulness", Path())
SHIPPED = {name: load_dialect(name, Path()) for name in dialects()}


def token(text: str, p: float = 1.0, **others: float) -> TokenLogprob:
    top = tuple((name, math.log(q)) for name, q in {text: p, **others}.items())
    return TokenLogprob(text, math.log(p), top)


def ask(name: str, *tokens: TokenLogprob, kind: TaskKind = "pointwise", mode: str = "expected") -> Verdict:
    answers = ("one", "two") if kind == "pairwise" else ("one",)
    task = JudgeTask(id="t7", kind=kind, rubric=RUBRIC, prompt="Why?", answers=answers)
    response = ChatResponse(text="".join(one.token for one in tokens), logprobs=tokens)
    return SHIPPED[name].parse(response, task, score_mode=mode)  # type: ignore[arg-type]


def test_expected_score_is_the_mean_over_valid_tokens() -> None:
    verdict = ask("geval", token("4", 0.5, **{"5": 0.2, "3": 0.1, "7": 0.1, "Good": 0.05}))
    assert verdict.score == pytest.approx((4 * 0.5 + 5 * 0.2 + 3 * 0.1) / 0.8)
    assert verdict.mass == pytest.approx(0.8)
    assert verdict.label == "4"


def test_spaces_and_marks_belong_to_the_same_number() -> None:
    verdict = ask("geval", token(" 4", 0.5, **{"4": 0.1, " 2": 0.2, "**3": 0.1}))
    assert verdict.score == pytest.approx((4 * 0.6 + 2 * 0.2 + 3 * 0.1) / 0.9)


def test_the_last_score_counts_not_one_in_the_reasoning() -> None:
    tokens = [token("A [[2]] would be mean.\n\n"), token("Rating: [["), token("8", 0.75, **{"9": 0.25})]
    verdict = ask("mtbench-single", *tokens, token("]]"))
    assert verdict.score == pytest.approx(8.25)


def test_ten_as_one_token() -> None:
    verdict = ask("mtbench-single", token("[["), token("10", 0.5, **{"1": 0.25, "9": 0.25}), token("]]"))
    assert verdict.score == pytest.approx(5 + 0.25 + 2.25)
    assert verdict.mass == pytest.approx(1.0)


def test_ten_as_two_tokens() -> None:
    tokens = (token("[["), token("1", 0.6, **{"9": 0.4}), token("0", 0.9, **{"]]": 0.1}), token("]]"))
    verdict = ask("mtbench-single", *tokens)
    assert verdict.score == pytest.approx(10 * 0.54 + 1 * 0.06 + 9 * 0.4)
    assert verdict.mass == pytest.approx(1.0)


def test_a_one_that_was_not_generated_may_be_either_and_is_left_out() -> None:
    verdict = ask("mtbench-single", token("[["), token("9", 0.6, **{"1": 0.3, "8": 0.1}), token("]]"))
    assert verdict.score == pytest.approx((9 * 0.6 + 8 * 0.1) / 0.7)
    assert verdict.mass == pytest.approx(0.7)


def test_expected_score_of_an_object() -> None:
    tokens = (token('{"reason": "not 5", "score": '), token("2", 0.5, **{"3": 0.5}), token("}"))
    assert ask("json", *tokens).score == pytest.approx(2.5)
    assert ask("json", *tokens, mode="verdict").score == 2.0


def test_a_fraction_has_no_expectation() -> None:
    verdict = ask("mtbench-single", token("[["), token("8"), token("."), token("5"), token("]]"))
    assert verdict.status is JudgementStatus.UNPARSED
    assert "8.5 is no whole number" in str(verdict.reason)


@given(st.lists(st.floats(0.001, 1.0), min_size=5, max_size=5))
def test_expected_scores_stay_in_the_scale(weights: list[float]) -> None:
    shares = [weight / sum(weights) for weight in weights]
    verdict = ask("geval", token("1", shares[0], **{str(n): shares[n - 1] for n in range(2, 6)}))
    assert verdict.score == pytest.approx(sum(n * share for n, share in enumerate(shares, 1)))
    assert 1 <= (verdict.score or 0) <= 5


def test_yes_as_a_probability() -> None:
    verdict = ask("yesno", token("Yes", 0.6, **{"yes": 0.1, "No": 0.2, "Maybe": 0.1}))
    assert verdict.score == pytest.approx(0.7 / 0.9)
    assert verdict.mass == pytest.approx(0.9)


@pytest.mark.parametrize("mode", ["verdict", "expected"])
def test_preference_for_the_second(mode: str) -> None:
    verdict = ask("alpaca-token", token("m", 0.6, M=0.2, Both=0.1), kind="pairwise", mode=mode)
    assert verdict.preference == pytest.approx(0.25)
    assert verdict.mass == pytest.approx(0.8)
    assert verdict.winner == "first"


def test_preference_where_another_token_was_sampled() -> None:
    verdict = ask("alpaca-token", token("Both", 0.2, m=0.3, M=0.4), kind="pairwise")
    assert (verdict.winner, verdict.preference) == ("second", pytest.approx(4 / 7))
    verdict = ask("alpaca-token", token("Both", 0.2, The=0.3), kind="pairwise")
    assert verdict.status is JudgementStatus.UNPARSED
    assert "neither m nor M is among" in str(verdict.reason)


@pytest.mark.parametrize(
    ("name", "text", "kind", "mode"),
    [("geval", "4", "pointwise", "expected"), ("alpaca-token", "m", "pairwise", "verdict")],
)
@pytest.mark.parametrize("logprobs", [None, ()])
def test_missing_logprobs_are_an_error(
    name: str, text: str, kind: TaskKind, mode: str, logprobs: tuple[()] | None
) -> None:
    answers = ("one", "two") if kind == "pairwise" else ("one",)
    task = JudgeTask(id="t7", kind=kind, rubric=RUBRIC, prompt="Why?", answers=answers)
    with pytest.raises(UsageError, match=f"task 't7': dialect '{name}' reads this verdict from log-prob"):
        SHIPPED[name].parse(ChatResponse(text=text, logprobs=logprobs), task, score_mode=mode)  # type: ignore[arg-type]


def test_text_without_a_verdict_needs_no_logprobs() -> None:
    task = JudgeTask(id="t7", kind="pointwise", rubric=RUBRIC, prompt="Why?", answers=("one",))
    refused = ChatResponse(text="I cannot rate this.")
    assert SHIPPED["geval"].parse(refused, task, score_mode="expected").status is JudgementStatus.REFUSED


def test_dialects_that_cannot_expect_say_so() -> None:
    with pytest.raises(UsageError, match="score_mode expected: dialect 'pandalm' reads no score"):
        ask("pandalm", token("1"), kind="pairwise")
    with pytest.raises(UsageError, match="reads no score of a pairwise task"):
        ask("json", token('{"verdict": "A"}'), kind="pairwise")


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        (
            (TokenLogprob("2", -0.1, (("2", -0.1), ("5", -3.0))),),
            "the text gives the verdict 4, the tokens 2",
        ),
        ((TokenLogprob("4", 5.0, (("4", 5.0), ("5", 3.0))),), "a log-probability is above 0"),
        ((TokenLogprob("4", -0.1, (("4", -0.1), ("5", 3.0))),), "a log-probability is above 0"),
    ],
)
def test_tokens_that_cannot_be_those_of_the_verdict(tokens: tuple[TokenLogprob, ...], reason: str) -> None:
    task = JudgeTask(id="t7", kind="pointwise", rubric=RUBRIC, prompt="Why?", answers=("one",))
    verdict = SHIPPED["geval"].parse(ChatResponse(text="4", logprobs=tokens), task, score_mode="expected")
    assert verdict.status is JudgementStatus.UNPARSED
    assert reason in str(verdict.reason)


def test_odd_logprobs_do_no_harm() -> None:
    odd = TokenLogprob("4", 0.001, (("4", 0.001), ("5", -math.inf), ("3", math.nan), ("2", -9999.0)))
    verdict = ask("geval", odd)
    assert (verdict.score, verdict.mass) == (4.0, 1.0)
