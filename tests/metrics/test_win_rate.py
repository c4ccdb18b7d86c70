"""Pairs and the plain win rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.judged.pairs import Pairs, rows_of
from genrec_eval.metrics.judged.win_rate import tally
from genrec_eval.metrics.registry import metric
from genrec_eval.stats.intervals import intervals


def test_draws_count_half() -> None:
    scores = metric("win_rate(against=base,judge=rules)")(Pairs(preference=np.array([1.0, 0.5, 0.0, 0.9])))
    assert scores.values.tolist() == [1.0, 0.5, 0.0, 0.9]
    assert (
        metric("win_rate(discrete=true)")(Pairs(preference=np.array([1.0, 0.5, 0.0, 0.9]))).values.mean()
        == 0.625
    )


def test_whose_judgements_belongs_to_the_identity() -> None:
    one = metric("win_rate(rubric=helpful,against=base)")
    assert one.id == "win_rate(against=base,rubric=helpful)"
    assert one.definition_id == "win_rate(against=base,discrete=False,judge=,rubric=helpful)"


def test_units_without_a_verdict_keep_their_reason() -> None:
    pairs = Pairs(
        preference=np.array([1.0, math.nan, 0.0]), reasons={"unparsed": np.array([False, True, False])}
    )
    scores = metric("win_rate")(pairs)
    assert scores.scored.tolist() == [True, False, True]
    assert np.isfinite(scores.values).all()
    found = intervals([metric("win_rate").sample(scores)], seed=1)[0]
    assert (found.value, found.n) == (0.5, 2)
    assert tally(pairs).n == 2


def test_tally_of_nothing_and_of_one() -> None:
    none = tally(Pairs(preference=np.empty(0)))
    assert (none.n, none.win_rate, none.discrete_win_rate, none.standard_error) == (0, None, None, None)
    one = tally(Pairs(preference=np.array([0.8])))
    assert (one.wins, one.win_rate, one.discrete_win_rate, one.standard_error) == (1, 0.8, 1.0, None)
    assert len(metric("win_rate")(Pairs(preference=np.empty(0)))) == 0


def test_all_ties_are_half() -> None:
    found = tally(Pairs(preference=np.full(4, 0.5)))
    assert (found.draws, found.win_rate, found.discrete_win_rate, found.standard_error) == (4, 0.5, 0.5, 0.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_swapped_models_share_the_pairs(values: list[float]) -> None:
    pairs = Pairs(preference=np.array(values))
    one, other = tally(pairs), tally(pairs.swapped)
    assert (one.wins + one.draws + one.losses, one.n) == (other.n, len(values))
    assert one.win_rate is not None
    assert other.win_rate is not None
    assert one.win_rate + other.win_rate == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"preference": np.array([0.5, math.nan])}, "preference nan in row 1 is not between 0 and 1"),
        ({"preference": np.array([1.5, 0.5])}, "preference 1.5 in row 0"),
        (
            {"covariates": {"length": np.array([1.0, math.nan])}},
            "covariate 'length' in row 1 is not a finite",
        ),
        ({"covariates": {"length": np.array([1.0])}}, "covariate 'length' has 1 rows beside 2 preferences"),
        ({"difficulty": np.array([math.inf, 0.0])}, "difficulty in row 0 is not a finite number"),
        ({"reasons": {"unparsed": np.array([True])}}, "reason 'unparsed' has 1 rows"),
    ],
)
def test_bad_pairs(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Pairs(**{"preference": np.array([1.0, 0.0]), **change})  # type: ignore[arg-type]


def test_slices_keep_rows_together() -> None:
    pairs = Pairs(
        preference=np.array([1.0, 0.0, 0.5]),
        covariates={"length": np.array([1.0, 2.0, 3.0])},
        difficulty=np.array([4.0, 5.0, 6.0]),
        reasons={"refused": np.array([False, True, False])},
    )
    part = pairs.where(np.array([False, True, True]))
    assert (part.preference.tolist(), part.covariates["length"].tolist()) == ([0.0, 0.5], [2.0, 3.0])
    assert part.difficulty is not None
    assert (part.difficulty.tolist(), part.scored.tolist()) == ([5.0, 6.0], [False, True])


def test_rows_are_joined_by_id() -> None:
    assert rows_of(["p3", "p1"], ["p1", "p2", "p3"], "the lengths").tolist() == [2, 0]
    assert rows_of([], ["p1"], "the lengths").tolist() == []


@pytest.mark.parametrize(
    ("wanted", "known", "sentence"),
    [
        (["a", "x"], ["a", "b"], "the lengths: no row for id 'x' of 2"),
        (["u", "v", "w", "x", "y", "z"], ["a"], "6 ids 'u', 'v', 'w', 'x', 'y' and 1 more of 6"),
        (["a"], ["a", "b", "b"], "the lengths: id 'b' more than once"),
        (["a", "a"], ["a"], "the pairs: id 'a' more than once"),
    ],
)
def test_unequal_sides_are_named(wanted: list[str], known: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        rows_of(wanted, known, "the lengths")
