"""Best only where the paired differences say so; verdicts in the order a reviewer needs."""

from __future__ import annotations

from typing import Any

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.results import Ruling, Verdict
from genrec_eval.reporting.answer import Outcome, outcome, sentence, worst_first
from genrec_eval.reporting.compare import best, broken, is_ruled
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.tables import matrix


def _row(model: str, value: float, **more: Any) -> dict[str, Any]:
    row = {
        "model": model,
        "scenario": "s",
        "metric": "m",
        "value": value,
        "low": value - 1,
        "high": value + 1,
    }
    return row | {"n": 9, "attempted": 9, "answered": 9, "scored": 9, "direction": "higher"} | more


def _gap(model: str, baseline: str, low: float, high: float) -> dict[str, Any]:
    return _row(model, (low + high) / 2, baseline=baseline, low=low, high=high)


def _results(*rows: dict[str, Any], direction: str = "higher") -> Results:
    return Results.read({"estimates": list(rows), "definitions": {"m": {"direction": direction}}})


MODELS = (_row("a", 3.0), _row("b", 2.0), _row("c", 1.0))


def test_one_model_beats_all_others() -> None:
    results = _results(*MODELS, _gap("a", "b", 0.5, 1.5), _gap("c", "a", -3, -1), _gap("b", "c", 0, 2))
    assert best(results, "s", "m") == {"a"}


def test_a_tie_is_shared_when_both_beat_the_rest() -> None:
    results = _results(*MODELS, _gap("a", "b", -0.5, 2.5), _gap("a", "c", 1, 3), _gap("b", "c", 0.2, 2))
    assert best(results, "s", "m") == {"a", "b"}


def test_no_mark_when_nothing_beats_everything() -> None:
    results = _results(*MODELS, _gap("a", "b", -0.5, 2.5), _gap("a", "c", 1, 3), _gap("b", "c", -0.2, 2))
    assert best(results, "s", "m") == frozenset()


def test_no_mark_when_a_tie_chains_models_that_differ() -> None:
    low = _row("d", 0.0)
    gaps = [_gap("a", "b", -0.5, 2.5), _gap("b", "c", -0.2, 2), _gap("a", "c", 1, 3)]
    gaps += [_gap(model, "d", 0.1, 9) for model in "abc"]
    assert best(_results(*MODELS, low, *gaps), "s", "m") == frozenset()


def test_no_mark_without_paired_differences_although_the_intervals_are_apart() -> None:
    assert best(_results(_row("a", 99.0), _row("b", 1.0)), "s", "m") == frozenset()


def test_lower_is_better_turns_the_sign() -> None:
    rows = [_row("a", 3.0), _row("b", 2.0), _gap("a", "b", 0.5, 1.5)]
    assert best(_results(*rows, direction="lower"), "s", "m") == {"b"}
    assert best(_results(*rows, direction="none"), "s", "m") == frozenset()


def _verdict(ruling: Ruling, **more: Any) -> Verdict:
    given = {
        "claim": "c",
        "model": "a",
        "scenario": "s",
        "metric": "m",
        "gate": True,
        "reason": "",
        "margin": 0.0,
    }
    return Verdict(verdict=ruling, **{**given, "rule": "at_least", "direction": "higher", **more})


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (_verdict(Ruling.PASS), Outcome.HOLDS),
        (_verdict(Ruling.FAIL), Outcome.FAILED),
        (_verdict(Ruling.FAIL, gate=False), Outcome.FINDING),
        (_verdict(Ruling.FAIL, expected=Ruling.FAIL), Outcome.CAUGHT),
        (_verdict(Ruling.PASS, expected=Ruling.FAIL), Outcome.MISSED),
        (_verdict(Ruling.INSUFFICIENT, expected=Ruling.FAIL), Outcome.UNDECIDED),
        (_verdict(Ruling.NOT_RUN), Outcome.NOT_RUN),
    ],
)
def test_a_verdict_beside_what_was_expected(verdict: Verdict, expected: Outcome) -> None:
    assert outcome(verdict) is expected


def test_worst_first_by_class_and_then_by_how_surely() -> None:
    rows = [
        _verdict(Ruling.PASS),
        _verdict(Ruling.FAIL, claim="barely", value=-1.0, low=-1.9, high=-0.1),
        _verdict(Ruling.FAIL, claim="surely", value=-9.0, low=-9.5, high=-8.5),
        _verdict(Ruling.FAIL, claim="finding", gate=False, value=-99.0, low=-99.1, high=-98.9),
    ]
    assert [row.claim for row in worst_first(rows)] == ["surely", "barely", "finding", "c"]


def test_the_sentence_names_failures_first_and_counts_every_class() -> None:
    rows = [_verdict(Ruling.PASS)] * 14 + [_verdict(Ruling.FAIL)] * 2
    rows += [_verdict(Ruling.INSUFFICIENT)] + [_verdict(Ruling.NOT_RUN)] * 3
    text = sentence(rows)
    assert text == "2 claims failed, 1 could not be decided, 14 hold, 3 were not run."
    assert "no claim" in sentence([])


def test_rows_of_another_version() -> None:
    bare = Results.read({"estimates": [{"model": "a", "later": 1}], "verdicts": [{"verdict": "PASS"}]})
    assert bare.estimates[0].value is None
    assert bare.verdicts[0].verdict is Ruling.PASS
    for damaged in (
        [],
        {"schema": 99},
        {"estimates": 3},
        {"estimates": [{"value": "high"}]},
        {"verdicts": [{"verdict": "?"}]},
    ):
        with pytest.raises(UsageError):
            Results.read(damaged)


def _ruled(metric: str, model: str, ruling: Ruling) -> dict[str, Any]:
    return Verdict(
        claim="c",
        model=model,
        scenario="s",
        metric=metric,
        verdict=ruling,
        gate=False,
        reason="",
        margin=2.5,
        rule="at_most",
        direction="lower",
    ).to_json()


def test_what_fails_is_marked_and_told_in_the_caption() -> None:
    rulings = {"a": Ruling.FAIL, "b": Ruling.PASS, "c": Ruling.INSUFFICIENT}
    results = Results.read(
        {
            "estimates": list(MODELS),
            "definitions": {"m": {"direction": "lower", "title": "Made up"}},
            "verdicts": [_ruled("m", model, ruling) for model, ruling in rulings.items()],
        }
    )
    assert is_ruled(results, "s", "m")
    assert not is_ruled(results, "s", "other")
    assert broken(results, "s", "m") == {"a"}
    (table,) = matrix(results, "s", ["m"], ["a", "b", "c"])
    assert table.caption == "Rules are broken on Made up by a"
    assert [line.cells[0].mark for line in table.lines if line.cells[0]] == [
        "broken",
        "",
        "",
    ]
